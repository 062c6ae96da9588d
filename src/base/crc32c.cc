#include <base/crc32c.h>

#include <algorithm>
#include <isa-l/crc.h>

namespace dohle {

std::uint32_t crc32c(Bytes data, std::uint32_t crc) {
  std::uint32_t state = ~crc;
  while (!data.empty()) {
    const std::size_t part = std::min<std::size_t>(data.size(), 1U << 30);  // ISA-L counts in int
    state = crc32_iscsi(const_cast<unsigned char*>(data.data()), static_cast<int>(part), state);
    data = data.subspan(part);
  }
  return ~state;
}

}  // namespace dohle

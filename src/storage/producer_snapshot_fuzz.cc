#include "producer_snapshot.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <base/crc32c.h>

// The checksum is made right, so that what lies behind it is reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dohle;
  std::vector<std::uint8_t> content(data, data + size);
  if (size >= 6) store_be(content.data() + 2, crc32c(Bytes(content).subspan(6)));
  const auto producers = storage::parse_producer_snapshot(content);
  if (producers && !storage::parse_producer_snapshot(storage::format_producer_snapshot(*producers))) std::abort();
  return 0;
}

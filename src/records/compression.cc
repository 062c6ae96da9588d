#include <records/compression.h>

namespace dohle::records {

namespace {
constexpr std::string_view kNames[kCompressionTypes] = {"none", "gzip", "snappy", "lz4", "zstd"};
}

std::string_view to_string(CompressionType type) { return kNames[static_cast<std::uint8_t>(type)]; }

std::optional<CompressionType> compression_type(std::string_view name) {
  for (std::uint8_t id = 0; id < kCompressionTypes; ++id) {
    if (kNames[id] == name) return static_cast<CompressionType>(id);
  }
  return std::nullopt;
}

}  // namespace dohle::records

// The codecs a batch may be compressed with, by Kafka's numbers and names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dohle::records {

enum class CompressionType : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };
inline constexpr std::uint8_t kCompressionTypes = 5;

// "none", "gzip", "snappy", "lz4", "zstd".
[[nodiscard]] std::string_view to_string(CompressionType type);
[[nodiscard]] std::optional<CompressionType> compression_type(std::string_view name);

// A codec and how hard it tries (compression.<codec>.level); no level means Kafka's default: gzip -1, lz4 9, zstd 3.
struct Compression {
  CompressionType type = CompressionType::kNone;
  std::optional<int> level;
};

}  // namespace dohle::records

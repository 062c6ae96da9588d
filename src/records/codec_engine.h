// One codec's side of Decompressor, and how each codec's engines are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <records/codec.h>

namespace dohle::records {

inline constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;

class DecompressEngine {
 public:
  virtual ~DecompressEngine() = default;
  [[nodiscard]] virtual Result<> open(Bytes input, std::int8_t magic) = 0;
  [[nodiscard]] virtual Result<Bytes> next_chunk() = 0;
};

[[nodiscard]] std::unique_ptr<DecompressEngine> make_gzip_decompressor();
[[nodiscard]] std::unique_ptr<DecompressEngine> make_snappy_decompressor();
[[nodiscard]] std::unique_ptr<DecompressEngine> make_lz4_decompressor();
[[nodiscard]] std::unique_ptr<DecompressEngine> make_zstd_decompressor();

[[nodiscard]] std::unique_ptr<Compressor> make_gzip_compressor(std::optional<int> level,
                                                               std::vector<std::uint8_t>& out);
[[nodiscard]] std::unique_ptr<Compressor> make_snappy_compressor(std::vector<std::uint8_t>& out);
[[nodiscard]] std::unique_ptr<Compressor> make_lz4_compressor(std::optional<int> level, std::vector<std::uint8_t>& out);
[[nodiscard]] std::unique_ptr<Compressor> make_zstd_compressor(std::optional<int> level,
                                                               std::vector<std::uint8_t>& out);

}  // namespace dohle::records

// Compressed streams as Kafka writes and reads them: gzip, snappy in xerial framing (raw is read too), lz4 frames,
// zstd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <records/compression.h>

namespace dohle::records {

class DecompressEngine;

// Decompresses one stream at a time, chunk by chunk. May be opened again and again, for any codec, and keeps its memory
// between streams. Memory is bounded whatever the input claims: 64 KiB for gzip, the block for lz4 (at most 4 MiB), 64
// times the compressed block for snappy, the window (at most 128 MiB, Kafka's own limit) for zstd, touched only as far
// as real output fills it. One shard.
class Decompressor {
 public:
  Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  // Starts on `input`, which must stay alive until the last chunk. `magic` is the format of the batch it comes from:
  // lz4 in v0 has a header checksum that is not checked, as old clients computed it wrongly.
  [[nodiscard]] Result<> open(CompressionType type, Bytes input, std::int8_t magic = 2);
  // The next decompressed bytes, valid until the next call; empty at the end of the stream. kUndecodable when the input
  // is not what the codec says.
  [[nodiscard]] Result<Bytes> next_chunk();

 private:
  std::unique_ptr<DecompressEngine> engines_[kCompressionTypes];
  DecompressEngine* open_ = nullptr;
};

// Compresses one stream, appending to `out`. write() may keep bytes back; finish() writes the rest, once.
class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual void write(Bytes bytes) = 0;
  virtual void finish() = 0;
};
// `out` must outlive the compressor. CompressionType::kNone copies.
[[nodiscard]] std::unique_ptr<Compressor> make_compressor(const Compression& compression,
                                                          std::vector<std::uint8_t>& out);

}  // namespace dohle::records

#include <records/codec.h>

#include <utility>

#include <base/check.h>

#include "codec_engine.h"

namespace dohle::records {

namespace {

class PlainEngine final : public DecompressEngine {
 public:
  Result<> open(Bytes input, std::int8_t /*magic*/) override {
    input_ = input;
    return {};
  }
  Result<Bytes> next_chunk() override { return std::exchange(input_, {}); }

 private:
  Bytes input_;
};

class PlainCompressor final : public Compressor {
 public:
  explicit PlainCompressor(std::vector<std::uint8_t>& out) : out_(out) {}
  void write(Bytes bytes) override { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void finish() override {}

 private:
  std::vector<std::uint8_t>& out_;
};

std::unique_ptr<DecompressEngine> make_engine(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
      return std::make_unique<PlainEngine>();
    case CompressionType::kGzip:
      return make_gzip_decompressor();
    case CompressionType::kSnappy:
      return make_snappy_decompressor();
    case CompressionType::kLz4:
      return make_lz4_decompressor();
    case CompressionType::kZstd:
      return make_zstd_decompressor();
  }
  return nullptr;
}

}  // namespace

Decompressor::Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Result<> Decompressor::open(CompressionType type, Bytes input, std::int8_t magic) {
  auto& engine = engines_[static_cast<std::uint8_t>(type)];
  if (!engine) engine = make_engine(type);
  DOHLE_CHECK(engine);
  open_ = engine.get();
  return engine->open(input, magic);
}

Result<Bytes> Decompressor::next_chunk() {
  DOHLE_CHECK(open_ != nullptr);
  return open_->next_chunk();
}

std::unique_ptr<Compressor> make_compressor(const Compression& compression, std::vector<std::uint8_t>& out) {
  switch (compression.type) {
    case CompressionType::kNone:
      return std::make_unique<PlainCompressor>(out);
    case CompressionType::kGzip:
      return make_gzip_compressor(compression.level, out);
    case CompressionType::kSnappy:
      return make_snappy_compressor(out);
    case CompressionType::kLz4:
      return make_lz4_compressor(compression.level, out);
    case CompressionType::kZstd:
      return make_zstd_compressor(compression.level, out);
  }
  DOHLE_CHECK(!"a compression type");
}

}  // namespace dohle::records

// snappy as snappy-java frames it: a header of 16 bytes, then blocks, each after its compressed length. A stream that
// does not begin with that header is one raw block.
#include <array>
#include <cstring>

#include <fmt/core.h>
#include <snappy-c.h>

#include <base/check.h>

#include "codec_engine.h"

namespace dohle::records {

namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr std::size_t kHeaderBytes = 16;  // magic, version, lowest compatible version
constexpr std::int32_t kVersion = 1;
constexpr std::size_t kBlockBytes = std::size_t{32} << 10U;
// A copy of 3 bytes yields at most 64: no block expands more than this.
constexpr std::size_t kMaxRatio = 64;
constexpr std::size_t kKeepBytes = std::size_t{4} << 20U;

class SnappyEngine final : public DecompressEngine {
 public:
  Result<> open(Bytes input, std::int8_t /*magic*/) override {
    input_ = input;
    raw_ = false;
    if (chunk_.capacity() > kKeepBytes) chunk_ = {};
    if (input.empty()) return fail(Errc::kUndecodable, "an empty snappy stream");
    if (input.size() < kHeaderBytes || std::memcmp(input.data(), kMagic.data(), kMagic.size()) != 0) {
      raw_ = true;
      return {};
    }
    if (load_be<std::int32_t>(input.data() + 8) < kVersion) {
      return fail(Errc::kUndecodable, "a snappy stream of an unknown version");
    }
    input_ = input.subspan(kHeaderBytes);
    return {};
  }

  Result<Bytes> next_chunk() override {
    for (;;) {
      if (raw_) {
        raw_ = false;
        return uncompress(std::exchange(input_, {}));
      }
      if (input_.size() < 4) return Bytes{};  // also where a length is cut short
      if (std::memcmp(input_.data(), kMagic.data(), 4) == 0) {
        // Streams may follow one another.
        if (input_.size() < kHeaderBytes) return fail(Errc::kUndecodable, "a snappy header is cut short");
        if (std::memcmp(input_.data(), kMagic.data(), kMagic.size()) != 0) return Bytes{};
        input_ = input_.subspan(kHeaderBytes);
        continue;
      }
      const auto length = load_be<std::int32_t>(input_.data());
      input_ = input_.subspan(4);
      if (length < 0 || static_cast<std::size_t>(length) > input_.size()) {
        return fail(Errc::kUndecodable,
                    fmt::format("a snappy block of {} bytes where {} are left", length, input_.size()));
      }
      const Bytes block = input_.first(static_cast<std::size_t>(length));
      input_ = input_.subspan(block.size());
      DOHLE_ASSIGN(const Bytes chunk, uncompress(block));
      if (!chunk.empty()) return chunk;
    }
  }

 private:
  Result<Bytes> uncompress(Bytes block) {
    const auto* data = reinterpret_cast<const char*>(block.data());
    std::size_t size = 0;
    if (::snappy_uncompressed_length(data, block.size(), &size) != SNAPPY_OK || size > block.size() * kMaxRatio) {
      return fail(Errc::kUndecodable, "a snappy block with an impossible length");
    }
    if (chunk_.size() < size) chunk_.resize(size);
    if (::snappy_uncompress(data, block.size(), reinterpret_cast<char*>(chunk_.data()), &size) != SNAPPY_OK) {
      return fail(Errc::kUndecodable, "a snappy block does not decompress");
    }
    return Bytes(chunk_).first(size);
  }

  Bytes input_;
  std::vector<std::uint8_t> chunk_;
  bool raw_ = false;
};

class SnappyCompressor final : public Compressor {
 public:
  explicit SnappyCompressor(std::vector<std::uint8_t>& out) : out_(out) {
    std::array<std::uint8_t, kHeaderBytes> header{};
    std::memcpy(header.data(), kMagic.data(), kMagic.size());
    store_be<std::int32_t>(header.data() + 8, kVersion);
    store_be<std::int32_t>(header.data() + 12, kVersion);
    out_.insert(out_.end(), header.begin(), header.end());
    block_.reserve(kBlockBytes);
  }

  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      const Bytes part = bytes.first(std::min(bytes.size(), kBlockBytes - block_.size()));
      block_.insert(block_.end(), part.begin(), part.end());
      bytes = bytes.subspan(part.size());
      if (block_.size() == kBlockBytes) flush();
    }
  }
  void finish() override { flush(); }

 private:
  void flush() {
    if (block_.empty()) return;
    std::size_t size = ::snappy_max_compressed_length(block_.size());
    const std::size_t at = out_.size();
    out_.resize(at + 4 + size);
    DOHLE_CHECK(::snappy_compress(reinterpret_cast<const char*>(block_.data()), block_.size(),
                                  reinterpret_cast<char*>(out_.data() + at + 4), &size) == SNAPPY_OK);
    store_be<std::int32_t>(out_.data() + at, static_cast<std::int32_t>(size));
    out_.resize(at + 4 + size);
    block_.clear();
  }

  std::vector<std::uint8_t>& out_;
  std::vector<std::uint8_t> block_;
};

}  // namespace

std::unique_ptr<DecompressEngine> make_snappy_decompressor() { return std::make_unique<SnappyEngine>(); }

std::unique_ptr<Compressor> make_snappy_compressor(std::vector<std::uint8_t>& out) {
  return std::make_unique<SnappyCompressor>(out);
}

}  // namespace dohle::records

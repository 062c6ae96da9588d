// lz4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md), as far as Kafka reads them: one frame of independent
// blocks, no dictionary; the content size and the content checksum are not looked at; what follows the frame is
// ignored.
#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/core.h>
#include <lz4.h>
#include <lz4hc.h>

#include <base/check.h>

#include "codec_engine.h"
#include "xxh32.h"

namespace dohle::records {

namespace {

constexpr std::uint32_t kFrameMagic = 0x184D2204;
constexpr std::uint32_t kUncompressedBlock = 0x80000000;

constexpr std::uint8_t kVersionMask = 0xC0;
constexpr std::uint8_t kVersion1 = 0x40;
constexpr std::uint8_t kIndependentBlocks = 0x20;
constexpr std::uint8_t kBlockChecksum = 0x10;
constexpr std::uint8_t kContentSize = 0x08;
constexpr std::uint8_t kContentChecksum = 0x04;
constexpr std::uint8_t kReservedOrDictionary = 0x03;

constexpr std::uint8_t kBlockSize64Kib = 0x40;
constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;

std::uint32_t load_le32(const std::uint8_t* at) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

void append_le32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint8_t header_checksum(Bytes descriptor) { return static_cast<std::uint8_t>(xxh32(descriptor) >> 8); }

std::unexpected<Error> cut_short() { return fail(Errc::kUndecodable, "the lz4 stream ends too early"); }

class Lz4Engine final : public DecompressEngine {
 public:
  Result<> open(Bytes input, std::int8_t magic) override {
    input_ = input;
    done_ = false;
    if (input.size() < 6) return cut_short();
    if (load_le32(input.data()) != kFrameMagic) return fail(Errc::kUndecodable, "no lz4 frame");
    flags_ = input[4];
    const std::uint8_t sizes = input[5];
    if ((flags_ & kVersionMask) != kVersion1 || (flags_ & kReservedOrDictionary) != 0 ||
        (flags_ & kIndependentBlocks) == 0) {
      return fail(Errc::kUndecodable, fmt::format("lz4 frame flags {:#04x} are not supported", flags_));
    }
    if ((sizes & 0x8f) != 0 || sizes < kBlockSize64Kib) return fail(Errc::kUndecodable, "a bad lz4 block size");
    max_block_bytes_ = std::size_t{1} << (2U * (sizes >> 4U) + 8U);
    const std::size_t descriptor_bytes = 2 + ((flags_ & kContentSize) != 0 ? 8 : 0);
    if (input.size() < 4 + descriptor_bytes + 1) return cut_short();
    // Producers of format v0 computed this checksum over the wrong bytes.
    if (magic > 0 && input[4 + descriptor_bytes] != header_checksum(input.subspan(4, descriptor_bytes))) {
      return fail(Errc::kUndecodable, "the lz4 frame header is corrupt");
    }
    input_ = input.subspan(4 + descriptor_bytes + 1);
    return {};
  }

  Result<Bytes> next_chunk() override {
    while (!done_) {
      DOHLE_ASSIGN(const std::uint32_t field, take_le32());
      const std::uint32_t size = field & ~kUncompressedBlock;
      if (size == 0) {
        done_ = true;
        if ((flags_ & kContentChecksum) != 0) DOHLE_TRY(take_le32());
        break;
      }
      if (size > max_block_bytes_) return fail(Errc::kUndecodable, fmt::format("an lz4 block of {} bytes", size));
      if (input_.size() < size) return cut_short();
      const Bytes block = input_.first(size);
      input_ = input_.subspan(size);
      if ((flags_ & kBlockChecksum) != 0) {
        DOHLE_ASSIGN(const std::uint32_t checksum, take_le32());
        if (checksum != xxh32(block)) return fail(Errc::kUndecodable, "an lz4 block is corrupt");
      }
      if ((field & kUncompressedBlock) != 0) return block;
      DOHLE_ASSIGN(const Bytes chunk, decompress(block));
      if (!chunk.empty()) return chunk;
    }
    return Bytes{};
  }

 private:
  Result<std::uint32_t> take_le32() {
    if (input_.size() < 4) return cut_short();
    const std::uint32_t value = load_le32(input_.data());
    input_ = input_.subspan(4);
    return value;
  }

  Result<Bytes> decompress(Bytes block) {
    // No lz4 block expands more than 255 times.
    const std::size_t capacity = std::min(max_block_bytes_, block.size() * 255);
    if (chunk_.size() < capacity) chunk_.resize(capacity);
    const int size =
        ::LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(chunk_.data()),
                              static_cast<int>(block.size()), static_cast<int>(capacity));
    if (size < 0) return fail(Errc::kUndecodable, "an lz4 block does not decompress");
    return Bytes(chunk_).first(static_cast<std::size_t>(size));
  }

  Bytes input_;
  std::uint8_t flags_ = 0;
  std::size_t max_block_bytes_ = 0;
  std::vector<std::uint8_t> chunk_;
  bool done_ = false;
};

class Lz4Compressor final : public Compressor {
 public:
  Lz4Compressor(int level, std::vector<std::uint8_t>& out) : level_(level), out_(out) {
    append_le32(out_, kFrameMagic);
    const std::uint8_t descriptor[] = {kVersion1 | kIndependentBlocks, kBlockSize64Kib};
    out_.insert(out_.end(), std::begin(descriptor), std::end(descriptor));
    out_.push_back(header_checksum(descriptor));
    block_.reserve(kBlockBytes);
  }

  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      if (block_.size() == kBlockBytes) flush();
      const Bytes part = bytes.first(std::min(bytes.size(), kBlockBytes - block_.size()));
      block_.insert(block_.end(), part.begin(), part.end());
      bytes = bytes.subspan(part.size());
    }
  }
  void finish() override {
    flush();
    append_le32(out_, 0);
  }

 private:
  // Kafka's default level, at which it takes the fast compressor; any other level means the thorough one.
  static constexpr int kFastLevel = 9;

  void flush() {
    if (block_.empty()) return;
    const int bound = ::LZ4_compressBound(static_cast<int>(block_.size()));
    const std::size_t at = out_.size();
    out_.resize(at + 4 + static_cast<std::size_t>(bound));
    auto* to = reinterpret_cast<char*>(out_.data() + at + 4);
    const auto* from = reinterpret_cast<const char*>(block_.data());
    const int length = static_cast<int>(block_.size());
    const int size = level_ == kFastLevel ? ::LZ4_compress_default(from, to, length, bound)
                                          : ::LZ4_compress_HC(from, to, length, bound, level_);
    DOHLE_CHECK(size > 0);
    std::uint32_t field = static_cast<std::uint32_t>(size);
    if (size >= length) {
      std::memcpy(to, from, block_.size());
      field = static_cast<std::uint32_t>(length) | kUncompressedBlock;
    }
    std::memcpy(out_.data() + at, &field, sizeof(field));
    out_.resize(at + 4 + static_cast<std::size_t>(std::min(size, length)));
    block_.clear();
  }

  int level_;
  std::vector<std::uint8_t>& out_;
  std::vector<std::uint8_t> block_;
};

}  // namespace

std::unique_ptr<DecompressEngine> make_lz4_decompressor() { return std::make_unique<Lz4Engine>(); }

std::unique_ptr<Compressor> make_lz4_compressor(std::optional<int> level, std::vector<std::uint8_t>& out) {
  constexpr int kDefaultLevel = 9;
  return std::make_unique<Lz4Compressor>(level.value_or(kDefaultLevel), out);
}

}  // namespace dohle::records

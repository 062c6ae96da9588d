// gzip by zlib. Like Java's reader: members may follow one another, and what follows the last one is ignored.
#include <algorithm>
#include <limits>

#include <zlib.h>

#include <base/check.h>

#include "codec_engine.h"

namespace dohle::records {

namespace {

constexpr int kGzipWindowBits = 15 + 16;  // the largest window, gzip header and trailer

// zlib counts in unsigned int.
constexpr std::size_t kMaxStep = std::size_t{1} << 30U;

class GzipEngine final : public DecompressEngine {
 public:
  GzipEngine() : chunk_(kChunkBytes) { DOHLE_CHECK(::inflateInit2(&stream_, kGzipWindowBits) == Z_OK); }
  GzipEngine(const GzipEngine&) = delete;
  GzipEngine& operator=(const GzipEngine&) = delete;
  ~GzipEngine() override { ::inflateEnd(&stream_); }

  Result<> open(Bytes input, std::int8_t /*magic*/) override {
    input_ = input;
    first_member_ = true;
    done_ = false;
    DOHLE_CHECK(::inflateReset(&stream_) == Z_OK);
    if (!is_member(input_)) return fail(Errc::kUndecodable, "no gzip stream");
    return {};
  }

  Result<Bytes> next_chunk() override {
    std::size_t filled = 0;
    while (!done_ && filled == 0) {
      const std::size_t step = std::min(input_.size(), kMaxStep);
      stream_.next_in = const_cast<Bytef*>(input_.data());
      stream_.avail_in = static_cast<uInt>(step);
      stream_.next_out = chunk_.data();
      stream_.avail_out = static_cast<uInt>(chunk_.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      input_ = input_.subspan(step - stream_.avail_in);
      filled = chunk_.size() - stream_.avail_out;
      if (status == Z_STREAM_END) {
        end_member();
      } else if (status != Z_OK) {
        if (!first_member_ && filled == 0 && stream_.total_out == 0) {
          done_ = true;  // what follows the last member need not be one
        } else {
          return fail(Errc::kUndecodable, stream_.msg != nullptr ? stream_.msg : "the gzip stream ends too early");
        }
      }
    }
    return Bytes(chunk_).first(filled);
  }

 private:
  static bool is_member(Bytes bytes) {
    return bytes.size() >= 10 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == Z_DEFLATED;
  }
  void end_member() {
    done_ = !is_member(input_);
    first_member_ = false;
    if (!done_) DOHLE_CHECK(::inflateReset(&stream_) == Z_OK);
  }

  z_stream stream_{};
  std::vector<std::uint8_t> chunk_;
  Bytes input_;
  bool first_member_ = true;
  bool done_ = false;
};

class GzipCompressor final : public Compressor {
 public:
  GzipCompressor(int level, std::vector<std::uint8_t>& out) : out_(out), chunk_(kChunkBytes) {
    constexpr int kDefaultMemory = 8;
    DOHLE_CHECK(::deflateInit2(&stream_, level, Z_DEFLATED, kGzipWindowBits, kDefaultMemory, Z_DEFAULT_STRATEGY) ==
                Z_OK);
  }
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;
  ~GzipCompressor() override { ::deflateEnd(&stream_); }

  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      const Bytes part = bytes.first(std::min(bytes.size(), kMaxStep));
      run(part, Z_NO_FLUSH);
      bytes = bytes.subspan(part.size());
    }
  }
  void finish() override { run({}, Z_FINISH); }

 private:
  void run(Bytes bytes, int flush) {
    stream_.next_in = const_cast<Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = chunk_.data();
      stream_.avail_out = static_cast<uInt>(chunk_.size());
      DOHLE_CHECK(::deflate(&stream_, flush) != Z_STREAM_ERROR);
      out_.insert(out_.end(), chunk_.data(), stream_.next_out);
    } while (stream_.avail_out == 0);
  }

  std::vector<std::uint8_t>& out_;
  z_stream stream_{};
  std::vector<std::uint8_t> chunk_;
};

}  // namespace

std::unique_ptr<DecompressEngine> make_gzip_decompressor() { return std::make_unique<GzipEngine>(); }

std::unique_ptr<Compressor> make_gzip_compressor(std::optional<int> level, std::vector<std::uint8_t>& out) {
  return std::make_unique<GzipCompressor>(level.value_or(Z_DEFAULT_COMPRESSION), out);
}

}  // namespace dohle::records

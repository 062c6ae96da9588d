// zstd by libzstd. Frames may follow one another. The window is bounded by the library's own default, 128 MiB, as in
// Kafka; a context that grew for a large window is given back afterwards.
#include <utility>

#include <base/check.h>
#include <zstd.h>

#include "codec_engine.h"

namespace dohle::records {

namespace {

constexpr int kMaxWindowLog = 27;
constexpr std::size_t kKeepContextBytes = std::size_t{4} << 20U;

class ZstdEngine final : public DecompressEngine {
 public:
  ZstdEngine() : chunk_(kChunkBytes) {}
  ZstdEngine(const ZstdEngine&) = delete;
  ZstdEngine& operator=(const ZstdEngine&) = delete;
  ~ZstdEngine() override { ::ZSTD_freeDCtx(context_); }

  Result<> open(Bytes input, std::int8_t /*magic*/) override {
    if (context_ == nullptr) {
      context_ = ::ZSTD_createDCtx();
      DOHLE_CHECK(context_ != nullptr);
    }
    ::ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    DOHLE_CHECK(::ZSTD_isError(::ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMaxWindowLog)) == 0U);
    input_ = {input.data(), input.size(), 0};
    between_frames_ = true;
    more_to_flush_ = false;
    return {};
  }

  Result<Bytes> next_chunk() override {
    for (;;) {
      if (input_.pos == input_.size && !more_to_flush_) {
        if (!between_frames_) return stop("the zstd stream ends too early");
        shrink();
        return Bytes{};
      }
      ZSTD_outBuffer out{chunk_.data(), chunk_.size(), 0};
      const std::size_t before = input_.pos;
      const std::size_t status = ::ZSTD_decompressStream(context_, &out, &input_);
      if (::ZSTD_isError(status) != 0U) return stop(::ZSTD_getErrorName(status));
      between_frames_ = status == 0;
      more_to_flush_ = !between_frames_ && out.pos == out.size;
      if (out.pos > 0) return Bytes(chunk_).first(out.pos);
      if (input_.pos == before && !between_frames_) return stop("the zstd stream ends too early");
    }
  }

 private:
  std::unexpected<Error> stop(const char* why) {
    shrink();
    return fail(Errc::kUndecodable, why);
  }
  void shrink() {
    if (context_ == nullptr || ::ZSTD_sizeof_DCtx(context_) <= kKeepContextBytes) return;
    ::ZSTD_freeDCtx(context_);
    context_ = nullptr;
    input_ = {nullptr, 0, 0};
    more_to_flush_ = false;
    between_frames_ = true;
  }

  ZSTD_DCtx* context_ = nullptr;
  std::vector<std::uint8_t> chunk_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool between_frames_ = true;
  bool more_to_flush_ = false;
};

// What fits into kGatherBytes is compressed at once: its size being known, zstd then takes small tables instead of
// those for megabytes, which is what a batch of 16 KiB would mostly pay for.
class ZstdCompressor final : public Compressor {
 public:
  ZstdCompressor(int level, std::vector<std::uint8_t>& out) : out_(out), context_(::ZSTD_createCCtx()) {
    DOHLE_CHECK(context_ != nullptr);
    DOHLE_CHECK(::ZSTD_isError(::ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level)) == 0U);
  }
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;
  ~ZstdCompressor() override { ::ZSTD_freeCCtx(context_); }

  void write(Bytes bytes) override {
    if (!streaming_ && gathered_.size() + bytes.size() <= kGatherBytes) {
      gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
      return;
    }
    if (!std::exchange(streaming_, true)) {
      chunk_.resize(::ZSTD_CStreamOutSize());
      run(gathered_, ZSTD_e_continue);
      gathered_ = {};
    }
    run(bytes, ZSTD_e_continue);
  }

  void finish() override {
    if (streaming_) return run({}, ZSTD_e_end);
    const std::size_t at = out_.size();
    out_.resize(at + ::ZSTD_compressBound(gathered_.size()));
    const std::size_t size =
        ::ZSTD_compress2(context_, out_.data() + at, out_.size() - at, gathered_.data(), gathered_.size());
    DOHLE_CHECK(::ZSTD_isError(size) == 0U);
    out_.resize(at + size);
  }

 private:
  static constexpr std::size_t kGatherBytes = std::size_t{256} << 10U;

  void run(Bytes bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{chunk_.data(), chunk_.size(), 0};
      const std::size_t left = ::ZSTD_compressStream2(context_, &out, &in, directive);
      DOHLE_CHECK(::ZSTD_isError(left) == 0U);
      out_.insert(out_.end(), chunk_.data(), chunk_.data() + out.pos);
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  }

  std::vector<std::uint8_t>& out_;
  ZSTD_CCtx* context_;
  std::vector<std::uint8_t> gathered_;
  std::vector<std::uint8_t> chunk_;
  bool streaming_ = false;
};

}  // namespace

std::unique_ptr<DecompressEngine> make_zstd_decompressor() { return std::make_unique<ZstdEngine>(); }

std::unique_ptr<Compressor> make_zstd_compressor(std::optional<int> level, std::vector<std::uint8_t>& out) {
  return std::make_unique<ZstdCompressor>(level.value_or(ZSTD_CLEVEL_DEFAULT), out);
}

}  // namespace dohle::records

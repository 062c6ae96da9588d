#include "frame_splitter.h"

#include <algorithm>
#include <cstring>

#include <base/buffer.h>
#include <base/check.h>
#include <fmt/format.h>

namespace dohle::transport {

Result<FrameSplitter::Step> FrameSplitter::step(Bytes& bytes) {
  if (state_ == State::kPrefix) {
    const std::size_t count = std::min(bytes.size(), prefix_.size() - got_);
    std::copy_n(bytes.begin(), count, prefix_.begin() + static_cast<std::ptrdiff_t>(got_));
    bytes = bytes.subspan(count);
    got_ += count;
    if (got_ < prefix_.size()) return Step::kNeedBytes;
    const auto size = load_be<std::int32_t>(prefix_.data());
    if (size < 0) return fail(Errc::kMalformed, fmt::format("a frame of negative length {}", size));
    if (static_cast<std::uint32_t>(size) > max_frame_bytes_) {
      return fail(Errc::kMalformed,
                  fmt::format("a frame of {} bytes, of which at most {} are allowed", size, max_frame_bytes_));
    }
    size_ = static_cast<std::uint32_t>(size);
    state_ = State::kSize;
  }
  if (state_ == State::kSize) return Step::kSize;
  const MutableBytes into = missing();
  const std::size_t count = std::min(bytes.size(), into.size());
  if (count > 0) std::memcpy(into.data(), bytes.data(), count);
  BufferHome::count_copy(count);
  bytes = bytes.subspan(count);
  got_ += count;
  return got_ == size_ ? Step::kFrame : Step::kNeedBytes;
}

void FrameSplitter::begin_body() {
  DOHLE_CHECK(state_ == State::kSize);
  state_ = State::kBody;
  got_ = 0;
  body_ = Slice::allocate(size_).first;
}

Slice FrameSplitter::take_frame() {
  DOHLE_CHECK(state_ == State::kBody && got_ == size_);
  state_ = State::kPrefix;
  got_ = 0;
  return std::exchange(body_, Slice());
}

}  // namespace dohle::transport

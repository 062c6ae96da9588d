#include "frame_input.h"

#include <algorithm>

namespace dohle::transport {
namespace {
// Enough for the length and the first look at a frame whose body is to be read in place.
constexpr std::size_t kPeekBytes = 64;
}  // namespace

Result<std::size_t> FrameInput::pull() {
  kept_ = Slice();
  if (splitter_.in_body() && splitter_.size() > scratch_->size()) {
    DOHLE_ASSIGN(const std::size_t got, connection_->read_now(splitter_.missing()));
    splitter_.filled(got);
    return got;
  }
  const std::size_t most = large_ && !splitter_.in_body() ? kPeekBytes : scratch_->size();
  DOHLE_ASSIGN(const std::size_t got, connection_->read_now(MutableBytes(*scratch_).first(most)));
  pending_ = Bytes(*scratch_).first(got);
  return got;
}

void FrameInput::keep_pending() {
  if (pending_.empty() || kept_.size() > 0) return;
  kept_ = Slice::copy_of(pending_);
  pending_ = kept_.bytes();
}

Slice FrameInput::take_frame() {
  Slice frame = splitter_.take_frame();
  large_ = frame.size() > scratch_->size();
  return frame;
}

}  // namespace dohle::transport

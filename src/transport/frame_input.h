// FrameInput: the frames of a connection. Small ones are read through a scratch buffer that all connections of a shard
// share, and get a buffer of their own size; the body of a large one is read straight into its buffer.
#pragma once

#include <memory>
#include <vector>

#include <base/buffer.h>
#include <base/result.h>
#include <runtime/network.h>

#include "frame_splitter.h"

namespace dohle::transport {

using ReadScratch = std::vector<std::uint8_t>;
inline constexpr std::size_t kScratchBytes = 16U << 10U;

class FrameInput {
 public:
  using Step = FrameSplitter::Step;

  FrameInput(runtime::Connection& connection, ReadScratch& scratch, std::uint32_t max_frame_bytes)
      : connection_(&connection), scratch_(&scratch), splitter_(max_frame_bytes) {}

  // Goes on with what was received; see FrameSplitter.
  [[nodiscard]] Result<Step> step() { return splitter_.step(pending_); }
  [[nodiscard]] FrameSplitter& splitter() { return splitter_; }
  // After kNeedBytes: reads what is there, without waiting: 0 when nothing is.
  [[nodiscard]] Result<std::size_t> pull();
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  // Before the coroutine suspends in any way: keeps what is left in the scratch buffer.
  void keep_pending();
  [[nodiscard]] Slice take_frame();

 private:
  runtime::Connection* connection_;
  ReadScratch* scratch_;
  FrameSplitter splitter_;
  Bytes pending_;  // received and not consumed: in the scratch buffer, or in kept_
  Slice kept_;
  bool large_ = false;  // the last frame was: read little ahead of the next one
};

}  // namespace dohle::transport

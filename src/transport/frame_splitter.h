// FrameSplitter: finds Kafka's frames (4 bytes of length, then so many bytes) in a stream. No I/O.
//
//   step(bytes) -> kNeedBytes   nothing left in `bytes`
//               -> kSize        the length of the next frame is known; begin_body() when it may have memory
//               -> kFrame       take_frame()
#pragma once

#include <array>
#include <cstdint>

#include <base/buffer.h>
#include <base/result.h>

namespace dohle::transport {

class FrameSplitter {
 public:
  enum class Step : std::uint8_t { kNeedBytes, kSize, kFrame };

  explicit FrameSplitter(std::uint32_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

  // Consumes from the front of `bytes`. kMalformed for a negative length, or one above the limit.
  [[nodiscard]] Result<Step> step(Bytes& bytes);
  // After kSize: the frame's length.
  [[nodiscard]] std::uint32_t size() const { return size_; }
  // After kSize: allocates the frame.
  void begin_body();
  // Inside a body: where its missing bytes go, for reading straight into it; tell with filled().
  [[nodiscard]] MutableBytes missing() { return body_.mutable_bytes().subspan(got_); }
  [[nodiscard]] std::size_t body_bytes() const { return in_body() ? got_ : 0; }
  void filled(std::size_t bytes) { got_ += bytes; }
  [[nodiscard]] bool in_body() const { return state_ == State::kBody; }
  // Whether a frame has begun that is not whole.
  [[nodiscard]] bool in_frame() const { return state_ != State::kPrefix || got_ > 0; }
  // After kFrame: the frame without its length; the next one may begin.
  [[nodiscard]] Slice take_frame();
  void set_max_frame_bytes(std::uint32_t bytes) { max_frame_bytes_ = bytes; }

 private:
  enum class State : std::uint8_t { kPrefix, kSize, kBody };
  std::uint32_t max_frame_bytes_;
  State state_ = State::kPrefix;
  std::size_t got_ = 0;  // of the prefix, or of the body
  std::array<std::uint8_t, 4> prefix_{};
  std::uint32_t size_ = 0;
  Slice body_;
};

}  // namespace dohle::transport

// FramePool: memory for the frames of coroutines. A small request is a dozen of them, of the same sizes as the last
// request's: each thread keeps what was freed on it, up to a bound, and gives it out again.
#pragma once

#include <cstddef>

namespace dohle::runtime {

class FramePool {
 public:
  [[nodiscard]] static void* allocate(std::size_t bytes);
  static void release(void* frame, std::size_t bytes) noexcept;

  // What a thread keeps at most.
  static constexpr std::size_t kLargestFrame = 4096;
  static constexpr std::size_t kKeptOfASize = 64;
};

}  // namespace dohle::runtime

#include <runtime/frame_pool.h>

#include <algorithm>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <runtime/task.h>

namespace dohle::runtime {
namespace {

struct Frame {
  explicit Frame(std::size_t size) : bytes(size), memory(FramePool::allocate(size)) {
    std::fill_n(static_cast<unsigned char*>(memory), bytes, static_cast<unsigned char>(bytes));
  }
  void release() const { FramePool::release(memory, bytes); }
  std::size_t bytes;
  void* memory;
};

TEST(FramePool, FramesOfAllSizesAreApart) {
  std::vector<Frame> frames;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t bytes = 1; bytes < 2 * FramePool::kLargestFrame; bytes += 37) frames.emplace_back(bytes);
    for (const Frame& frame : frames) {
      for (std::size_t i = 0; i < frame.bytes; ++i) {
        ASSERT_EQ(static_cast<unsigned char*>(frame.memory)[i], static_cast<unsigned char>(frame.bytes));
      }
      frame.release();
    }
    frames.clear();
  }
}

TEST(FramePool, AThreadMayFreeWhatAnotherAllocated) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < 4 * FramePool::kKeptOfASize; ++i) frames.emplace_back(200);
  std::thread([&] {
    for (const Frame& frame : frames) frame.release();
    const Frame again(200);
    again.release();
  }).join();
}

Task<int> one_more(int n) { co_return n + 1; }

Task<void> count_to(int most, int* sum) {
  for (*sum = 0; *sum < most;) *sum = co_await one_more(*sum);
}

TEST(FramePool, CoroutinesRunInIt) {
  int sum = 0;
  spawn(count_to(1000, &sum));
  EXPECT_EQ(sum, 1000);
}

}  // namespace
}  // namespace dohle::runtime

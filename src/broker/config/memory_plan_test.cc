#include <broker/config/memory_plan.h>

#include <gtest/gtest.h>

namespace dohle::broker::config {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

TEST(MemoryPlan, DividesWhatThereIs) {
  const auto small = plan_memory(160 * kMiB, 1);
  EXPECT_EQ(small.request_bytes, 32 * kMiB);
  EXPECT_EQ(small.tail_cache_bytes, 20 * kMiB);
  EXPECT_EQ(small.buffer_bytes, 100 * kMiB);
  const auto shared = plan_memory(160 * kMiB, 4);
  EXPECT_EQ(shared.request_bytes * 4, small.request_bytes);
  EXPECT_EQ(shared.tail_cache_bytes * 4, small.tail_cache_bytes);
  EXPECT_EQ(shared.buffer_bytes, small.buffer_bytes);
}

TEST(MemoryPlan, HasBounds) {
  const auto large = plan_memory(512ULL << 30U, 4);
  EXPECT_EQ(large.request_bytes, 256 * kMiB);
  EXPECT_EQ(large.tail_cache_bytes, 32 * kMiB);
  EXPECT_GE(plan_memory(0, 4).request_bytes, kMiB);
  EXPECT_GE(plan_memory(1, 0).tail_cache_bytes, kMiB);
}

// If frames and the tail cache alone could fill the buffers, a full node would wait for itself.
TEST(MemoryPlan, APartOfTheBuffersIsLeftForAnswers) {
  for (const std::uint64_t total : {16 * kMiB, 64 * kMiB, 256 * kMiB, 1024 * kMiB, 64 * 1024 * kMiB}) {
    for (const std::size_t shards : {1, 2, 4}) {
      const auto plan = plan_memory(total, shards);
      const auto frames = plan.request_bytes + plan.privileged_bytes + plan.unauthenticated_bytes;
      EXPECT_LT(shards * (frames + frames / 4 + plan.tail_cache_bytes), plan.buffer_bytes)
          << total << " " << shards;
    }
  }
}

}  // namespace
}  // namespace dohle::broker::config

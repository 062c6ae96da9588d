#include <broker/config/memory_plan.h>

#include <gtest/gtest.h>

namespace dohle::broker::config {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

TEST(MemoryPlan, DividesWhatThereIs) {
  const auto small = plan_memory(256 * kMiB, 1);
  EXPECT_EQ(small.request_bytes, 64 * kMiB);
  EXPECT_EQ(small.tail_cache_bytes, 32 * kMiB);
  const auto shared = plan_memory(256 * kMiB, 4);
  EXPECT_EQ(shared.request_bytes * 4, small.request_bytes);
  EXPECT_EQ(shared.tail_cache_bytes * 4, small.tail_cache_bytes);
}

TEST(MemoryPlan, HasBounds) {
  const auto large = plan_memory(512ULL << 30U, 4);
  EXPECT_EQ(large.request_bytes, 256 * kMiB);
  EXPECT_EQ(large.tail_cache_bytes, 32 * kMiB);
  EXPECT_GE(plan_memory(0, 4).request_bytes, kMiB);
  EXPECT_GE(plan_memory(1, 0).tail_cache_bytes, kMiB);
}

}  // namespace
}  // namespace dohle::broker::config

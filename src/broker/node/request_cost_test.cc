// What requests cost in allocations, so that it cannot creep back. The benchmark prints the same numbers.
#include <gtest/gtest.h>

#include "allocations.h"
#include "live_requests.h"

namespace dohle::broker {
namespace {

using Kind = LiveRequest::Kind;

struct Case {
  const char* name;
  LiveRequest request;
  double most;  // allocations on the shard's thread
};

TEST(RequestCost, SmallRequestsAllocateLittle) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "coroutines take more from the heap without optimisation";
#endif
  if (!kCountsAllocations) GTEST_SKIP() << "a sanitizer counts otherwise";
  const std::vector<Case> cases{
      {"produce, acks=1", {.kind = Kind::kProduce, .acks = 1}, 11},
      {"produce, acks=all", {.kind = Kind::kProduce, .acks = -1}, 11},
      {"produce to 16 partitions", {.kind = Kind::kProduce, .acks = 1, .partitions = 16, .count = 50}, 60},
      {"fetch", {.kind = Kind::kFetchTail}, 21},
      {"fetch that waits", {.kind = Kind::kFetchWait, .count = 20}, 26},
      {"fetch that waits at 16 partitions", {.kind = Kind::kFetchWait, .partitions = 16, .count = 20}, 56},
  };
  std::vector<LiveRequest> requests;
  for (const auto& each : cases) requests.push_back(each.request);
  const auto costs = cost_of(requests);
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_LE(costs[i].allocations, cases[i].most) << cases[i].name;
}

}  // namespace
}  // namespace dohle::broker

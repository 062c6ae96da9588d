#include "timer_heap.h"

#include <gtest/gtest.h>

#include <map>

#include <runtime/memory/seeded_random.h>

namespace dohle::runtime {
namespace {

MonotonicTime at(std::int64_t ns) { return {Duration(ns)}; }

TEST(TimerHeap, AgreesWithASortedMap) {
  SeededRandom random(7);
  TimerHeap heap;
  std::map<std::pair<std::int64_t, int>, TimerId> model;  // deadline and order of adding
  std::vector<TimerId> dead;
  int fired = -1;
  std::int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto choice = random.below(10);
    if (choice < 5) {
      const auto deadline = now + static_cast<std::int64_t>(random.below(1000));
      model.emplace(std::pair(deadline, i), heap.add(at(deadline), [&fired, i] { fired = i; }));
    } else if (choice < 7 && !model.empty()) {
      auto victim = std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size())));
      EXPECT_TRUE(heap.cancel(victim->second));
      dead.push_back(victim->second);
      model.erase(victim);
    } else if (choice == 7 && !dead.empty()) {
      EXPECT_FALSE(heap.cancel(dead[random.below(dead.size())]));
    } else {
      now += static_cast<std::int64_t>(random.below(50));
      while (auto work = heap.pop_due(at(now))) {
        (*work)();
        ASSERT_FALSE(model.empty());
        EXPECT_EQ(fired, model.begin()->first.second);
        dead.push_back(model.begin()->second);
        model.erase(model.begin());
      }
      ASSERT_TRUE(model.empty() || model.begin()->first.first > now);
    }
    ASSERT_EQ(heap.size(), model.size());
    if (!model.empty()) ASSERT_EQ(heap.next()->since_start.count(), model.begin()->first.first);
  }
}

}  // namespace
}  // namespace dohle::runtime

#include "partition_names.h"

#include <gtest/gtest.h>

#include <optional>

#include <runtime/memory/memory_shards.h>
#include <runtime/sync.h>

namespace dohle::storage {
namespace {

using Taken = PartitionNames::Taken;

class PartitionNamesTest : public ::testing::Test {
 protected:
  // What a shard hears that is at `known_at` in the metadata and asks for t-0; nothing while it waits.
  std::shared_ptr<std::optional<Taken>> ask(std::size_t shard, std::int64_t known_at) {
    auto out = std::make_shared<std::optional<Taken>>();
    const auto scope = shards_.enter(shard);
    runtime::spawn(
        [](PartitionNames& names, Offset at, std::shared_ptr<std::optional<Taken>> to) -> runtime::Task<void> {
          *to = co_await names.take({"t", 0}, at);
        }(names_, Offset(known_at), out));
    shards_.run_until_idle();
    return out;
  }
  void give_back(std::size_t shard) {
    {
      const auto scope = shards_.enter(shard);
      names_.give_back({"t", 0});
    }
    shards_.run_until_idle();
  }
  runtime::MemoryShards shards_{4, 1};
  PartitionNames names_{shards_.at(0)};
};

TEST_F(PartitionNamesTest, ANewerTopicWaitsForTheOlderOne) {
  EXPECT_EQ(*ask(0, 1), Taken::kYes);
  const auto second = ask(1, 3);
  EXPECT_FALSE(*second);
  give_back(0);
  EXPECT_EQ(*second, Taken::kYes);
}

// A shard that lags comes for a topic that is gone already. If it waited for the newer one, whose shard may wait for
// another partition of the older one, both would wait for ever.
TEST_F(PartitionNamesTest, AnOlderTopicNeverWaitsForANewerOne) {
  EXPECT_EQ(*ask(2, 5), Taken::kYes);
  EXPECT_EQ(*ask(1, 3), Taken::kSuperseded);
}

TEST_F(PartitionNamesTest, TheNewestOfThoseWhoWaitGetsTheName) {
  EXPECT_EQ(*ask(0, 1), Taken::kYes);
  const auto newest = ask(2, 5);
  const auto lagging = ask(1, 3);
  EXPECT_EQ(*lagging, Taken::kSuperseded);
  const auto newer = ask(3, 7);
  EXPECT_EQ(*newest, Taken::kSuperseded);
  EXPECT_FALSE(*newer);
  give_back(0);
  EXPECT_EQ(*newer, Taken::kYes);
}

TEST_F(PartitionNamesTest, AStopLetsThemGo) {
  EXPECT_EQ(*ask(0, 1), Taken::kYes);
  const auto waits = ask(1, 3);
  {
    const auto scope = shards_.enter(0);
    names_.close();
  }
  shards_.run_until_idle();
  EXPECT_EQ(*waits, Taken::kClosed);
}

}  // namespace
}  // namespace dohle::storage

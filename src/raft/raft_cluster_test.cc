// Several RaftNodes over real logs: what one voter does today must carry a quorum later.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "raft_world.h"

namespace dohle::raft {
namespace {

class RaftClusterTest : public ::testing::Test {
 protected:
  void start_all() {
    for (auto& node : world_.nodes()) {
      if (!node->raft) ASSERT_TRUE(world_.start(*node));
    }
  }
  // Every running node has handed these records to its listener, whether by log or by snapshot.
  void expect_everywhere(std::int64_t offset, const std::string& text) {
    world_.shards().advance(std::chrono::seconds(3));
    for (auto& node : world_.nodes()) {
      if (node->raft) EXPECT_EQ(node->listener->records[offset], text) << "node " << node->id;
    }
  }

  RaftWorld world_;
};

TEST_F(RaftClusterTest, AnObserverFollowsOneVoter) {
  world_.format(1, 1);
  start_all();
  RaftWorld::Node& leader = world_.await_leader();
  const auto last = world_.append(leader, {"hello"});
  ASSERT_TRUE(last);
  expect_everywhere(last->value(), "hello");
  RaftWorld::Node& observer = world_.node(2);
  EXPECT_EQ(observer.raft->leader_and_epoch(), (LeaderAndEpoch{1, LeaderEpoch(1)}));
  EXPECT_EQ(observer.listener->leaders.back(), (LeaderAndEpoch{1, LeaderEpoch(1)}));
  EXPECT_EQ(observer.raft->voters(), leader.raft->voters());
  EXPECT_TRUE(observer.listener->snapshots.empty());  // the bootstrap snapshot is not replicated
}

TEST_F(RaftClusterTest, AnObserverThatComesLateLoadsTheSnapshot) {
  world_.config.retention_bytes = 1;
  world_.format(1, 1);
  ASSERT_TRUE(world_.start(world_.node(1)));
  RaftWorld::Node& leader = world_.await_leader();
  const auto last = world_.append(leader, {"old"});
  world_.shards().run_until_idle();
  world_.run([&]() -> runtime::Task<void> {
    auto writer = leader.raft->create_snapshot({last->next(), LeaderEpoch(1)}, 1);
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE((*writer)->append(std::vector<std::vector<std::uint8_t>>{as_record("state" + std::to_string(i))}));
    }
    EXPECT_TRUE(co_await leader.raft->finish_snapshot(std::move(*writer)));
  });
  ASSERT_TRUE(world_.start(world_.node(2)));
  const auto next = world_.append(leader, {"new"});
  expect_everywhere(next->value(), "new");
  RaftWorld::Node& observer = world_.node(2);
  EXPECT_EQ(observer.listener->loaded.size(), 100U);
  EXPECT_EQ(observer.raft->log_start(), last->next());
  EXPECT_EQ(observer.raft->voters(), leader.raft->voters());
  // And it finds its way again after a restart.
  world_.stop(observer);
  ASSERT_TRUE(world_.start(observer));
  const auto third = world_.append(leader, {"third"});
  expect_everywhere(third->value(), "third");
  EXPECT_EQ(observer.listener->loaded.size(), 100U);
}

TEST_F(RaftClusterTest, ThreeVotersSurviveTheirLeader) {
  world_.format(3);
  start_all();
  RaftWorld::Node& first = world_.await_leader();
  const auto one = world_.append(first, {"one"});
  ASSERT_TRUE(one);
  expect_everywhere(one->value(), "one");
  world_.crash(first, runtime::CrashLoss::kNothing);
  RaftWorld::Node& second = world_.await_leader();
  ASSERT_NE(&second, &first);
  const auto two = world_.append(second, {"two"});
  ASSERT_TRUE(two);
  start_all();
  expect_everywhere(one->value(), "one");
  expect_everywhere(two->value(), "two");
}

TEST_F(RaftClusterTest, ALeaderWithoutMajorityCommitsNothingAndIsCorrected) {
  world_.format(3);
  start_all();
  RaftWorld::Node& old = world_.await_leader();
  ASSERT_TRUE(world_.append(old, {"before"}));
  world_.shards().advance(std::chrono::seconds(1));
  world_.isolate(old.id);
  Offset lost{0};
  {
    const auto scope = world_.shards().enter(0);
    lost = old.raft->append(old.raft->leader_and_epoch().epoch, {as_record("never")}).value();
  }
  world_.shards().advance(std::chrono::seconds(10));
  EXPECT_FALSE(old.raft->is_leader());
  RaftWorld::Node& fresh = world_.await_leader();
  ASSERT_NE(&fresh, &old);
  const auto kept = world_.append(fresh, {"kept", "kept too"});
  ASSERT_TRUE(kept);
  world_.heal();
  world_.shards().advance(std::chrono::seconds(10));
  expect_everywhere(kept->value(), "kept too");
  for (auto& node : world_.nodes()) {
    for (const auto& [offset, text] : node->listener->records) EXPECT_NE(text, "never") << "offset " << offset;
  }
  EXPECT_GE(kept->value(), lost.value());
}

TEST_F(RaftClusterTest, AVoterWithALongOldLogIsCutBack) {
  world_.format(3);
  start_all();
  RaftWorld::Node& old = world_.await_leader();
  ASSERT_TRUE(world_.append(old, {"before"}));
  world_.shards().advance(std::chrono::seconds(1));
  world_.isolate(old.id);
  for (int i = 0; i < 20; ++i) {
    const auto scope = world_.shards().enter(0);
    ASSERT_TRUE(old.raft->append(old.raft->leader_and_epoch().epoch, {as_record("tail")}));
    world_.shards().advance(std::chrono::milliseconds(5));
  }
  const Offset tail = old.raft->log_end();
  world_.shards().advance(std::chrono::seconds(10));
  RaftWorld::Node& fresh = world_.await_leader();
  world_.heal();
  world_.shards().advance(std::chrono::seconds(10));
  EXPECT_LT(old.raft->log_end(), tail);
  const auto after = world_.append(fresh, {"after"});
  ASSERT_TRUE(after);
  expect_everywhere(after->value(), "after");
}

using Acknowledged = std::map<std::int64_t, std::string>;

runtime::Task<void> append_one(RaftNode* raft, std::string text, Acknowledged* acknowledged) {
  const LeaderEpoch epoch = raft->leader_and_epoch().epoch;
  const auto last = raft->append(epoch, {as_record(text)});
  if (!last) co_return;
  if (co_await raft->wait_committed(epoch, *last)) acknowledged->emplace(last->value(), text);
}

class RaftChaosTest : public ::testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RaftChaosTest, ::testing::Range(std::uint64_t{1}, std::uint64_t{7}));

// Partitions, crashes and restarts at random: whatever was acknowledged is on every node in the end, and all agree.
TEST_P(RaftChaosTest, NothingAcknowledgedIsLost) {
  RaftWorld world(1, GetParam());
  runtime::SeededRandom random(GetParam());
  world.format(3);
  for (auto& node : world.nodes()) ASSERT_TRUE(world.start(*node));
  Acknowledged acknowledged;
  for (int round = 0; round < 25; ++round) {
    for (auto& node : world.nodes()) {
      if (!node->raft || !node->raft->is_leader()) continue;
      const auto scope = world.shards().enter(0);
      for (int i = 0; i < 3; ++i) {
        runtime::spawn(append_one(node->raft.get(), std::to_string(round) + "." + std::to_string(i), &acknowledged));
      }
    }
    world.shards().advance(std::chrono::milliseconds(random.below(2500)));
    auto& victim = *world.nodes()[random.below(3)];
    switch (random.below(5)) {
      case 0:
        if (victim.raft) world.crash(victim, runtime::CrashLoss::kNothing);
        break;
      case 1:
        world.isolate(victim.id);
        break;
      case 2:
        world.heal();
        break;
      default:
        break;
    }
    for (auto& node : world.nodes()) {
      if (!node->raft && random.below(3) == 0) ASSERT_TRUE(world.start(*node));
    }
  }
  world.heal();
  for (auto& node : world.nodes()) {
    if (!node->raft) ASSERT_TRUE(world.start(*node));
  }
  world.shards().advance(std::chrono::seconds(10));
  ASSERT_TRUE(world.append(world.await_leader(), {"last"}));
  world.shards().advance(std::chrono::seconds(3));
  EXPECT_GT(acknowledged.size(), 5U);
  for (auto& node : world.nodes()) {
    for (const auto& [offset, text] : acknowledged) {
      EXPECT_EQ(node->listener->records[offset], text) << "node " << node->id << " offset " << offset;
    }
    EXPECT_EQ(node->listener->records, world.node(1).listener->records) << "node " << node->id;
  }
}

}  // namespace
}  // namespace dohle::raft

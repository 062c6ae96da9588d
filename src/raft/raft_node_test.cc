// RaftNode over real logs, snapshots and a quorum-state file, on files that can lose what was not synced.
#include <gtest/gtest.h>

#include <runtime/sync.h>
#include <storage/meta_properties.h>

#include "raft_world.h"

namespace dohle::raft {
namespace {

using runtime::CrashLoss;
using Records = std::map<std::int64_t, std::string>;

class RaftNodeTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  RaftWorld world_{GetParam()};

  RaftWorld::Node& one_voter() {
    world_.format(1);
    EXPECT_TRUE(world_.start(world_.node(1)));
    return world_.await_leader();
  }
  void settle() { world_.shards().run_until_idle(); }
};
INSTANTIATE_TEST_SUITE_P(Shards, RaftNodeTest, ::testing::Values(std::size_t{1}, std::size_t{4}));

TEST_P(RaftNodeTest, OneVoterLeadsAndCommits) {
  RaftWorld::Node& node = one_voter();
  EXPECT_EQ(node.raft->leader_and_epoch(), (LeaderAndEpoch{1, LeaderEpoch(1)}));
  const auto last = world_.append(node, {"a", "b"});
  ASSERT_TRUE(last) << last.error().message;
  settle();
  EXPECT_EQ(*last, Offset(4));  // behind LeaderChange, KRaftVersion, Voters
  EXPECT_EQ(node.listener->records, (Records{{3, "a"}, {4, "b"}}));
  EXPECT_EQ(node.listener->snapshots, (std::vector{kBootstrapSnapshotId}));
  EXPECT_EQ(node.listener->loaded, (std::vector<std::string>{"bootstrap"}));
  ASSERT_EQ(node.listener->batches.size(), 2U);
  EXPECT_TRUE(node.listener->batches[0].control);
  EXPECT_EQ(node.listener->batches[1].epoch, LeaderEpoch(1));
  EXPECT_EQ(node.listener->batches[1].append_timestamp_ms, world_.shards().clock().wall_ms());
  EXPECT_EQ(node.listener->leaders.back(), (LeaderAndEpoch{1, LeaderEpoch(1)}));
  EXPECT_EQ(node.raft->kraft_version(), 1);
  EXPECT_EQ(node.raft->voters().size(), 1U);
}

TEST_P(RaftNodeTest, AnotherStartIsAnotherEpochAndKeepsTheRecords) {
  RaftWorld::Node& node = one_voter();
  ASSERT_TRUE(world_.append(node, {"a"}));
  world_.stop(node);
  ASSERT_TRUE(world_.start(node));
  world_.await_leader();
  ASSERT_TRUE(world_.append(node, {"b"}));
  settle();
  EXPECT_EQ(node.raft->leader_and_epoch().epoch, LeaderEpoch(2));
  // The voter set is in the log by now: the new epoch's batch has the leader change alone, at 4.
  EXPECT_EQ(node.listener->records, (Records{{3, "a"}, {5, "b"}}));
  EXPECT_EQ(
      world_.shards().files().content("node1/__cluster_metadata-0/quorum-state").value(),
      R"({"leaderId":1,"leaderEpoch":2,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
}

TEST_P(RaftNodeTest, AppendsOfOneTurnShareABatchAndASync) {
  RaftWorld::Node& node = one_voter();
  settle();
  const auto before = world_.shards().files().count(runtime::FileOperation::kSync);
  world_.run([&node]() -> runtime::Task<void> {
    Offset last{0};
    for (int i = 0; i < 50; ++i) last = node.raft->append(LeaderEpoch(1), {as_record("x"), as_record("y")}).value();
    EXPECT_EQ(last, Offset(102));
    EXPECT_TRUE(co_await node.raft->wait_committed(LeaderEpoch(1), last));
  });
  settle();
  EXPECT_EQ(world_.shards().files().count(runtime::FileOperation::kSync) - before, 1U);
  EXPECT_EQ(node.listener->batches.back().base_offset, Offset(3));
  EXPECT_EQ(node.listener->batches.back().last_offset, Offset(102));
}

// A full disk is no failure: what was to be appended waits, and goes on by itself.
TEST_P(RaftNodeTest, AFullDiskHoldsAppendsUp) {
  RaftWorld::Node& node = one_voter();
  settle();
  auto& files = world_.shards().files();
  files.set_capacity(files.used_bytes());
  world_.run([&node]() -> runtime::Task<void> {
    // More than the blocks that were allocated ahead.
    EXPECT_TRUE(node.raft->append(LeaderEpoch(1), {as_record(std::string(200'000, 'x'))}));
    co_return;
  });
  world_.shards().advance(std::chrono::seconds(5));
  EXPECT_TRUE(node.raft->is_leader());
  EXPECT_TRUE(node.listener->records.empty());
  EXPECT_TRUE(node.raft->append(LeaderEpoch(1), {as_record("y")}));
  files.set_capacity(files.used_bytes() + (1U << 20U));
  world_.shards().advance(std::chrono::seconds(5));
  ASSERT_EQ(node.listener->records.size(), 2U);
  EXPECT_EQ(node.listener->records.rbegin()->second, "y");
}

TEST_P(RaftNodeTest, NothingIsCommittedBeforeItIsOnDisk) {
  RaftWorld::Node& node = one_voter();
  settle();
  world_.shards().set_io_delay(std::chrono::milliseconds(40));
  {
    const auto scope = world_.shards().enter(0);
    ASSERT_TRUE(node.raft->append(LeaderEpoch(1), {as_record("slow")}));
  }
  world_.shards().advance(std::chrono::milliseconds(30));
  EXPECT_EQ(node.raft->high_watermark(), Offset(3));
  EXPECT_FALSE(node.listener->records.contains(3));
  world_.shards().advance(std::chrono::milliseconds(30));
  EXPECT_EQ(node.raft->high_watermark(), Offset(4));
  EXPECT_EQ(node.listener->records.at(3), "slow");
}

TEST_P(RaftNodeTest, WhatWasCommittedSurvivesPowerLoss) {
  RaftWorld::Node& node = one_voter();
  runtime::SeededRandom random(GetParam());
  std::map<std::int64_t, std::string> committed;
  LeaderEpoch epoch{0};
  for (int round = 0; round < 12; ++round) {
    EXPECT_GT(node.raft->leader_and_epoch().epoch, epoch);
    epoch = node.raft->leader_and_epoch().epoch;
    for (std::uint64_t i = 0; i < 1 + random.below(5); ++i) {
      const std::string text = "r" + std::to_string(round) + "." + std::to_string(i);
      const auto last = world_.append(node, {text, text + "'"});
      ASSERT_TRUE(last);
      committed[last->value() - 1] = text;
      committed[last->value()] = text + "'";
    }
    {  // some more that nobody was told about
      const auto scope = world_.shards().enter(0);
      ASSERT_TRUE(node.raft->append(epoch, {as_record("lost or not")}));
    }
    world_.crash(node, random.below(2) == 0 ? CrashLoss::kUnsynced : CrashLoss::kRandom);
    ASSERT_TRUE(world_.start(node)) << "round " << round;
    world_.await_leader();
    settle();
    for (const auto& [offset, text] : committed) ASSERT_EQ(node.listener->records[offset], text) << "round " << round;
  }
}

TEST_P(RaftNodeTest, SnapshotsTakeTheLogsPlace) {
  world_.config.retention_bytes = 1;  // every older snapshot goes
  RaftWorld::Node& node = one_voter();
  std::optional<SnapshotId> last_id;
  for (int round = 0; round < 3; ++round) {
    const auto last = world_.append(node, {"r" + std::to_string(round)});
    ASSERT_TRUE(last);
    settle();
    const SnapshotId id{last->next(), LeaderEpoch(1)};
    world_.run([&]() -> runtime::Task<void> {
      auto writer = node.raft->create_snapshot(id, 77);
      EXPECT_TRUE(writer && *writer);
      std::vector<std::vector<std::uint8_t>> state;
      for (int i = 0; i <= round; ++i) state.push_back(as_record("state" + std::to_string(i)));
      EXPECT_TRUE((*writer)->append(state));
      EXPECT_TRUE(co_await node.raft->finish_snapshot(std::move(*writer)));
      EXPECT_EQ(node.raft->create_snapshot(id, 77).value(), nullptr);  // there is one now
    });
    last_id = id;
  }
  EXPECT_EQ(node.raft->latest_snapshot(), last_id);
  EXPECT_EQ(node.raft->log_start(), last_id->offset);
  ASSERT_TRUE(world_.append(node, {"after"}));

  world_.crash(node, CrashLoss::kUnsynced);
  ASSERT_TRUE(world_.start(node));
  world_.await_leader();
  settle();
  EXPECT_EQ(node.listener->snapshots, (std::vector{*last_id}));
  EXPECT_EQ(node.listener->loaded, (std::vector<std::string>{"state0", "state1", "state2"}));
  EXPECT_EQ(node.listener->records, (Records{{last_id->offset.value(), "after"}}));
  EXPECT_EQ(node.raft->voters().size(), 1U);  // from the snapshot: the record that set it is gone
  EXPECT_EQ(node.raft->kraft_version(), 1);
  // No other snapshot is left; deleted ones go at the latest with the next start.
  for (const auto& entry : *world_.shards().files().list("node1/__cluster_metadata-0")) {
    if (const auto file = parse_snapshot_file_name(entry.name)) EXPECT_EQ(file->id, *last_id) << entry.name;
  }
}

TEST_P(RaftNodeTest, SnapshotsMustEndABatchThatIsCommitted) {
  RaftWorld::Node& node = one_voter();
  ASSERT_TRUE(world_.append(node, {"a", "b"}));
  settle();
  const auto scope = world_.shards().enter(0);
  EXPECT_EQ(node.raft->create_snapshot({Offset(4), LeaderEpoch(1)}, 0).error().code, Errc::kInvalidRequest);
  EXPECT_EQ(node.raft->create_snapshot({Offset(9), LeaderEpoch(1)}, 0).error().code, Errc::kInvalidRequest);
  EXPECT_EQ(node.raft->create_snapshot({Offset(5), LeaderEpoch(2)}, 0).error().code, Errc::kInvalidRequest);
  EXPECT_TRUE(node.raft->create_snapshot({Offset(5), LeaderEpoch(1)}, 0));
}

TEST_P(RaftNodeTest, ResigningEndsTheEpochForWhoWaits) {
  RaftWorld::Node& node = one_voter();
  settle();
  world_.shards().set_io_delay(std::chrono::milliseconds(100));
  const auto outcome = world_.run([&node]() -> runtime::Task<Result<>> {
    const Offset last = node.raft->append(LeaderEpoch(1), {as_record("x")}).value();
    co_await runtime::sleep_for(std::chrono::milliseconds(10));
    node.raft->resign(LeaderEpoch(1));
    co_return co_await node.raft->wait_committed(LeaderEpoch(1), last);
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kNotLeader);
  world_.shards().set_io_delay(std::chrono::milliseconds(0));
  world_.await_leader();
  settle();
  EXPECT_GT(node.raft->leader_and_epoch().epoch, LeaderEpoch(1));
  EXPECT_EQ(node.listener->records.at(3), "x");  // it was written, and the next epoch committed it
  ASSERT_GE(node.listener->leaders.size(), 3U);
  EXPECT_EQ(node.listener->leaders[1], (LeaderAndEpoch{1, LeaderEpoch(1)}));
  EXPECT_EQ(node.listener->leaders[2], (LeaderAndEpoch{std::nullopt, LeaderEpoch(1)}));
  EXPECT_EQ(node.listener->leaders.back().leader, 1);
  const auto scope = world_.shards().enter(0);
  EXPECT_EQ(node.raft->append(LeaderEpoch(1), {as_record("y")}).error().code, Errc::kFencedEpoch);
}

TEST_P(RaftNodeTest, AFailedSyncEndsTheNode) {
  RaftWorld::Node& node = one_voter();
  settle();
  world_.shards().files().inject({.operation = runtime::FileOperation::kSync, .path_part = "journal"});
  const auto outcome = world_.append(node, {"x"});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kStorage);
  settle();
  EXPECT_TRUE(node.logs->metadata_directory().offline());
  EXPECT_FALSE(node.listener->records.contains(3));
  const auto scope = world_.shards().enter(0);
  EXPECT_EQ(node.raft->append(LeaderEpoch(1), {as_record("y")}).error().code, Errc::kStorage);
  world_.shards().files().clear_faults();
}

TEST_P(RaftNodeTest, AVoterWithoutKnownEndpointsKeepsThoseItWasFormattedWith) {
  world_.format(1);
  world_.endpoints_known = false;
  ASSERT_TRUE(world_.start(world_.node(1)));
  EXPECT_EQ(world_.await_leader().raft->voters().find(1)->endpoints.at(0).port, 9001);
}

TEST_P(RaftNodeTest, BatchesHaveALimit) {
  RaftWorld::Node& node = one_voter();
  const auto scope = world_.shards().enter(0);
  std::vector<std::vector<std::uint8_t>> huge(9, std::vector<std::uint8_t>(1 << 20));
  EXPECT_EQ(node.raft->append(LeaderEpoch(1), huge).error().code, Errc::kRecordTooLarge);
  huge.resize(5);
  EXPECT_EQ(node.raft->append(LeaderEpoch(1), huge).value(), Offset(7));
  EXPECT_EQ(node.raft->append(LeaderEpoch(1), huge).value(), Offset(12));
  world_.shards().run_until([&node] { return node.raft->high_watermark() == Offset(13); });
  settle();
  EXPECT_EQ(node.listener->batches.back().base_offset, Offset(8));
}

TEST_P(RaftNodeTest, RefusesTheDirectoryOfAnotherVoter) {
  world_.format(1);
  auto& files = world_.shards().files();
  {
    const auto scope = world_.shards().enter(0);
    storage::MetaProperties meta = storage::read_meta_properties(files, "node1").value();
    meta.directory_id = Uuid{1, 2};
    ASSERT_TRUE(storage::write_meta_properties(files, "node1", meta));
  }
  const auto started = world_.start(world_.node(1));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::kInvalidConfig);
  EXPECT_NE(started.error().message.find("directory.id"), std::string::npos);
}

}  // namespace
}  // namespace dohle::raft

// A slow disk: appends to its directory go to a thread, and everything else on the shard goes on.
#include <chrono>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "storage_world.h"

namespace dohle::storage {
namespace {

using runtime::FileOperation;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Appended = std::expected<AppendInfo, AppendFailure>;

// Two directories on one shard; what is appended to `slow` takes 40 ms a file operation.
class SlowDisk : public ::testing::Test {
 protected:
  SlowDisk() {
    LogManagerConfig config;
    config.log_dirs = {"/slow", "/fast"};
    world.start(config);
    slow = &in_directory("s", 0, "/slow");
    fast = &in_directory("f", 0, "/fast");
  }

  Log& in_directory(const std::string& topic, int partition, const std::string& directory,
                    const LogConfig& config = {}) {
    const Uuid id =
        directory == "/slow" ? world.manager->directories()[0]->id() : world.manager->directories()[1]->id();
    auto log = world.shards.run(0, [&] {
      return world.manager->on(0).get_or_create({topic, partition}, StorageWorld::topic_id(topic), config, id);
    });
    DOHLE_CHECK(log.has_value());
    return **log;
  }
  void slow_down(FileOperation operation = FileOperation::kWrite) {
    world.files().slow_down({operation, "/slow", milliseconds(40)});
  }
  // The one slow write that nobody could foresee.
  void become_slow() {
    slow_down();
    ASSERT_TRUE(world.append(*slow, {}));
    ASSERT_EQ(world.append(*slow, {}).error().error.code, Errc::kWouldBlock);
  }
  // An append that waits, as a partition makes it; its outcome appears in `outcomes`.
  void start_append(Log& log, const BatchSpec& spec, bool wanted = true) {
    const std::size_t index = outcomes.size();
    outcomes.emplace_back();
    const auto scope = world.shards.enter(0);
    runtime::spawn([](SlowDisk* self, Log* to, Slice batch, std::size_t at, bool still) -> runtime::Task<void> {
      auto appended =
          co_await to->append_as_leader_waiting(std::move(batch), LeaderEpoch(0), {}, [still] { return still; });
      self->outcomes[at] = std::move(appended);
      self->order.push_back(at);
    }(this, &log, make_batch(spec), index, wanted));
    world.shards.run_until_idle();
  }
  void let_pass(milliseconds time) { world.shards.advance(time); }
  std::int64_t now_ms() { return world.shards.clock().now().ms(); }

  StorageWorld world;
  Log* slow = nullptr;
  Log* fast = nullptr;
  std::vector<std::optional<Appended>> outcomes;
  std::vector<std::size_t> order;
};

TEST_F(SlowDisk, HoldsNobodyElseUp) {
  become_slow();
  EXPECT_EQ(world.manager->directories()[0]->counts().slow_writes, 1U);
  const std::int64_t begin = now_ms();
  start_append(*slow, {.records = 2});
  ASSERT_TRUE(world.append(*fast, {}));
  ASSERT_TRUE(world.read(*fast, 0));
  EXPECT_EQ(offsets_in(world.read(*slow, 0)->records).size(), 1U);  // nor those who read the slow log
  EXPECT_EQ(now_ms(), begin);
  EXPECT_FALSE(outcomes[0]);
  EXPECT_EQ(slow->log_end(), Offset(1));  // not before it is written
  let_pass(milliseconds(40));
  ASSERT_TRUE(outcomes[0] && *outcomes[0]);
  EXPECT_EQ((*outcomes[0])->first_offset, Offset(1));
  EXPECT_EQ(slow->log_end(), Offset(3));
  EXPECT_EQ(offsets_in(world.read(*slow, 0)->records), (std::vector<OffsetRange>{{0, 0}, {1, 2}}));
}

// A machine with too much to do preempts writes; its disk is as quick as ever.
TEST_F(SlowDisk, AWriteThatWaitedForACpuIsNotSlow) {
  ASSERT_TRUE(world.append(*slow, {}));  // the first one writes more files
  slow_down();
  world.shards.clock().add_cpu_wait(milliseconds(36));
  ASSERT_TRUE(world.append(*slow, {}));
  EXPECT_EQ(world.manager->directories()[0]->counts().slow_writes, 0U);
  world.shards.clock().add_cpu_wait(milliseconds(30));
  ASSERT_TRUE(world.append(*slow, {}));
  EXPECT_EQ(world.manager->directories()[0]->counts().slow_writes, 1U);
  EXPECT_EQ(world.append(*slow, {}).error().error.code, Errc::kWouldBlock);
}

TEST_F(SlowDisk, KeepsTheOrderOfALog) {
  become_slow();
  for (int i = 1; i <= 5; ++i) start_append(*slow, {.records = i});
  EXPECT_EQ(world.append(*slow, {}).error().error.code, Errc::kWouldBlock);
  let_pass(milliseconds(200));
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  std::int64_t next = 1;
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ((*outcomes[i - 1])->first_offset, Offset(next));
    next += i;
  }
  EXPECT_EQ(slow->log_end(), Offset(next));
}

TEST_F(SlowDisk, IdempotenceHoldsInTheQueue) {
  become_slow();
  const auto batch = [](std::int32_t sequence) {
    return BatchSpec{.producer = ProducerId(7), .producer_epoch = 0, .base_sequence = sequence};
  };
  start_append(*slow, batch(0));
  start_append(*slow, batch(1));
  start_append(*slow, batch(1));  // a retry
  start_append(*slow, batch(3));  // a gap
  let_pass(milliseconds(200));
  EXPECT_FALSE((*outcomes[1])->duplicate);
  EXPECT_TRUE((*outcomes[2])->duplicate);
  EXPECT_EQ((*outcomes[2])->first_offset, (*outcomes[1])->first_offset);
  EXPECT_EQ(outcomes[3]->error().error.code, Errc::kOutOfOrderSequence);
}

TEST_F(SlowDisk, WritesAreInlineAgainAfterAQuietTime) {
  become_slow();
  world.files().clear_delays();
  start_append(*slow, {});
  ASSERT_TRUE(outcomes[0] && *outcomes[0]);
  EXPECT_EQ(world.append(*slow, {}).error().error.code, Errc::kWouldBlock);  // it has not been quiet for long
  let_pass(seconds(6));
  EXPECT_EQ(world.append(*slow, {}).error().error.code, Errc::kWouldBlock);  // nobody has tried since
  start_append(*slow, {});
  ASSERT_TRUE(outcomes[1] && *outcomes[1]);
  EXPECT_TRUE(world.append(*slow, {}));
}

TEST_F(SlowDisk, AFailedWriteIsCutOffAndTheNextGoesOn) {
  become_slow();
  world.files().inject({.operation = FileOperation::kWrite,
                        .path_part = "/slow/s-0/0",
                        .error = Errc::kNoSpace,
                        .times = 1,
                        .write_bytes = 20});
  start_append(*slow, {});
  start_append(*slow, {.records = 3});
  let_pass(milliseconds(100));
  EXPECT_EQ(outcomes[0]->error().error.code, Errc::kNoSpace);
  ASSERT_TRUE(*outcomes[1]);
  EXPECT_EQ((*outcomes[1])->first_offset, Offset(1));
  EXPECT_EQ(offsets_in(world.read(*slow, 0)->records), (std::vector<OffsetRange>{{0, 0}, {1, 3}}));
  world.crash(runtime::CrashLoss::kNothing);
  LogManagerConfig config;
  config.log_dirs = {"/slow", "/fast"};
  world.files().clear_delays();
  world.start(config);
  EXPECT_EQ(world.log("s", 0).log_end(), Offset(4));
}

TEST_F(SlowDisk, ADiskThatFailsMeanwhileAcknowledgesNothing) {
  become_slow();
  start_append(*slow, {});
  world.manager->directories()[0]->commit_log().report_failure({Errc::kIo, "gone"});
  let_pass(milliseconds(40));
  EXPECT_EQ(outcomes[0]->error().error.code, Errc::kStorage);
  EXPECT_EQ(slow->log_end(), Offset(1));
}

TEST_F(SlowDisk, WhatIsNoLongerWantedIsNotWritten) {
  become_slow();
  start_append(*slow, {}, false);
  let_pass(milliseconds(100));
  EXPECT_EQ(outcomes[0]->error().error.code, Errc::kNotLeader);
  EXPECT_EQ(slow->log_end(), Offset(1));
}

// New files, index blocks and blocks ahead belong to the append and hold up nobody either.
TEST_F(SlowDisk, RollsOffTheShard) {
  LogConfig config;
  config.segment_bytes = 1000;
  config.index_interval_bytes = 0;
  Log& rolling = in_directory("r", 0, "/slow", config);
  become_slow();
  for (const auto operation : {FileOperation::kOpen, FileOperation::kTruncate, FileOperation::kAllocate,
                               FileOperation::kRemove, FileOperation::kRename}) {
    slow_down(operation);
  }
  const std::int64_t begin = now_ms();
  for (int i = 0; i < 40; ++i) start_append(rolling, {.value_bytes = 60});
  EXPECT_EQ(now_ms(), begin);
  world.shards.run_until([&] { return order.size() == 40; });
  for (const auto& outcome : outcomes) ASSERT_TRUE(*outcome);
  EXPECT_GT(rolling.segment_count(), 3U);
  world.files().clear_delays();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(offsets_in(world.read(rolling, i)->records)[0].base, i);
  world.crash(runtime::CrashLoss::kNothing);
  LogManagerConfig again;
  again.log_dirs = {"/slow", "/fast"};
  world.start(again);
  EXPECT_EQ(world.log("r", 0, config).log_end(), Offset(40));
}

TEST_F(SlowDisk, CommitsCoverWhatWasWrittenOnTheThread) {
  become_slow();
  start_append(*slow, {.records = 4});
  let_pass(milliseconds(40));
  ASSERT_TRUE(world.commit(*slow));
  EXPECT_EQ(slow->flushed_end(), Offset(5));
  world.crash(runtime::CrashLoss::kUnsynced);
  world.files().clear_delays();
  LogManagerConfig config;
  config.log_dirs = {"/slow", "/fast"};
  world.start(config);
  EXPECT_EQ(world.log("s", 0).log_end(), Offset(5));
}

// Who changes the log waits for the write under way and what is queued before it.
TEST_F(SlowDisk, RetentionDeletionAndCloseWait) {
  LogConfig config;
  config.segment_bytes = 400;
  config.retention_ms = 1000;
  Log& old = in_directory("o", 0, "/slow", config);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(world.append(old, {.value_bytes = 60}));
  become_slow();
  start_append(old, {.value_bytes = 60});
  {
    const auto scope = world.shards.enter(0);
    old.set_high_watermark(old.log_end());
  }
  ASSERT_GT(*world.delete_old_segments(old, runtime::ManualClock::kStartWallMs + 10'000), 0);
  ASSERT_TRUE(outcomes[0] && *outcomes[0]);
  EXPECT_EQ(old.log_end(), Offset(13));

  start_append(old, {});
  start_append(old, {});
  const auto removed = world.shards.run(0, [&] { return world.manager->on(0).remove({"o", 0}); });
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(*outcomes[1]);  // it was being written
  EXPECT_TRUE(*outcomes[2] || outcomes[2]->error().error.code == Errc::kClosed);

  start_append(*slow, {.records = 2});
  world.stop_cleanly();
  ASSERT_TRUE(*outcomes[3]);
  world.files().clear_delays();
  LogManagerConfig again;
  again.log_dirs = {"/slow", "/fast"};
  world.start(again);
  EXPECT_EQ(world.log("s", 0).log_end(), Offset(3));
}

TEST_F(SlowDisk, ANewLogIsMadeOffTheShard) {
  for (const auto operation : {FileOperation::kOpen, FileOperation::kCreateDirectory, FileOperation::kTruncate}) {
    slow_down(operation);
  }
  const std::int64_t begin = now_ms();
  std::optional<Result<Log*>> made;
  {
    const auto scope = world.shards.enter(0);
    runtime::spawn([](LogManager* manager, std::optional<Result<Log*>>* out) -> runtime::Task<void> {
      *out = co_await manager->on(0).get_or_create({"n", 0}, StorageWorld::topic_id("n"), {},
                                                   manager->directories()[0]->id());
    }(world.manager.get(), &made));
  }
  world.shards.run_until_idle();
  ASSERT_TRUE(world.append(*fast, {}));
  EXPECT_EQ(now_ms(), begin);
  EXPECT_FALSE(made);
  let_pass(seconds(1));
  ASSERT_TRUE(made && *made);
  world.files().clear_delays();
  EXPECT_TRUE(world.append(***made, {}));
}

TEST_F(SlowDisk, ColdFilesAreOpenedAndReadOffTheShard) {
  LogConfig config;
  config.segment_bytes = 400;
  Log& log = in_directory("c", 0, "/slow", config);
  const std::int64_t t0 = runtime::ManualClock::kStartWallMs;
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(world.append(log, {.value_bytes = 60, .timestamp_ms = t0 + 100 * i}));
  world.stop_cleanly();
  LogManagerConfig again;
  again.log_dirs = {"/slow", "/fast"};
  world.start(again);
  Log& cold = world.log("c", 0, config);
  slow_down(FileOperation::kOpen);
  slow_down(FileOperation::kRead);
  world.files().inject({.operation = FileOperation::kReadNowait, .path_part = "/slow", .error = Errc::kWouldBlock});
  const auto scope = world.shards.enter(0);
  const std::int64_t begin = now_ms();
  EXPECT_EQ(cold.offset_for_timestamp(t0 + 300).error().code, Errc::kWouldBlock);
  EXPECT_EQ(cold.read(Offset(2), {}).error().code, Errc::kWouldBlock);
  EXPECT_EQ(now_ms(), begin);
}

}  // namespace
}  // namespace dohle::storage

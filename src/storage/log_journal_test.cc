// Logs that commit through their directory's journal: what was acknowledged is there after a power loss, and what was
// cut is not.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "storage_world.h"

namespace dohle::storage {
namespace {

using runtime::CrashLoss;
using runtime::FileOperation;

class LogJournal : public ::testing::TestWithParam<std::size_t> {
 protected:
  LogJournal() : world(GetParam()) {}

  void start(std::uint64_t journal_bytes = 64U << 10U, LogConfig log_config = {}) {
    LogManagerConfig config;
    config.journal_bytes = journal_bytes;
    world.start(config, {.config_for = [log_config](const std::string&) { return log_config; }});
  }
  void lose_power(CrashLoss loss = CrashLoss::kUnsynced) {
    world.crash(loss);
    start();
  }
  // Its first commit is one of its own file as well: everything about the log is new.
  Log& committed(std::int32_t partition) {
    Log& log = world.log("t", partition);
    append(log);
    EXPECT_TRUE(world.commit(log));
    return log;
  }
  void append(Log& log, std::size_t bytes = 50) { ASSERT_TRUE(world.append(log, {.value_bytes = bytes}, epoch)); }
  std::uint64_t syncs() { return world.files().count(FileOperation::kSync); }
  Log* found(std::int32_t partition) { return world.manager->on(world.shard_of(partition)).find({"t", partition}); }
  std::string durable(std::int32_t partition) {
    return *world.files().durable_content("/data/t-" + std::to_string(partition) + "/00000000000000000000.log");
  }
  std::string content(std::int32_t partition) {
    return *world.files().content("/data/t-" + std::to_string(partition) + "/00000000000000000000.log");
  }
  bool journal_is_empty() { return (*JournalContents::read(world.files(), "/data"))->empty(); }

  StorageWorld world;
  int epoch = 0;
};
INSTANTIATE_TEST_SUITE_P(Shards, LogJournal, ::testing::Values(1, 4));

TEST_P(LogJournal, ManyLogsShareOneSyncAndSurvive) {
  start(1U << 20U);
  constexpr std::int32_t kLogs = 200;
  for (std::int32_t p = 0; p < kLogs; ++p) committed(p);
  for (std::int32_t p = 0; p < kLogs; ++p) append(*found(p));
  const auto before = syncs();
  std::vector<std::optional<Result<>>> done(kLogs);
  for (std::int32_t p = 0; p < kLogs; ++p) {
    const auto scope = world.shards.enter(world.shard_of(p));
    runtime::spawn([](Log* log, std::optional<Result<>>* into) -> runtime::Task<void> {
      into->emplace(co_await log->commit(log->log_end()));
    }(found(p), &done[static_cast<std::size_t>(p)]));
  }
  world.shards.run_until_idle();
  for (const auto& each : done) ASSERT_TRUE(each && *each);
  EXPECT_LE(syncs() - before, kLogs / 10);
  world.crash(CrashLoss::kUnsynced);
  EXPECT_LT(content(7).size(), 2 * make_batch({.value_bytes = 50}).size());
  start();
  for (std::int32_t p = 0; p < kLogs; ++p) {
    EXPECT_EQ(found(p)->log_end(), Offset(2));
    EXPECT_EQ(offsets_in(world.read(*found(p), 1)->records).size(), 1U);
  }
}

TEST_P(LogJournal, OwnFilesFollowAtACheckpoint) {
  start();
  Log& log = committed(0);
  append(log);
  ASSERT_TRUE(world.commit(log));
  EXPECT_EQ(log.flushed_end(), Offset(2));
  EXPECT_EQ(log.synced_end(), Offset(1));
  EXPECT_LT(durable(0).size(), content(0).size());
  world.manager->directories()[0]->settle_journal();
  world.shards.run_until_idle();
  EXPECT_EQ(log.synced_end(), Offset(2));
  EXPECT_EQ(durable(0), content(0));
  EXPECT_TRUE(journal_is_empty());
}

TEST_P(LogJournal, ACleanStopLeavesNothingToReplay) {
  start();
  Log& log = committed(0);
  append(log);
  ASSERT_TRUE(world.commit(log));
  EXPECT_FALSE(journal_is_empty());
  world.stop_cleanly();
  EXPECT_TRUE(journal_is_empty());
  EXPECT_EQ(durable(0), content(0));
}

TEST_P(LogJournal, LargeBatchesAreWrittenOnce) {
  start(16U << 20U);
  Log& log = committed(0);
  append(log, 200'000);
  const auto before = syncs();
  ASSERT_TRUE(world.commit(log));
  EXPECT_EQ(syncs() - before, 1U);
  EXPECT_EQ(log.synced_end(), Offset(2));
}

TEST_P(LogJournal, WhatWasCutStaysCut) {
  start();
  Log& log = committed(0);
  for (int i = 0; i < 5; ++i) {
    append(log);
    ASSERT_TRUE(world.commit(log));
  }
  {
    const auto scope = world.shards.enter(0);
    ASSERT_TRUE(log.truncate_to(Offset(3)));
  }
  world.shards.run_until_idle();
  world.crash(CrashLoss::kUnsynced);
  start();
  EXPECT_EQ(found(0)->log_end(), Offset(3));
  append(*found(0), 70);
  ASSERT_TRUE(world.commit(*found(0)));
  lose_power();
  EXPECT_EQ(found(0)->log_end(), Offset(4));
}

TEST_P(LogJournal, ACutIsHeardOfAlsoWhereThereIsNoRoom) {
  start(CommitJournal::kLeastFileBytes);
  Log& log = committed(0);
  Log& other = committed(1);
  append(log);
  append(log);
  ASSERT_TRUE(world.commit(log));
  // Its checkpoint takes long, and the other file is full soon.
  world.files().slow_down({FileOperation::kSync, "/data/t-", std::chrono::seconds(5)});
  for (int i = 0; i < 20; ++i) {
    append(other, 1000);
    const auto scope = world.shards.enter(world.shard_of(1));
    runtime::spawn(
        [](Log* of) -> runtime::Task<void> { static_cast<void>(co_await of->commit(of->log_end())); }(&other));
    world.shards.advance(std::chrono::milliseconds(1));
  }
  {
    const auto scope = world.shards.enter(0);
    ASSERT_TRUE(log.truncate_to(Offset(1)));
  }
  world.shards.advance(std::chrono::minutes(2));
  world.files().clear_delays();
  world.crash(CrashLoss::kUnsynced);
  start();
  EXPECT_EQ(found(0)->log_end(), Offset(1));
  EXPECT_EQ(found(1)->log_end(), Offset(21));
}

TEST_P(LogJournal, TinyFilesTurnManyTimes) {
  start(CommitJournal::kLeastFileBytes);
  for (std::int32_t p = 0; p < 3; ++p) committed(p);
  for (int i = 0; i < 40; ++i) {
    for (std::int32_t p = 0; p < 3; ++p) {
      append(*found(p), 300);
      ASSERT_TRUE(world.commit(*found(p)));
    }
  }
  lose_power(CrashLoss::kAnyOrder);
  for (std::int32_t p = 0; p < 3; ++p) EXPECT_EQ(found(p)->log_end(), Offset(41));
}

TEST_P(LogJournal, ATopicOfTheSameNameGetsNothingOfTheOldOne) {
  start();
  Log& old = committed(0);
  for (int i = 0; i < 3; ++i) append(old);
  ASSERT_TRUE(world.commit(old));
  ASSERT_TRUE(world.shards.run(0, [&] { return world.manager->on(0).remove({"t", 0}); }));
  const TopicId fresh{Uuid{5, 6}};
  auto made = world.shards.run(0, [&] { return world.manager->on(0).get_or_create({"t", 0}, fresh, {}); });
  ASSERT_TRUE(made);
  append(**made);
  ASSERT_TRUE(world.commit(**made));
  lose_power();
  ASSERT_NE(found(0), nullptr);
  EXPECT_EQ(found(0)->topic_id(), fresh);
  EXPECT_EQ(found(0)->log_end(), Offset(1));
}

TEST_P(LogJournal, APartitionThatComesBackGetsNothingOfBefore) {
  start();
  Log& old = committed(0);
  for (int i = 0; i < 3; ++i) append(old);
  ASSERT_TRUE(world.commit(old));
  ASSERT_TRUE(world.shards.run(0, [&] { return world.manager->on(0).remove({"t", 0}); }));
  committed(0);
  lose_power();
  EXPECT_EQ(found(0)->log_end(), Offset(1));
}

TEST_P(LogJournal, MendsWhatHasRottedInTheLog) {
  start();
  Log& log = committed(0);
  append(log);
  append(log);
  ASSERT_TRUE(world.commit(log));
  const auto size = content(0).size();
  append(log);  // not committed, and written all the same
  world.crash(CrashLoss::kNothing);
  ASSERT_TRUE(world.files().flip_bit("/data/t-0/00000000000000000000.log", 8 * (size / 2)));
  start();
  EXPECT_EQ(found(0)->log_end(), Offset(4));
}

TEST_P(LogJournal, RecordsOfAnOlderEpochStayOut) {
  start();
  epoch = 3;
  Log& log = committed(0);
  append(log);
  ASSERT_TRUE(world.commit(log));
  world.crash(CrashLoss::kNothing);
  // Another program ran here meanwhile, cut the log and went on in a new epoch.
  const std::string path = "/data/t-0/00000000000000000000.log";
  const Slice batch = make_batch({.value_bytes = 50, .leader_epoch = LeaderEpoch(5)});
  auto file = *world.files().open(path, runtime::OpenMode::kReadWrite);
  ASSERT_TRUE(file->truncate(batch.size()));
  ASSERT_TRUE(file->write_at(0, batch.bytes()));
  start();
  EXPECT_EQ(found(0)->log_end(), Offset(1));
}

TEST_P(LogJournal, TheFirstFailureTakesTheDirectoryOffline) {
  for (const char* const where : {"journal", "/data/t-1"}) {
    start();
    Log& log = committed(1);
    append(log);
    world.files().inject({.operation = FileOperation::kSync, .path_part = where, .times = 1});
    const auto done = world.commit(log);
    EXPECT_EQ(done.has_value(), std::string_view(where) != "journal");
    world.manager->directories()[0]->settle_journal();
    world.shards.run_until_idle();
    EXPECT_TRUE(world.manager->directories()[0]->offline());
    EXPECT_EQ(world.append(log, {}).error().error.code, Errc::kStorage);
    world.crash(CrashLoss::kUnsynced);
    world.files().clear_faults();
  }
}

TEST_P(LogJournal, AFullDiskGoesWithout) {
  world.files().set_capacity(256U << 10U);
  LogManagerConfig config;
  config.journal_bytes = 200U << 10U;
  world.start(config);
  Log& log = committed(0);
  append(log);
  ASSERT_TRUE(world.commit(log));
  EXPECT_EQ(log.synced_end(), Offset(2));
  EXPECT_FALSE(world.files().exists("/data/.dohle-journal-0"));
}

TEST_P(LogJournal, WaitsForALogThatHasNoRoomToBeOpened) {
  start();
  Log& log = committed(0);
  append(log, 5000);
  ASSERT_TRUE(world.commit(log));
  world.crash(CrashLoss::kUnsynced);
  world.files().inject({.operation = FileOperation::kWrite, .path_part = "/data/t-0/", .error = Errc::kNoSpace});
  start();
  EXPECT_EQ(found(0), nullptr);
  EXPECT_FALSE(journal_is_empty());
  world.files().clear_faults();
  EXPECT_EQ(world.log("t", 0).log_end(), Offset(2));
}

}  // namespace
}  // namespace dohle::storage

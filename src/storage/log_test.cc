#include <storage/log.h>

#include <gtest/gtest.h>

#include "storage_world.h"

namespace dohle::storage {
namespace {

using runtime::FileOperation;

LogConfig small_segments(std::int32_t bytes = 1000) {
  LogConfig config;
  config.segment_bytes = bytes;
  config.index_interval_bytes = 200;
  return config;
}

class LogTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  LogTest() : world(GetParam()) { world.start(); }
  StorageWorld world;
};
INSTANTIATE_TEST_SUITE_P(Shards, LogTest, ::testing::Values(1, 4));

TEST_P(LogTest, AppendAssignsOffsetsAndReadsBack) {
  Log& log = world.log("t", 1);
  const auto first = world.append(log, {.records = 3});
  ASSERT_TRUE(first) << first.error().error.message;
  EXPECT_EQ(first->first_offset, Offset(0));
  EXPECT_EQ(first->last_offset, Offset(2));
  EXPECT_EQ(first->log_append_time, -1);
  ASSERT_TRUE(world.append(log, {.records = 2}));
  EXPECT_EQ(log.log_end(), Offset(5));
  EXPECT_EQ(log.flushed_end(), Offset(0));
  EXPECT_EQ(log.acknowledged_end(), Offset(0));
  const auto read = world.read(log, 4);
  ASSERT_TRUE(read);
  EXPECT_EQ(offsets_in(read->records), (std::vector<OffsetRange>{{3, 4}}));
  EXPECT_EQ(world.read(log, 6).error().code, Errc::kOffsetOutOfRange);
  EXPECT_TRUE(world.read(log, 5)->records.empty());
  EXPECT_EQ(log.latest_epoch(), LeaderEpoch(0));
}

TEST_P(LogTest, ReadStopsAtTheUpperBound) {
  Log& log = world.log("t", 0);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(world.append(log, {.records = 2}));
  const auto read = world.read(log, 0, {.upper_bound = Offset(4)});
  EXPECT_EQ(offsets_in(read->records), (std::vector<OffsetRange>{{0, 1}, {2, 3}}));
  EXPECT_TRUE(world.read(log, 4, {.upper_bound = Offset(4)})->records.empty());
}

TEST_P(LogTest, MinOneBatchGivesALargeFirstBatchWhole) {
  Log& log = world.log("t", 0);
  ASSERT_TRUE(world.append(log, {.value_bytes = 500}));
  const auto whole = world.read(log, 0, {.max_bytes = 10});
  EXPECT_EQ(offsets_in(whole->records).size(), 1U);
  const auto none = world.read(log, 0, {.max_bytes = 10, .min_one_batch = false});
  EXPECT_TRUE(none->records.empty());
  EXPECT_TRUE(none->first_batch_cut);
}

// The trap that other brokers fell into: reads that end exactly where a segment does.
TEST_P(LogTest, SequentialReadOverSealedSegmentsHasNoGap) {
  for (const bool cached : {true, false}) {
    StorageWorld fresh(GetParam());
    LogManagerConfig config;
    if (!cached) config.tail_cache_bytes_per_shard = 0;
    fresh.start(config);
    Log& log = fresh.log("t", 2, small_segments());
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(fresh.append(log, {.records = 1 + i % 3, .value_bytes = 40}));
    ASSERT_GE(log.segment_count(), 4U);
    for (const std::uint32_t max_bytes : {1U, 130U, 333U, 5000U}) {
      std::int64_t next = 0;
      while (Offset(next) < log.log_end()) {
        const auto read = fresh.read(log, next, {.max_bytes = max_bytes});
        ASSERT_TRUE(read) << read.error().message;
        const auto batches = offsets_in(read->records);
        ASSERT_FALSE(batches.empty()) << next;
        for (const auto& batch : batches) {
          ASSERT_EQ(batch.base, next);
          next = batch.last + 1;
        }
      }
    }
  }
}

TEST_P(LogTest, RollsByTimeOfTheRecords) {
  LogConfig config;
  config.segment_ms = 1000;
  Log& log = world.log("t", 0, config);
  const std::int64_t t0 = runtime::ManualClock::kStartWallMs;
  ASSERT_TRUE(world.append(log, {.timestamp_ms = t0}));
  ASSERT_TRUE(world.append(log, {.timestamp_ms = t0 + 1000}));
  EXPECT_EQ(log.segment_count(), 1U);
  ASSERT_TRUE(world.append(log, {.timestamp_ms = t0 + 1001}));
  EXPECT_EQ(log.segment_count(), 2U);
}

TEST_P(LogTest, OffsetsForTimestamps) {
  Log& log = world.log("t", 0, small_segments());
  const std::int64_t t0 = runtime::ManualClock::kStartWallMs;
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(world.append(log, {.records = 2, .value_bytes = 60, .timestamp_ms = t0 + 100 * i}, 7));
  ASSERT_GE(log.segment_count(), 3U);
  const auto scope = world.shards.enter(0);
  for (int i = 0; i < 40; ++i) {
    const auto exact = log.offset_for_timestamp(t0 + 100 * i);
    ASSERT_TRUE(exact && *exact);
    EXPECT_EQ((*exact)->offset, Offset(2 * i));
    EXPECT_EQ((*exact)->epoch, LeaderEpoch(7));
    const auto second = log.offset_for_timestamp(t0 + 100 * i + 1);
    EXPECT_EQ((*second)->offset, Offset(2 * i + 1));
    EXPECT_EQ((*second)->timestamp, t0 + 100 * i + 1);
  }
  EXPECT_FALSE(*log.offset_for_timestamp(t0 + 100 * 39 + 2));
  EXPECT_EQ((*log.offset_for_timestamp(kMaxTimestamp))->offset, Offset(79));
  EXPECT_EQ((*log.offset_for_timestamp(kMaxTimestamp))->timestamp, t0 + 3901);
  EXPECT_EQ((*log.offset_for_timestamp(kLatestTimestamp))->offset, Offset(80));
  EXPECT_EQ((*log.offset_for_timestamp(kEarliestTimestamp))->offset, Offset(0));
  EXPECT_EQ((*log.offset_for_timestamp(kLatestTieredTimestamp))->offset, kNoOffset);
}

TEST_P(LogTest, EpochsEndWhereTheNextBegins) {
  Log& log = world.log("t", 0);
  ASSERT_TRUE(world.append(log, {.records = 5}, 1));
  ASSERT_TRUE(world.append(log, {.records = 5}, 3));
  EXPECT_EQ(log.end_offset_for_epoch(LeaderEpoch(1)).end_offset, Offset(5));
  EXPECT_EQ(log.end_offset_for_epoch(LeaderEpoch(2)).epoch, LeaderEpoch(1));
  EXPECT_EQ(log.end_offset_for_epoch(LeaderEpoch(3)).end_offset, Offset(10));
  EXPECT_EQ(log.end_offset_for_epoch(LeaderEpoch(4)).end_offset, kNoOffset);
  EXPECT_EQ(*world.files().content("/data/t-0/leader-epoch-checkpoint"), "0\n2\n1 0\n3 5\n");
}

TEST_P(LogTest, DuplicatesAreAnsweredWithTheOriginal) {
  Log& log = world.log("t", 0);
  const ProducerId id(42);
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(world.append(log, {.records = 2, .producer = id, .producer_epoch = 0, .base_sequence = 2 * i}));
  }
  const auto retry = world.append(log, {.records = 2, .producer = id, .producer_epoch = 0, .base_sequence = 6});
  ASSERT_TRUE(retry);
  EXPECT_TRUE(retry->duplicate);
  EXPECT_EQ(retry->first_offset, Offset(6));
  EXPECT_EQ(retry->last_offset, Offset(7));
  EXPECT_EQ(log.log_end(), Offset(14));
  // The sixth from the end is forgotten.
  const auto old = world.append(log, {.records = 2, .producer = id, .producer_epoch = 0, .base_sequence = 2});
  EXPECT_EQ(old.error().error.code, Errc::kOutOfOrderSequence);
  const auto gap = world.append(log, {.records = 2, .producer = id, .producer_epoch = 0, .base_sequence = 20});
  EXPECT_EQ(gap.error().error.code, Errc::kOutOfOrderSequence);
  ASSERT_TRUE(world.append(log, {.producer = id, .producer_epoch = 1, .base_sequence = 0}));
  const auto fenced = world.append(log, {.producer = id, .producer_epoch = 0, .base_sequence = 14});
  EXPECT_EQ(fenced.error().error.code, Errc::kInvalidProducerEpoch);
  EXPECT_EQ(log.log_end(), Offset(15));
}

TEST_P(LogTest, TransactionalRecordsOfClientsAreRefused) {
  Log& log = world.log("t", 0);
  const auto refused =
      world.append(log, {.producer = ProducerId(1), .producer_epoch = 0, .base_sequence = 0, .transactional = true});
  EXPECT_EQ(refused.error().error.code, Errc::kUnsupported);
  EXPECT_EQ(log.log_end(), Offset(0));
}

TEST_P(LogTest, FollowerKeepsTheLeadersOffsetsAndEpochs) {
  Log& log = world.log("t", 0);
  const auto scope = world.shards.enter(0);
  const auto follow = [&](std::int64_t base, int epoch, int current) {
    return log.append_as_follower(
        make_batch({.records = 2, .base_offset = Offset(base), .leader_epoch = LeaderEpoch(epoch)}),
        LeaderEpoch(current));
  };
  ASSERT_TRUE(follow(0, 1, 1));
  ASSERT_TRUE(follow(2, 1, 2));
  EXPECT_EQ(log.log_end(), Offset(4));
  EXPECT_EQ(follow(3, 2, 2).error().code, Errc::kOffsetOutOfRange);
  const auto ahead = follow(4, 5, 2);
  ASSERT_TRUE(ahead);
  EXPECT_EQ(ahead->bytes, 0U);
  EXPECT_EQ(log.log_end(), Offset(4));
  Slice damaged = make_batch({.base_offset = Offset(4), .leader_epoch = LeaderEpoch(2)});
  damaged.mutable_bytes()[70] ^= 1;
  EXPECT_EQ(log.append_as_follower(damaged, LeaderEpoch(2)).error().code, Errc::kCorrupt);
}

TEST_P(LogTest, TruncationCutsRecordsEpochsAndProducers) {
  Log& log = world.log("t", 0, small_segments());
  const ProducerId id(5);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(
        world.append(log, {.value_bytes = 60, .producer = id, .producer_epoch = 0, .base_sequence = i}, i / 10));
  }
  const auto scope = world.shards.enter(0);
  ASSERT_TRUE(*log.truncate_to(Offset(12)));
  EXPECT_EQ(log.log_end(), Offset(12));
  EXPECT_EQ(log.latest_epoch(), LeaderEpoch(1));
  ASSERT_EQ(log.producer_states().size(), 1U);
  EXPECT_EQ(log.producer_states()[0].last_sequence, 11);
  const auto next =
      log.append_as_leader(make_batch({.producer = id, .producer_epoch = 0, .base_sequence = 12}), LeaderEpoch(4));
  ASSERT_TRUE(next) << next.error().error.message;
  EXPECT_EQ(next->first_offset, Offset(12));
  ASSERT_TRUE(log.truncate_fully_and_start_at(Offset(100)));
  EXPECT_EQ(log.log_start(), Offset(100));
  EXPECT_EQ(log.log_end(), Offset(100));
  EXPECT_TRUE(log.producer_states().empty());
}

TEST_P(LogTest, DeleteRecordsMovesTheStartAndRetentionFollows) {
  Log& log = world.log("t", 0, small_segments());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(world.append(log, {.value_bytes = 60}));
  {
    const auto scope = world.shards.enter(0);
    EXPECT_EQ(log.delete_records_before(Offset(10)).error().code, Errc::kOffsetOutOfRange);
    EXPECT_EQ(log.set_high_watermark(Offset(1000)), Offset(30));
    ASSERT_TRUE(*log.delete_records_before(Offset(10)));
  }
  EXPECT_EQ(world.read(log, 9).error().code, Errc::kOffsetOutOfRange);
  const std::size_t before = log.segment_count();
  ASSERT_GT(*world.delete_old_segments(log, runtime::ManualClock::kStartWallMs), 0);
  EXPECT_LT(log.segment_count(), before);
  EXPECT_LE(log.first_segment_base(), Offset(10));
  EXPECT_EQ(log.log_start(), Offset(10));
  EXPECT_EQ(offsets_in(world.read(log, 10, {.max_bytes = 1})->records)[0].base, 10);
}

TEST_P(LogTest, RetentionByTimeRemovesTheWholeLogAndFilesGoLater) {
  LogConfig config = small_segments();
  config.retention_ms = 1000;
  config.file_delete_delay_ms = 500;
  Log& log = world.log("t", 0, config);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(world.append(log, {.value_bytes = 60}));
  {
    const auto scope = world.shards.enter(0);
    log.set_high_watermark(log.log_end());
  }
  ASSERT_GT(*world.delete_old_segments(log, runtime::ManualClock::kStartWallMs + 2000), 1);
  EXPECT_EQ(log.log_start(), Offset(20));
  EXPECT_EQ(log.log_end(), Offset(20));
  EXPECT_EQ(log.segment_count(), 1U);
  EXPECT_EQ(log.size_bytes(), 0U);
  EXPECT_TRUE(world.files().exists("/data/t-0/00000000000000000000.log.deleted"));
  world.shards.advance(std::chrono::milliseconds(600));
  {
    const auto scope = world.shards.enter(0);
    log.delete_due_files();
  }
  world.shards.run_until_idle();
  EXPECT_FALSE(world.files().exists("/data/t-0/00000000000000000000.log.deleted"));
  ASSERT_TRUE(world.append(log, {}));
  EXPECT_EQ(log.log_end(), Offset(21));
}

TEST_P(LogTest, AFullDiskRefusesTheBatchAndTheDirectoryStaysOnline) {
  Log& log = world.log("t", 0);
  ASSERT_TRUE(world.append(log, {.value_bytes = 1000}));
  world.files().set_capacity(world.files().used_bytes());
  const auto full = world.append(log, {.value_bytes = 100'000});
  EXPECT_EQ(full.error().error.code, Errc::kNoSpace);
  EXPECT_EQ(log.log_end(), Offset(1));
  world.files().set_capacity(1U << 30U);
  const auto next = world.append(log, {.value_bytes = 100'000});
  ASSERT_TRUE(next) << next.error().error.message;
  EXPECT_EQ(next->first_offset, Offset(1));
  EXPECT_EQ(offsets_in(world.read(log, 0)->records).size(), 2U);
}

TEST_P(LogTest, AShortWriteIsCutOffBeforeTheNextAppend) {
  Log& log = world.log("t", 0);
  ASSERT_TRUE(world.append(log, {}));
  world.files().inject({.operation = FileOperation::kWrite,
                        .path_part = ".log",
                        .error = Errc::kNoSpace,
                        .times = 1,
                        .write_bytes = 30});
  EXPECT_EQ(world.append(log, {.value_bytes = 200}).error().error.code, Errc::kNoSpace);
  EXPECT_EQ(world.files().content("/data/t-0/00000000000000000000.log")->size(), log.size_bytes());
  ASSERT_TRUE(world.append(log, {}));
  EXPECT_EQ(offsets_in(world.read(log, 0)->records), (std::vector<OffsetRange>{{0, 0}, {1, 1}}));
}

TEST_P(LogTest, CommitsShareASync) {
  Log& log = world.log("t", 0);
  ASSERT_TRUE(world.append(log, {}));
  ASSERT_TRUE(world.commit(log));  // new directory entries and all
  const auto before = world.files().count(FileOperation::kSync);
  world.shards.set_io_delay(std::chrono::milliseconds(10));
  int done = 0;
  const auto waiter = [](Log* waited, Offset upto, int* counter) -> runtime::Task<void> {
    const auto committed = co_await waited->commit(upto);
    EXPECT_TRUE(committed);
    EXPECT_GE(waited->flushed_end(), upto);
    ++*counter;
  };
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(world.append(log, {}));
    const auto scope = world.shards.enter(0);
    runtime::spawn(waiter(&log, log.log_end(), &done));
  }
  world.shards.run_until([&] { return done == 50; });
  EXPECT_LE(world.files().count(FileOperation::kSync) - before, 2U);
  EXPECT_EQ(log.flushed_end(), log.log_end());
  EXPECT_EQ(log.acknowledged_end(), log.log_end());
}

TEST_P(LogTest, TheFirstFailedSyncTakesTheDirectoryOffline) {
  Log& log = world.log("t", 0);
  Log& other = world.log("t", 1);
  ASSERT_TRUE(world.append(log, {}));
  ASSERT_TRUE(world.append(other, {}));
  int failures = 0;
  world.manager->on_directory_failed([&](LogDirectory&, const Error&) { ++failures; });
  world.shards.run_until_idle();
  world.files().inject({.operation = FileOperation::kSync, .path_part = ".log", .error = Errc::kIo, .times = 1});
  EXPECT_EQ(world.commit(log).error().code, Errc::kStorage);
  EXPECT_EQ(log.flushed_end(), Offset(0));
  EXPECT_EQ(world.commit(log).error().code, Errc::kStorage);
  EXPECT_EQ(world.commit(other).error().code, Errc::kStorage);
  EXPECT_EQ(world.append(other, {}).error().error.code, Errc::kStorage);
  EXPECT_EQ(world.read(other, 0).error().code, Errc::kStorage);
  world.shards.run_until_idle();
  EXPECT_EQ(failures, 1);
}

TEST_P(LogTest, SmallSlicesDoNotPinTheirBuffers) {
  Log& log = world.log("t", 0);
  const auto scope = world.shards.enter(0);
  const Slice small = make_batch({});
  auto [big, into] = Slice::allocate(1U << 20U);
  std::ranges::copy(small.bytes(), into.begin());
  const auto before = world.shards.at(0).buffers().allocated_bytes();
  ASSERT_TRUE(log.append_as_leader(big.sub(0, small.size()), LeaderEpoch(0)));
  big = Slice();
  EXPECT_LT(world.shards.at(0).buffers().allocated_bytes(), before - (1U << 20U) + 4096);
  EXPECT_EQ(offsets_in(log.read(Offset(0), {})->records).size(), 1U);
}

TEST_P(LogTest, PageCacheModeAcknowledgesWithoutASync) {
  LogConfig config;
  config.flush_messages = kMaxLong;
  Log& log = world.log("t", 0, config);
  ASSERT_TRUE(world.append(log, {}));
  EXPECT_EQ(log.acknowledged_end(), Offset(1));
  EXPECT_EQ(log.flushed_end(), Offset(0));
  config.flush_messages = 3;
  log.update_config(config);
  ASSERT_TRUE(world.append(log, {}));
  world.shards.run_until_idle();
  EXPECT_EQ(log.flushed_end(), Offset(0));
  ASSERT_TRUE(world.append(log, {}));
  world.shards.run_until_idle();
  EXPECT_EQ(log.flushed_end(), Offset(3));
}

}  // namespace
}  // namespace dohle::storage

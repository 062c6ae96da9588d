// Segments that have rotted, as a start finds them: nothing that was durable is given up for it.
#include <gtest/gtest.h>
#include <records/batch.h>

#include "storage_world.h"

namespace dohle::storage {
namespace {

using runtime::CrashLoss;

constexpr int kBatches = 20;
const std::string kFirstSegment = "/data/t-0/00000000000000000000.log";

// The length of a batch, its magic, its offsets, its first record: what a walk by headers meets, and what it does not.
constexpr std::size_t kPlaces[] = {records::layout::kLength + 1, records::layout::kLength + 3, records::layout::kMagic,
                                   records::layout::kLastOffsetDelta, records::kBatchHeaderBytes + 10};

// A node with one partition of batches of one record and one size each, from a producer: a start reads those again.
class Life {
 public:
  explicit Life(std::size_t shards, std::size_t bytes = 50, int index_interval_bytes = 300)
      : value_bytes(bytes), world(shards) {
    config.index_interval_bytes = index_interval_bytes;
    world.start();
    log = &world.log("t", 0, config);
    for (int i = 0; i < kBatches; ++i) append(i);
    EXPECT_TRUE(world.commit(*log));
    log->set_high_watermark(log->log_end());
  }
  void append(int i) {
    expect_at(i, {.value_bytes = value_bytes, .producer = ProducerId(9), .producer_epoch = 0, .base_sequence = i});
  }
  // As a producer that begins anew: of a batch that rotted nobody knows the numbers, when a crash took the snapshot.
  void append_anew(int i) { expect_at(i, {.value_bytes = value_bytes}); }
  void expect_at(int i, const BatchSpec& spec) {
    const auto appended = world.append(*log, spec);
    ASSERT_TRUE(appended) << appended.error().error.message;
    EXPECT_EQ(appended->first_offset, Offset(i));
    EXPECT_FALSE(appended->duplicate);
  }
  void start() {
    world.start({}, {.config_for = [this](const std::string&) { return config; }});
    log = world.manager->on(0).find({"t", 0});
    ASSERT_NE(log, nullptr);
  }
  // The checkpoint of high watermarks is written every five seconds.
  void wait_for_checkpoints() {
    {
      const auto scope = world.shards.enter(0);
      world.manager->start();
    }
    world.shards.advance(std::chrono::seconds(6));
  }
  void flip(std::int64_t batch, std::size_t byte) {
    const std::uint64_t size = *world.files().file_size(kFirstSegment) / kBatches;
    ASSERT_TRUE(world.files().flip_bit(kFirstSegment, (static_cast<std::uint64_t>(batch) * size + byte) * 8 + 6));
  }
  [[nodiscard]] bool can_read(std::int64_t offset) {
    const auto read = world.read(*log, offset, {.max_bytes = 1});
    if (!read) return false;
    const std::string bytes = flatten(read->records);
    const auto batch = records::BatchView::parse(as_bytes(bytes));
    return batch && batch->crc_ok() && batch->base_offset() == Offset(offset);
  }
  void expect_all_but(std::int64_t lost) {
    for (std::int64_t offset = 0; offset < log->log_end().value(); ++offset) {
      EXPECT_EQ(can_read(offset), offset != lost) << offset;
    }
  }

  std::size_t value_bytes;
  LogConfig config;
  StorageWorld world;
  Log* log = nullptr;
};

class Rot : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, Rot, ::testing::Values(1, 4));

TEST_P(Rot, ACleanStartCutsNothing) {
  for (const std::size_t place : kPlaces) {
    for (const std::int64_t batch : {0, 7, kBatches - 1}) {
      SCOPED_TRACE(testing::Message() << "byte " << place << " of batch " << batch);
      Life life(GetParam());
      life.world.stop_cleanly();
      life.flip(batch, place);
      life.start();
      ASSERT_EQ(life.log->log_end(), Offset(kBatches));
      life.expect_all_but(batch);
      life.append(kBatches);
      EXPECT_TRUE(life.can_read(kBatches));
      ASSERT_TRUE(life.world.commit(*life.log));
      life.world.stop_cleanly();
      life.start();
      EXPECT_EQ(life.log->log_end(), Offset(kBatches + 1));
      EXPECT_TRUE(life.can_read(kBatches));
    }
  }
}

// As when another partition, or the disk, fails the start: the marker of the clean stop is gone then.
TEST_P(Rot, NorDoesTheStartAfterAFailedOne) {
  for (const std::size_t place : kPlaces) {
    for (const std::int64_t batch : {0, 7, kBatches - 1}) {
      SCOPED_TRACE(testing::Message() << "byte " << place << " of batch " << batch);
      Life life(GetParam());
      life.world.stop_cleanly();
      life.flip(batch, place);
      ASSERT_TRUE(life.world.files().remove_file("/data/.kafka_cleanshutdown"));
      life.start();
      ASSERT_EQ(life.log->log_end(), Offset(kBatches));
      life.expect_all_but(batch);
      life.append_anew(kBatches);
      EXPECT_TRUE(life.can_read(kBatches));
    }
  }
}

TEST_P(Rot, AfterACrashWhatTheHighWatermarkCoveredStays) {
  for (const std::size_t place : kPlaces) {
    for (const std::int64_t batch : {0, 7, kBatches - 1}) {
      SCOPED_TRACE(testing::Message() << "byte " << place << " of batch " << batch);
      Life life(GetParam());
      life.wait_for_checkpoints();
      life.world.crash(CrashLoss::kUnsynced);
      life.flip(batch, place);
      life.start();
      ASSERT_EQ(life.log->log_end(), Offset(kBatches));
      life.expect_all_but(batch);
      life.append_anew(kBatches);
      EXPECT_TRUE(life.can_read(kBatches));
    }
  }
}

// What nothing says was durable may have been torn.
TEST_P(Rot, AfterACrashATornTailIsCut) {
  Life life(GetParam());
  life.world.crash(CrashLoss::kUnsynced);
  life.flip(kBatches - 1, records::kBatchHeaderBytes + 10);
  life.start();
  EXPECT_EQ(life.log->log_end(), Offset(kBatches - 1));
}

// A batch that claims to end later does not hide what comes after it, and an entry that claims it ended earlier no
// record.
TEST_P(Rot, NeitherABatchNorItsEntryHidesAnother) {
  Life life(GetParam());
  life.world.stop_cleanly();
  life.flip(6, records::layout::kLastOffsetDelta + 3);  // 64 more
  life.start();
  for (std::int64_t offset = 7; offset < kBatches; ++offset) EXPECT_TRUE(life.can_read(offset)) << offset;
  Life other(GetParam());
  other.world.stop_cleanly();
  const std::string index = "/data/t-0/00000000000000000000.index";
  const auto entries = *other.world.files().file_size(index) / 8;
  ASSERT_GT(entries, 2U);
  for (std::uint64_t entry = 0; entry < entries; ++entry) {
    ASSERT_TRUE(other.world.files().flip_bit(index, (entry * 8 + 3) * 8));
  }
  other.start();
  for (std::int64_t offset = 0; offset < kBatches; ++offset) EXPECT_TRUE(other.can_read(offset)) << offset;
}

// Nor one whose length grew by just the batches behind it. Offsets may be missing between two batches, but then the
// first of them is sound.
TEST_P(Rot, NorDoesOneThatSwallowsWholeOnes) {
  for (const int batch : {6, kBatches - 3}) {
    Life life(GetParam(), 59, 4096);
    ASSERT_EQ(*life.world.files().file_size(kFirstSegment), kBatches * 128U);
    life.world.stop_cleanly();
    const std::uint64_t byte = batch * 128U + records::layout::kLength + 2;
    ASSERT_TRUE(life.world.files().flip_bit(kFirstSegment, byte * 8));  // 256 more
    life.start();
    life.expect_all_but(batch);
  }
}

// As after compaction: where the batch before missing offsets has rotted, and nothing is behind them but what follows.
TEST_P(Rot, MissingOffsetsArePassedBehindABatchThatRotted) {
  Life life(GetParam(), 59, 4096);
  life.world.stop_cleanly();
  const auto file = life.world.files().open(kFirstSegment, runtime::OpenMode::kReadWrite);
  std::vector<std::uint8_t> kept(5U * 128);
  ASSERT_EQ((*file)->read_at(15U * 128, kept), kept.size());
  ASSERT_TRUE((*file)->write_at(10U * 128, kept));
  ASSERT_TRUE((*file)->truncate(15U * 128));
  ASSERT_TRUE(life.world.files().flip_bit(kFirstSegment, (9U * 128 + records::kBatchHeaderBytes + 10) * 8));
  life.start();
  ASSERT_EQ(life.log->log_end(), Offset(kBatches));
  for (std::int64_t offset = 10; offset < 15; ++offset) {
    const auto read = life.world.read(*life.log, offset, {.max_bytes = 1});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(offsets_in(read->records), (std::vector<OffsetRange>{{15, 15}})) << offset;
  }
}

// A checkpoint that says what cannot be is not believed: nothing is deleted for it.
TEST_P(Rot, ALogStartBehindTheEndDeletesNothing) {
  for (const bool clean : {true, false}) {
    Life life(GetParam());
    life.wait_for_checkpoints();
    clean ? life.world.stop_cleanly() : life.world.crash(CrashLoss::kUnsynced);
    const auto file = life.world.files().open("/data/log-start-offset-checkpoint", runtime::OpenMode::kTruncate);
    ASSERT_TRUE((*file)->write_at(0, as_bytes("0\n1\nt 0 90\n")));
    life.start();
    EXPECT_EQ(life.log->log_start(), Offset(0));
    EXPECT_EQ(life.log->log_end(), Offset(kBatches));
    EXPECT_TRUE(life.can_read(0));
  }
}

// Nor does a recovery point make the log longer than it is.
TEST_P(Rot, ARecoveryPointBehindTheEndMovesNothing) {
  Life life(GetParam());
  life.world.stop_cleanly();
  const auto file = life.world.files().open("/data/recovery-point-offset-checkpoint", runtime::OpenMode::kTruncate);
  ASSERT_TRUE((*file)->write_at(0, as_bytes("0\n1\nt 0 90\n")));
  life.start();
  EXPECT_EQ(life.log->log_end(), Offset(kBatches));
  life.append(kBatches);
}

// A log like that of the metadata, with a batch a second (and a clock that was set), of which one cannot be read.
Result<Offset> end_of_metadata_log(StorageWorld& world, int damaged, int clock_set_before, int batches) {
  const auto scope = world.shards.enter(0);
  const auto open = [&] {
    return world.manager->on(0).open_unmanaged(*world.manager->directories()[0], {.path = "/data/m-0",
                                                                                 .partition = {"m", 0},
                                                                                 .config = {},
                                                                                 .had_clean_shutdown = false,
                                                                                 .refuse_rot = true});
  };
  DOHLE_ASSIGN(auto log, open());
  std::int64_t now_ms = BatchSpec{}.timestamp_ms;
  for (int i = 0; i < batches; ++i) {
    now_ms += i == clock_set_before ? 60'000 : 1000;
    DOHLE_CHECK(log->append_as_leader(make_batch({.timestamp_ms = now_ms}), LeaderEpoch(0)).has_value());
  }
  log.reset();
  const std::string path = "/data/m-0/00000000000000000000.log";
  const std::uint64_t size = *world.files().file_size(path) / static_cast<std::uint64_t>(batches);
  DOHLE_CHECK(world.files().flip_bit(path, (static_cast<std::uint64_t>(damaged) * size + size - 1) * 8));
  DOHLE_ASSIGN(log, open());
  return log->log_end();
}

TEST(RotOfMetadata, WhatTheLogLivedOnAfterIsNotCut) {
  StorageWorld world;
  world.start();
  const auto end = end_of_metadata_log(world, 3, -1, 15);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::kCorrupt);
}

TEST(RotOfMetadata, ATailThatAPowerLossToreIsCut) {
  StorageWorld world;
  world.start();
  EXPECT_EQ(end_of_metadata_log(world, 3, -1, 10), Offset(3));
}

// Of two batches that were on their way to the disk together it may have kept the second.
TEST(RotOfMetadata, AClockThatWasSetIsNotTimeThatPassed) {
  StorageWorld world;
  world.start();
  EXPECT_EQ(end_of_metadata_log(world, 3, 4, 6), Offset(3));
}

}  // namespace
}  // namespace dohle::storage

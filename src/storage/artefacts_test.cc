// The small files and the pure rules, one by one.
#include <gtest/gtest.h>
#include <runtime/memory/manual_clock.h>
#include <runtime/wall_clock_guard.h>

#include <runtime/memory/memory_file_system.h>
#include "checkpoint_file.h"
#include "clean_marker.h"
#include "leader_epoch_cache.h"
#include "log_files.h"
#include "partition_metadata.h"
#include "retention.h"
#include "settled_clock_file.h"
#include "storage/meta_properties.h"

namespace dohle::storage {
namespace {

TEST(LogFiles, NamesAreTwentyDigits) {
  EXPECT_EQ(file_name(Offset(1234), kTimeIndexSuffix), "00000000000000001234.timeindex");
  EXPECT_EQ(offset_in_name("00000000000000001234.timeindex", kTimeIndexSuffix), Offset(1234));
  EXPECT_FALSE(offset_in_name("00000000000000001234.index", kTimeIndexSuffix));
  EXPECT_FALSE(offset_in_name("0000000000000001234.log", kLogSuffix));
  EXPECT_FALSE(offset_in_name("99999999999999999999.log", kLogSuffix));  // no int64
  EXPECT_EQ(leading_offset("00000000000000000007.log.deleted"), Offset(7));
}

TEST(LogFiles, PartitionDirectories) {
  const auto live = parse_partition_directory("my-topic.v2-17");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->partition, (TopicPartition{"my-topic.v2", 17}));
  EXPECT_EQ(live->kind, DirectoryKind::kLive);
  for (const auto* bad : {"notopic", "-1", "t-", "t-x", "t-0-delete", "t-0.zz-stray", "lost+found"}) {
    EXPECT_FALSE(parse_partition_directory(bad)) << bad;
  }
  const auto name = retired_directory_name({std::string(249, 'a'), 3}, DirectoryKind::kDelete, Uuid{1, 2});
  EXPECT_EQ(name.size(), 255U);
  EXPECT_TRUE(name.ends_with("-3.00000000000000010000000000000002-delete")) << name;
  EXPECT_EQ(parse_partition_directory(name)->kind, DirectoryKind::kDelete);
  EXPECT_EQ(parse_partition_directory("t-0.0123456789abcdef0123456789abcdef-stray")->partition,
            (TopicPartition{"t", 0}));
}

TEST(CheckpointFile, OffsetsAndEpochs) {
  const OffsetMap offsets{{{"a", 0}, Offset(5)}, {{"b.c-d", 12}, Offset(7)}};
  EXPECT_EQ(format_offset_checkpoint(offsets), "0\n2\na 0 5\nb.c-d 12 7\n");
  EXPECT_EQ(*parse_offset_checkpoint(format_offset_checkpoint(offsets)), offsets);
  EXPECT_TRUE(parse_offset_checkpoint("")->empty());
  EXPECT_EQ(*parse_epoch_checkpoint("0\n2\n0 0\n4 100\n"),
            (std::vector<EpochEntry>{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(4), Offset(100)}}));
  for (const auto* bad : {"1\n0\n", "x\n", "0\n2\na 0 5\n", "0\n1\na 0\n", "0\n1\na 0 5\nb 0 6\n", "0\n1\na b c\n",
                          "0\n", "0", "0\n1\na 0 5"}) {
    EXPECT_FALSE(parse_offset_checkpoint(bad)) << bad;
  }
  EXPECT_FALSE(parse_epoch_checkpoint("0\n1\n-1 5\n"));
}

TEST(CleanMarker, HoldsTheBrokerEpoch) {
  EXPECT_EQ(format_clean_marker(12), R"({"version":0,"brokerEpoch":12})");
  EXPECT_EQ(parse_clean_marker(R"({ "brokerEpoch" : 99, "version": 0 })"), 99);
  EXPECT_EQ(parse_clean_marker(""), -1);
  EXPECT_EQ(parse_clean_marker(R"({"version":0})"), -1);
}

TEST(PartitionMetadata, AsKafkaWritesIt) {
  const auto id = parse_partition_metadata("version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ");
  ASSERT_TRUE(id);
  EXPECT_EQ(format_partition_metadata(*id), "version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ");
  EXPECT_FALSE(parse_partition_metadata("version: 1\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ"));
  EXPECT_FALSE(parse_partition_metadata("version: 0\n"));
  EXPECT_FALSE(parse_partition_metadata("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA"));
}

TEST(MetaPropertiesFile, JavaProperties) {
  const auto meta = parse_meta_properties(
      "#\n#Sat Nov 21 01:00:00 UTC 2026\ncluster.id=AAAAAAAAQACAAAAAAAAAAQ\ndirectory.id=AAAAAAAAQACAAAAAAAAAAg\n"
      "node.id = 7\nversion:1\nunknown.key=x\\\n   y\n");
  ASSERT_TRUE(meta) << meta.error().message;
  EXPECT_EQ(meta->node_id, 7);
  EXPECT_EQ(meta->cluster_id, "AAAAAAAAQACAAAAAAAAAAQ");
  EXPECT_EQ(meta->directory_id->to_string(), "AAAAAAAAQACAAAAAAAAAAg");
  EXPECT_EQ(parse_meta_properties(format_meta_properties(*meta))->directory_id, meta->directory_id);
  const auto old = parse_meta_properties("version=0\nbroker.id=3\n");
  EXPECT_EQ(old->node_id, 3);
  EXPECT_FALSE(parse_meta_properties("version=2\nnode.id=1\ncluster.id=a"));
  EXPECT_FALSE(parse_meta_properties("version=1\nnode.id=one\ncluster.id=a"));
  EXPECT_FALSE(parse_meta_properties("version=1\nnode.id=1\n"));
}

TEST(WallClockGuard, AJumpWhileNobodyLookedIsAJump) {
  constexpr std::int64_t kHourMs = 3'600'000;
  runtime::WallClockGuard guard;
  guard.remember(1000, 5 * kHourMs);
  EXPECT_EQ(guard.accept(2000, 6 * kHourMs), 5 * kHourMs + 1000);
  EXPECT_EQ(guard.accept(2000 + kHourMs, 7 * kHourMs), 7 * kHourMs);
}

TEST(SettledClock, IsKeptInAFile) {
  runtime::ManualClock clock;
  runtime::MemoryFileSystem files(clock);
  ASSERT_TRUE(files.create_directories("d"));
  EXPECT_FALSE(read_settled_clock(files, "d"));
  ASSERT_TRUE(write_settled_clock(files, "d", 1234));
  EXPECT_EQ(read_settled_clock(files, "d"), 1234);
  const auto file = files.open("d/.dohle-clock", runtime::OpenMode::kTruncate).value();
  for (const std::string_view bad : {"12", "x\n", "-5\n", "\n", "1 2\n"}) {
    ASSERT_TRUE(file->truncate(0));
    ASSERT_TRUE(file->write_at(0, as_bytes(bad)));
    EXPECT_FALSE(read_settled_clock(files, "d")) << bad;
  }
}

TEST(WallClockGuard, JumpsCountAfterHalfAnHour) {
  constexpr std::int64_t kMinute = 60'000;
  runtime::WallClockGuard guard;
  EXPECT_EQ(guard.accept(0, 1'000'000), 1'000'000);
  EXPECT_EQ(guard.accept(kMinute, 1'000'000 + 3 * kMinute), 1'000'000 + 3 * kMinute);
  const std::int64_t base = 1'000'000 + 3 * kMinute;
  const std::int64_t jumped = base + 1000 * kMinute;
  EXPECT_EQ(guard.accept(2 * kMinute, jumped), base + kMinute);
  EXPECT_EQ(guard.accept(20 * kMinute, jumped + 18 * kMinute), base + 19 * kMinute);
  EXPECT_EQ(guard.accept(32 * kMinute, jumped + 30 * kMinute), jumped + 30 * kMinute);
  // Back in between: nothing happened.
  runtime::WallClockGuard other;
  EXPECT_EQ(other.accept(0, 0), 0);
  EXPECT_EQ(other.accept(kMinute, 100 * kMinute), kMinute);
  EXPECT_EQ(other.accept(2 * kMinute, 2 * kMinute), 2 * kMinute);
  EXPECT_EQ(other.accept(33 * kMinute, 133 * kMinute), 33 * kMinute);
}

TEST(LeaderEpochCache, AssignAndTruncate) {
  LeaderEpochCache cache;
  EXPECT_TRUE(cache.assign(LeaderEpoch(1), Offset(0)));
  EXPECT_FALSE(cache.assign(LeaderEpoch(1), Offset(5)));
  EXPECT_TRUE(cache.assign(LeaderEpoch(3), Offset(10)));
  EXPECT_TRUE(cache.assign(LeaderEpoch(5), Offset(20)));
  EXPECT_EQ(cache.epoch_at(Offset(15)), LeaderEpoch(3));
  EXPECT_EQ(cache.end_offset_for(LeaderEpoch(0), Offset(30)).end_offset, Offset(0));
  EXPECT_EQ(cache.end_offset_for(LeaderEpoch(4), Offset(30)).epoch, LeaderEpoch(3));
  EXPECT_EQ(cache.end_offset_for(LeaderEpoch(4), Offset(30)).end_offset, Offset(20));
  EXPECT_EQ(cache.end_offset_for(kNoLeaderEpoch, Offset(30)).end_offset, kNoOffset);
  EXPECT_TRUE(cache.truncate_from_start(Offset(12)));
  EXPECT_EQ(cache.earliest()->start, Offset(12));
  EXPECT_EQ(cache.earliest()->epoch, LeaderEpoch(3));
  EXPECT_FALSE(cache.truncate_from_start(Offset(12)));
  EXPECT_TRUE(cache.truncate_from_end(Offset(20)));
  EXPECT_EQ(cache.latest()->epoch, LeaderEpoch(3));
  // A conflicting entry pushes out what it contradicts.
  EXPECT_TRUE(cache.assign(LeaderEpoch(2), Offset(11)));
  EXPECT_EQ(cache.entries().size(), 1U);
}

TEST(Retention, BySizeTimeAndLogStart) {
  const std::vector<SegmentFacts> segments{
      {Offset(0), 100, 1000}, {Offset(10), 100, 2000}, {Offset(20), 100, 3000}, {Offset(30), 50, 4000}};
  const RetentionInput input{
      .log_start = Offset(0), .log_end = Offset(35), .high_watermark = Offset(35), .now_ms = 10'000};
  LogConfig config;
  config.retention_ms = -1;
  EXPECT_EQ(plan_retention(segments, input, config).delete_count, 0U);
  config.retention_bytes = 150;  // 350 - 100 - 100 = 150
  EXPECT_EQ(plan_retention(segments, input, config).delete_count, 2U);
  config.retention_bytes = 151;
  EXPECT_EQ(plan_retention(segments, input, config).delete_count, 1U);
  config.retention_bytes = -1;
  config.retention_ms = 7000;
  EXPECT_EQ(plan_retention(segments, input, config).delete_count, 2U);
  config.retention_ms = 0;
  EXPECT_EQ(plan_retention(segments, input, config).delete_count, 4U);
  auto behind = input;
  behind.high_watermark = Offset(25);
  EXPECT_EQ(plan_retention(segments, behind, config).delete_count, 2U);
  config.cleanup_delete = false;
  auto moved = input;
  moved.log_start = Offset(20);
  EXPECT_EQ(plan_retention(segments, moved, config).delete_count, 2U);
}

}  // namespace
}  // namespace dohle::storage

// A log directory without space, seen by the clients of a whole node: appends of clients are refused, all else goes on,
// and when there is space again so do they.
#include <gtest/gtest.h>

#include <protocol/messages/delete_records_request.h>
#include <protocol/messages/delete_records_response.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>

#include "node_world.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using runtime::FileOperation;
using std::chrono::seconds;

constexpr std::uint64_t kDisk = 4ULL << 30U;

class FullDisk : public ::testing::TestWithParam<std::size_t> {
 protected:
  FullDisk() : world(GetParam(), {{"log.retention.check.interval.ms", "1000"}}) {
    world.files().set_capacity(kDisk);
    world.start();
    EXPECT_EQ(world.create_topic("t", 2, {{"segment.bytes", "1048576"}, {"file.delete.delay.ms", "1000"}}),
              ErrorCode::kNone);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(produce_large().error, ErrorCode::kNone);
    EXPECT_EQ(commit_offset(1), ErrorCode::kNone);
  }

  Produced produce_large() { return world.produce("t", 0, {.value_bytes = 600'000}); }
  // Nothing is left, and what had been allocated ahead is used up.
  void fill() {
    const auto ballast = world.files().open("/ballast", runtime::OpenMode::kCreate);
    ASSERT_TRUE((*ballast)->allocate(0, kDisk - world.files().used_bytes()));
    for (int i = 0; i < 100 && world.produce("t", 1, {.value_bytes = 2000}).error == ErrorCode::kNone; ++i) ++in_one;
    ASSERT_EQ(world.produce("t", 1, {.value_bytes = 2000}).error, ErrorCode::kKafkaStorageError);
  }
  void free_up() { ASSERT_TRUE(world.files().remove_file("/ballast")); }
  ErrorCode commit_offset(std::int64_t offset) {
    protocol::OffsetCommitRequest request;
    request.group_id = "g";
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    auto& part = topic.partitions.emplace_back();
    part.committed_offset = offset;
    for (int tries = 0; tries < 20; ++tries) {
      const auto answer = world.call(request, 8);
      const auto error = protocol::error_code_from(answer.topics.at(0).partitions.at(0).error_code);
      if (error != ErrorCode::kNotCoordinator && error != ErrorCode::kCoordinatorLoadInProgress) return error;
      if (tries == 0) find_coordinator();
      world.shards.advance(seconds(1));
    }
    return ErrorCode::kNotCoordinator;
  }
  // Makes the internal topic where there is none.
  void find_coordinator() {
    protocol::FindCoordinatorRequest request;
    request.coordinator_keys.emplace_back("g");
    static_cast<void>(world.call(request, 4));
  }
  ErrorCode delete_records(std::int32_t partition, std::int64_t offset) {
    protocol::DeleteRecordsRequest request;
    request.timeout_ms = 1000;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    auto& part = topic.partitions.emplace_back();
    part.partition_index = partition;
    part.offset = offset;
    return protocol::error_code_from(world.call(request, 2).topics.at(0).partitions.at(0).error_code);
  }

  NodeWorld world;
  std::int64_t in_one = 0;  // records in partition 1
};
INSTANTIATE_TEST_SUITE_P(Shards, FullDisk, ::testing::Values(1, 4));

TEST_P(FullDisk, RefusesAppendsAndGoesOnByItselfWhenThereIsSpace) {
  fill();
  EXPECT_EQ(produce_large().error, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(world.fetch("t", 0, 0, 0, 100 << 20).base_offsets.size(), 5U);  // the directory is online
  EXPECT_EQ(world.fetch("t", 1, 0, 0, 100 << 20).high_watermark, in_one);
  free_up();
  EXPECT_EQ(produce_large().base_offset, 5);
  EXPECT_EQ(world.produce("t", 1).base_offset, in_one);
  EXPECT_EQ(world.fetch("t", 0, 0, 0, 100 << 20).base_offsets.size(), 6U);
}

TEST_P(FullDisk, DeletingRecordsMakesRoom) {
  fill();
  EXPECT_EQ(delete_records(0, -1), ErrorCode::kNone);
  EXPECT_EQ(world.fetch("t", 0, 0).error, ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(produce_large().error, ErrorCode::kKafkaStorageError);
  world.shards.advance(seconds(10));  // retention, and the files' delay
  EXPECT_EQ(produce_large().base_offset, 5);
}

TEST_P(FullDisk, DeletingATopicMakesRoom) {
  ASSERT_EQ(world.create_topic("doomed", 1, {{"file.delete.delay.ms", "1000"}}), ErrorCode::kNone);
  ASSERT_EQ(world.produce("doomed", 0, {.value_bytes = 700'000}).error, ErrorCode::kNone);
  fill();
  EXPECT_EQ(world.delete_topic("doomed"), ErrorCode::kNone);
  world.shards.advance(seconds(5));
  EXPECT_EQ(produce_large().base_offset, 5);
}

TEST_P(FullDisk, GroupsAndAdministrationGoOn) {
  fill();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(commit_offset(i), ErrorCode::kNone);
  ASSERT_EQ(world.create_topic("later", 3), ErrorCode::kNone);
  EXPECT_EQ(world.produce("later", 1).error, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(world.fetch("later", 1, 0).error, ErrorCode::kNone);
  EXPECT_EQ(world.delete_topic("t"), ErrorCode::kNone);
  free_up();
  world.shards.advance(seconds(10));  // the reserve was used, and is made again first
  EXPECT_EQ(world.produce("later", 1).base_offset, 0);
}

// A real disk has no room for a directory or a file either; the logs are made when it has.
TEST_P(FullDisk, LogsThatCannotBeMadeAreMadeLater) {
  fill();
  world.files().inject({.operation = FileOperation::kCreateDirectory, .path_part = "/new-0", .error = Errc::kNoSpace});
  world.files().inject({.operation = FileOperation::kOpen, .path_part = "/new-1", .error = Errc::kNoSpace});
  ASSERT_EQ(world.create_topic("new", 2), ErrorCode::kNone);
  EXPECT_EQ(world.produce("new", 0).error, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(world.produce("new", 1).error, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(world.fetch("new", 0, 0).error, ErrorCode::kKafkaStorageError);
  world.files().clear_faults();
  free_up();
  world.shards.advance(seconds(5));
  EXPECT_EQ(world.produce("new", 0).base_offset, 0);
  EXPECT_EQ(world.produce("new", 1).base_offset, 0);
}

TEST_P(FullDisk, ATopicThatCouldNotBeMadeCanBeDeleted) {
  world.files().inject({.operation = FileOperation::kOpen, .path_part = "/new-", .error = Errc::kNoSpace});
  ASSERT_EQ(world.create_topic("new", 2), ErrorCode::kNone);
  EXPECT_EQ(world.delete_topic("new"), ErrorCode::kNone);
  world.files().clear_faults();
  world.shards.advance(seconds(70));
  EXPECT_EQ(world.create_topic("new", 2), ErrorCode::kNone);
  EXPECT_EQ(world.produce("new", 0).base_offset, 0);
}

TEST_P(FullDisk, TheNodeStopsAndStarts) {
  fill();
  for (int restart = 0; restart < 3; ++restart) {
    world.stop();
    const auto started = world.try_start();
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(world.fetch("t", 0, 0, 0, 100 << 20).high_watermark, 5);
    EXPECT_EQ(produce_large().error, ErrorCode::kKafkaStorageError);
    EXPECT_EQ(commit_offset(restart), ErrorCode::kNone);
  }
  free_up();
  world.shards.advance(seconds(10));
  EXPECT_EQ(produce_large().base_offset, 5);
}

}  // namespace
}  // namespace dohle::broker

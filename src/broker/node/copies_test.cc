// How often the bytes of a record are copied in memory on their way from a socket into a file and back.
#include <gtest/gtest.h>

#include "frames.h"
#include "node_world.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;

constexpr std::size_t kLarge = std::size_t{1} << 20U;
constexpr std::uint64_t kBeside = 4096;  // of a request and an answer, all that is not records

class Copies : public ::testing::TestWithParam<std::size_t> {
 protected:
  Copies() : world(GetParam()) {
    world.start();
    EXPECT_EQ(world.create_topic("t", 16), ErrorCode::kNone);
    connection = world.raw_connection();
  }
  ~Copies() override {
    const auto scope = world.shards.enter(0);
    frame = Slice();
    connection->close();
    world.shards.run_until_idle();
    connection.reset();
  }
  template <typename M>
  void encode(const M& request, std::int16_t version) {
    const auto scope = world.shards.enter(0);
    frame = frame_of(request, version);
  }
  // Sends the frame; how much was copied until its answer was there.
  std::uint64_t copies() {
    const std::uint64_t before = world.copied_bytes();
    answer_bytes = world.exchange(*connection, frame);
    return world.copied_bytes() - before;
  }
  static protocol::FetchRequest fetch_all(std::int64_t offset) {
    protocol::FetchRequest request;
    request.min_bytes = 1;
    auto& topic = request.topics.emplace_back();
    topic.topic = "t";
    auto& part = topic.partitions.emplace_back();
    part.partition = 3;
    part.fetch_offset = offset;
    part.partition_max_bytes = 1 << 30;
    return request;
  }

  NodeWorld world;
  std::unique_ptr<runtime::Connection> connection;
  Slice frame;
  std::size_t answer_bytes = 0;
};
INSTANTIATE_TEST_SUITE_P(Shards, Copies, ::testing::Values(1, 4));

TEST_P(Copies, LargeBatchesGoFromSocketToFileAndBackWithoutOne) {
  encode(world.produce_request("t", 3, {.value_bytes = kLarge - 1000}), NodeWorld::kProduceVersion);
  // What came along with the length of the first large frame is copied: 16 KiB at most.
  EXPECT_LT(copies(), (16U << 10U) + kBeside);
  for (int i = 0; i < 3; ++i) EXPECT_LT(copies(), kBeside);
  encode(fetch_all(0), NodeWorld::kFetchVersion);
  EXPECT_LT(copies(), kBeside);  // from the tail cache
  EXPECT_GT(answer_bytes, 4 * (kLarge - 1000));
}

TEST_P(Copies, ReadingAFileCopiesNothing) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(world.produce("t", 3, {.value_bytes = kLarge - 1000}).error, ErrorCode::kNone);
  }
  {
    const auto scope = world.shards.enter(0);
    connection->close();
  }
  world.stop();
  world.start();
  connection = world.raw_connection();
  encode(fetch_all(0), NodeWorld::kFetchVersion);
  EXPECT_LT(copies(), kBeside);
  EXPECT_GT(answer_bytes, 3 * (kLarge - 1000));
}

// A small frame is copied out of the buffer it was read into; then the tail cache copies what is less than a quarter of
// it.
TEST_P(Copies, SmallSlicesAreCopiedOnceForTheTailCache) {
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 1000;
  std::uint64_t records = 0;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "t";
  for (int partition = 0; partition < 16; ++partition) {
    const auto one = world.produce_request("t", partition, {.value_bytes = 100});
    topic.partition_data.push_back(one.topic_data[0].partition_data[0]);
    records += topic.partition_data.back().records->size();
  }
  encode(request, NodeWorld::kProduceVersion);
  const std::uint64_t copied = copies();
  EXPECT_GE(copied, records + frame.size() - 4);
  EXPECT_LE(copied, records + frame.size() + 2048);
}

}  // namespace
}  // namespace dohle::broker

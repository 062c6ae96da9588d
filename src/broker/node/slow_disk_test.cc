// A slow log directory, or a huge frame, seen by the clients of a whole node: nobody else waits.
#include <gtest/gtest.h>

#include "node_world.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using runtime::FileOperation;
using std::chrono::milliseconds;

const config::TextMap kTwoDirectories{{"log.dirs", "/meta,/slow"}, {"metadata.log.dir", "/meta"}};

class SlowDirectory : public ::testing::TestWithParam<std::size_t> {
 protected:
  SlowDirectory() : world(GetParam(), kTwoDirectories) {
    world.start();
    EXPECT_EQ(world.create_topic("t", 8), ErrorCode::kNone);
    slow = world.partition_in("t", "/slow");
    fast = world.partition_in("t", "/meta");
  }
  // From here on appends to the directory take 200 ms each, and the node knows.
  void become_slow() {
    world.files().slow_down({FileOperation::kWrite, "/slow/t", milliseconds(200)});
    ASSERT_EQ(world.produce("t", slow).error, ErrorCode::kNone);
  }
  NodeWorld world;
  std::int32_t slow = -1;
  std::int32_t fast = -1;
};
INSTANTIATE_TEST_SUITE_P(Shards, SlowDirectory, ::testing::Values(1, 4));

TEST_P(SlowDirectory, HoldsNobodyElseUp) {
  ASSERT_EQ(world.produce("t", fast).error, ErrorCode::kNone);
  become_slow();
  const auto begin = world.now();
  const auto waiting = world.start_produce("t", slow, {}, -1, 1);
  world.shards.run_until_idle();
  EXPECT_EQ(world.produce("t", fast, {}, -1, 2).error, ErrorCode::kNone);
  EXPECT_EQ(world.produce("t", fast, {}, 1, 2).base_offset, 2);
  EXPECT_EQ(world.fetch("t", fast, 0, 0, 1 << 20, 3).base_offsets, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(world.fetch("t", slow, 0, 0, 1 << 20, 3).base_offsets, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(world.now(), begin);
  EXPECT_FALSE(waiting->has_value());
  world.shards.run_until([&] { return waiting->has_value(); });
  EXPECT_EQ((*waiting)->error, ErrorCode::kNone);
  EXPECT_EQ((*waiting)->at - begin, runtime::Duration(milliseconds(200)));
}

// Creating topics and committing offsets on the good directory go on too; what needs the slow one waits for it alone.
TEST_P(SlowDirectory, AConsumerOfTheSlowLogIsWokenWhenTheAppendIsDone) {
  become_slow();
  const auto waiting = world.start_produce("t", slow, {.records = 3}, -1, 1);
  const auto fetched = world.fetch("t", slow, 1, 10'000, 1 << 20, 2);
  EXPECT_EQ(fetched.base_offsets, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(fetched.high_watermark, 4);
}

TEST_P(SlowDirectory, PipelinedIdempotentProducesKeepTheirOrder) {
  for (const bool slowly : {false, true}) {
    if (slowly) become_slow();
    std::vector<std::shared_ptr<std::optional<Produced>>> answers;
    for (std::int32_t i = 0; i < 40; ++i) {
      for (std::int32_t partition = 0; partition < 8; ++partition) {
        const BatchSpec spec{.producer_id = slowly ? 8 : 7, .base_sequence = i};
        answers.push_back(world.start_produce("t", partition, spec, -1, 1));
      }
    }
    world.shards.run_until([&] { return answers.back()->has_value(); });
    std::vector<std::int64_t> last(8, -1);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ASSERT_TRUE(answers[i]->has_value());
      EXPECT_EQ((*answers[i])->error, ErrorCode::kNone) << i << (slowly ? " slowly" : "");
      EXPECT_GT((*answers[i])->base_offset, last[i % 8]);
      last[i % 8] = (*answers[i])->base_offset;
    }
  }
}

// The disk changes its mind while requests are under way: inline and waiting appends of one connection mix.
TEST_P(SlowDirectory, OrderHoldsWhileTheDirectoryComesAndGoes) {
  std::vector<std::shared_ptr<std::optional<Produced>>> answers;
  std::int32_t sequence = 0;
  for (int round = 0; round < 6; ++round) {
    if (round % 2 == 0) world.files().slow_down({FileOperation::kWrite, "/slow", milliseconds(20)});
    if (round % 2 == 1) world.files().clear_delays();
    for (int i = 0; i < 10; ++i) {
      answers.push_back(world.start_produce("t", slow, {.producer_id = 9, .base_sequence = sequence++}, -1, 1));
    }
    world.shards.advance(round % 2 == 0 ? milliseconds(45) : milliseconds(6000));
  }
  world.shards.run_until([&] { return answers.back()->has_value(); });
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ((*answers[i])->error, ErrorCode::kNone) << i;
    EXPECT_EQ((*answers[i])->base_offset, static_cast<std::int64_t>(i));
  }
}

TEST_P(SlowDirectory, StopsCleanlyWithAppendsUnderWay) {
  become_slow();
  for (int i = 0; i < 5; ++i) static_cast<void>(world.start_produce("t", slow, {}, 1, 1));
  world.stop();
  world.files().clear_delays();
  world.start();
  EXPECT_GE(world.fetch("t", slow, 0).base_offsets.size(), 1U);
  EXPECT_EQ(world.produce("t", slow).error, ErrorCode::kNone);
}

// With its new id a topic lives on other shards than before, while its directories have the same names.
TEST_P(SlowDirectory, ATopicThatIsMadeAgainWaitsForItsDirectories) {
  for (const auto operation : {FileOperation::kOpen, FileOperation::kCreateDirectory, FileOperation::kTruncate}) {
    world.files().slow_down({operation, "/again-", milliseconds(100)});
  }
  for (int round = 0; round < 6; ++round) {
    ASSERT_EQ(world.create_topic("again", 8), ErrorCode::kNone);
    ASSERT_EQ(world.delete_topic("again"), ErrorCode::kNone);
  }
  ASSERT_EQ(world.create_topic("again", 8), ErrorCode::kNone);
  world.files().clear_delays();
  world.shards.advance(std::chrono::seconds(30));
  for (std::int32_t i = 0; i < 8; ++i) EXPECT_EQ(world.produce("again", i).base_offset, 0) << i;
  world.stop();
  world.start();
  for (std::int32_t i = 0; i < 8; ++i) EXPECT_EQ(world.produce("again", i).base_offset, 1) << i;
}

class HugeFrames : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, HugeFrames, ::testing::Values(1, 4));

// More connections than shards begin frames that together exceed all memory, and do not go on with them.
TEST_P(HugeFrames, HoldNobodyElseUp) {
  NodeWorld world(GetParam(), {{"queued.max.request.bytes", "1000000"}, {"socket.request.max.bytes", "1000000"}});
  world.start();
  ASSERT_EQ(world.create_topic("t", 4), ErrorCode::kNone);
  std::vector<std::unique_ptr<runtime::Connection>> rude;
  for (std::size_t i = 0; i < 4 * GetParam(); ++i) {
    rude.push_back(world.raw_connection());
    const std::uint8_t begun[] = {0x00, 0x0c, 0x00, 0x00, 0x00};  // 786,432 bytes are to come
    const auto scope = world.shards.enter(0);
    runtime::spawn([](runtime::Connection* connection, Slice bytes) -> runtime::Task<void> {
      runtime::Fragments out;
      out.emplace_back(std::move(bytes));
      static_cast<void>(co_await connection->write(std::move(out)));
    }(rude.back().get(), Slice::copy_of(begun)));
  }
  world.shards.run_until_idle();
  const auto begin = world.now();
  for (std::size_t number = 0; number < 8; ++number) {
    EXPECT_EQ(world.produce("t", static_cast<std::int32_t>(number % 4), {}, -1, number).error, ErrorCode::kNone);
    EXPECT_GE(world.fetch("t", static_cast<std::int32_t>(number % 4), 0, 0, 1 << 20, number).base_offsets.size(), 1U);
  }
  EXPECT_EQ(world.now(), begin);
  const auto scope = world.shards.enter(0);
  for (auto& connection : rude) connection->close();
  world.shards.run_until_idle();
  rude.clear();
}

}  // namespace
}  // namespace dohle::broker

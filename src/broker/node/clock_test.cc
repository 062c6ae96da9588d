// A wall clock that is set while the node is down or while it runs, and the offsets of groups.
#include <gtest/gtest.h>

#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>

#include "node_world.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kDayMs = 86'400'000;

class NodeClock : public ::testing::TestWithParam<std::size_t> {
 protected:
  NodeClock() : world(GetParam()) {
    world.start();
    EXPECT_EQ(world.create_topic("t", 1), ErrorCode::kNone);
    EXPECT_EQ(commit("before", 7), ErrorCode::kNone);
  }
  void shift_wall(std::int64_t by_ms) {
    auto& clock = world.shards.clock();
    clock.set_wall_ms(clock.wall_ms() + by_ms);
  }
  // Until the coordinator is there.
  ErrorCode commit(const std::string& group, std::int64_t offset) {
    ++connection;
    protocol::OffsetCommitRequest request;
    request.group_id = group;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.emplace_back().committed_offset = offset;
    ErrorCode error = ErrorCode::kNotCoordinator;
    for (int tries = 0; tries < 20 && error != ErrorCode::kNone; ++tries) {
      protocol::FindCoordinatorRequest find;
      find.coordinator_keys.emplace_back(group);
      static_cast<void>(world.call(find, 4, connection));
      error = protocol::error_code_from(world.call(request, 8, connection).topics.at(0).partitions.at(0).error_code);
      if (error != ErrorCode::kNone) world.shards.advance(seconds(1));
    }
    return error;
  }
  // -1 without one.
  std::int64_t committed(const std::string& group) {
    ++connection;
    protocol::OffsetFetchRequest request;
    auto& wanted = request.groups.emplace_back();
    wanted.group_id = group;
    auto& topic = wanted.topics.emplace().emplace_back();
    topic.name = "t";
    topic.partition_indexes = {0};
    for (int tries = 0; tries < 20; ++tries) {
      const auto answer = world.call(request, 8, connection);
      if (answer.groups.at(0).error_code == 0)
        return answer.groups.at(0).topics.at(0).partitions.at(0).committed_offset;
      world.shards.advance(seconds(1));
    }
    return -2;
  }

  NodeWorld world;
  std::size_t connection = 0;  // a new one each time: idle ones are closed
};
INSTANTIATE_TEST_SUITE_P(Shards, NodeClock, ::testing::Values(1, 4));

TEST_P(NodeClock, SetWhileTheNodeWasDownExpiresNoOffset) {
  world.shards.advance(minutes(2));
  world.stop();
  shift_wall(30 * kDayMs);
  world.start();
  EXPECT_EQ(committed("before"), 7);
  world.shards.advance(minutes(25));
  EXPECT_EQ(committed("before"), 7);
  // Back in time: it never happened.
  shift_wall(-30 * kDayMs);
  world.shards.advance(minutes(60));
  EXPECT_EQ(committed("before"), 7);
}

// What is committed while the clock is wrong does not look old when it is right again.
TEST_P(NodeClock, SetBackWhileItRunsExpiresNoOffset) {
  shift_wall(-30 * kDayMs);
  EXPECT_EQ(commit("meanwhile", 8), ErrorCode::kNone);
  world.shards.advance(minutes(15));
  shift_wall(30 * kDayMs);
  world.shards.advance(minutes(60));
  EXPECT_EQ(committed("meanwhile"), 8);
  EXPECT_EQ(committed("before"), 7);
}

// Long away is not a wrong clock: what is committed before that is believed is as young as it is.
TEST_P(NodeClock, ALongStopExpiresNothingThatIsNew) {
  world.shards.advance(minutes(2));
  world.stop();
  shift_wall(30 * kDayMs);
  world.start();
  EXPECT_EQ(commit("after", 9), ErrorCode::kNone);
  world.shards.advance(minutes(60));
  EXPECT_EQ(committed("after"), 9);
  EXPECT_EQ(committed("before"), -1);
}

// The guard has an end: what stands for half an hour is believed.
TEST_P(NodeClock, OffsetsExpireAllTheSame) {
  shift_wall(30 * kDayMs);
  world.shards.advance(minutes(60));
  EXPECT_EQ(committed("before"), -1);
}

}  // namespace
}  // namespace dohle::broker

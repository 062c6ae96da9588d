// Members that come, go, hang and return at random, with failing writes and restarts of the coordinator in between.
// Checked all along: a partition has one owner in a generation (C9), generations and committed offsets never go back.
#include <chrono>
#include <set>

#include <coordinator/group/group_coordinator.h>
#include <gtest/gtest.h>
#include <runtime/memory/memory_shards.h>

#include "memory_partition.h"

namespace dohle::coordinator {
namespace {

using protocol::ErrorCode;
using runtime::Task;
using std::chrono::milliseconds;

constexpr std::int32_t kResources = 6;  // partitions of the topic that the group shares out

class World {
 public:
  explicit World(std::uint64_t seed) : shards(1, seed) { config.offsets_commit_timeout_ms = 1000; }

  runtime::MemoryShards shards;
  runtime::SettledClock clock{shards.clock()};
  GroupConfig config;
  MemoryPartition writer;
  std::unique_ptr<GroupCoordinator> coordinator;
  std::int32_t epoch = 0;
  bool stopping = false;
  std::size_t alive = 0;

  // generation -> resource -> owner
  std::map<std::int32_t, std::map<std::int32_t, std::string>> owners;
  std::map<std::int32_t, std::int64_t> committed;  // highest acknowledged, by resource
  std::int32_t highest_generation = 0;
  std::size_t assignments = 0;
  std::size_t commits = 0;

  [[nodiscard]] std::uint64_t roll(std::uint64_t sides) { return shards.random().below(sides); }
  void start() {
    auto scope = shards.enter(0);
    coordinator = std::make_unique<GroupCoordinator>(shards.at(0), writer, clock, config);
    coordinator->elected(0, LeaderEpoch(++epoch));
  }
};

struct Consumer {
  World* world;
  std::optional<std::string> instance;
  std::string member;
  std::int32_t generation = -1;
  std::vector<std::int32_t> owned;
};

std::vector<std::uint8_t> encode_owned(const std::vector<std::int32_t>& owned) {
  std::vector<std::uint8_t> out;
  for (const auto resource : owned) out.push_back(static_cast<std::uint8_t>(resource));
  return out;
}

RequestContext churn_context(std::int16_t version) { return {"churn", "/127.0.0.1", version}; }

Task<bool> join_and_sync(Consumer& self) {
  World& world = *self.world;
  protocol::JoinGroupRequest join;
  join.group_id = "churn";
  join.member_id = Text(self.member);
  if (self.instance) join.group_instance_id = Text(*self.instance);
  join.protocol_type = "consumer";
  join.session_timeout_ms = 6000;
  join.rebalance_timeout_ms = 8000;
  join.protocols.emplace_back().name = "range";
  auto joined = co_await world.coordinator->join_group(0, churn_context(9), join);
  auto error = static_cast<ErrorCode>(joined.error_code);
  if (error == ErrorCode::kMemberIdRequired) {
    self.member = joined.member_id.str();
    co_return false;
  }
  if (error == ErrorCode::kUnknownMemberId || error == ErrorCode::kFencedInstanceId) self.member.clear();
  if (error != ErrorCode::kNone) co_return false;
  self.member = joined.member_id.str();
  self.generation = joined.generation_id;
  EXPECT_GE(self.generation, 1);
  world.highest_generation = std::max(world.highest_generation, self.generation);

  protocol::SyncGroupRequest sync;
  sync.group_id = "churn";
  sync.member_id = Text(self.member);
  if (self.instance) sync.group_instance_id = Text(*self.instance);
  sync.generation_id = self.generation;
  sync.protocol_type = Text("consumer");
  sync.protocol_name = Text("range");
  if (!joined.members.empty() && !joined.skip_assignment) {
    std::vector<std::vector<std::int32_t>> shares(joined.members.size());
    for (std::int32_t r = 0; r < kResources; ++r) shares[static_cast<std::size_t>(r) % shares.size()].push_back(r);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      auto& out = sync.assignments.emplace_back();
      out.member_id = joined.members[i].member_id;
      out.assignment = Blob(encode_owned(shares[i]));
    }
  }
  auto synced = co_await world.coordinator->sync_group(0, churn_context(5), sync);
  error = static_cast<ErrorCode>(synced.error_code);
  if (error == ErrorCode::kUnknownMemberId || error == ErrorCode::kFencedInstanceId) self.member.clear();
  if (error != ErrorCode::kNone) co_return false;
  self.owned.clear();
  for (const auto byte : synced.assignment.get()) self.owned.push_back(byte);
  ++world.assignments;
  for (const auto resource : self.owned) {
    auto& owner = world.owners[self.generation][resource];
    // A static member owns what its earlier self owned.
    const std::string identity = self.instance ? *self.instance : self.member;
    EXPECT_TRUE(owner.empty() || owner == identity)
        << "generation " << self.generation << ": " << resource << " belongs to " << owner << " and " << identity;
    owner = identity;
  }
  co_return true;
}

Task<void> commit_progress(Consumer& self) {
  World& world = *self.world;
  protocol::OffsetCommitRequest request;
  request.group_id = "churn";
  request.member_id = Text(self.member);
  if (self.instance) request.group_instance_id = Text(*self.instance);
  request.generation_id_or_member_epoch = self.generation;
  auto& topic = request.topics.emplace_back();
  topic.name = "work";
  for (const auto resource : self.owned) {
    auto& row = topic.partitions.emplace_back();
    row.partition_index = resource;
    row.committed_offset = world.committed[resource] + 1;
  }
  if (topic.partitions.empty()) co_return;
  const auto answer = co_await world.coordinator->commit_offsets(0, churn_context(8), request);
  for (const auto& row : answer.topics.at(0).partitions) {
    if (row.error_code != 0) continue;
    auto& highest = world.committed[row.partition_index];
    for (const auto& asked : topic.partitions) {
      if (asked.partition_index == row.partition_index) highest = std::max(highest, asked.committed_offset);
    }
    ++world.commits;
  }
}

Task<void> live(Consumer self) {
  World& world = *self.world;
  while (!world.stopping) {
    if (!co_await join_and_sync(self)) {
      co_await runtime::sleep_for(milliseconds(200));
      continue;
    }
    while (!world.stopping) {
      co_await runtime::sleep_for(milliseconds(500 + static_cast<std::int64_t>(world.roll(1500))));
      if (world.roll(40) == 0) co_await runtime::sleep_for(std::chrono::seconds(9));  // hangs longer than its session
      if (world.roll(30) == 0) {  // dies; a successor comes up, under the same instance id if it is static
        if (!self.instance && world.roll(2) == 0) {
          protocol::LeaveGroupRequest leave;
          leave.group_id = "churn";
          leave.members.emplace_back().member_id = Text(self.member);
          (void)co_await world.coordinator->leave_group(0, churn_context(5), leave);
        }
        self.member.clear();
        break;
      }
      protocol::HeartbeatRequest heartbeat;
      heartbeat.group_id = "churn";
      heartbeat.member_id = Text(self.member);
      if (self.instance) heartbeat.group_instance_id = Text(*self.instance);
      heartbeat.generation_id = self.generation;
      const auto beat = co_await world.coordinator->heartbeat(0, churn_context(4), heartbeat);
      const auto error = static_cast<ErrorCode>(beat.error_code);
      if (error == ErrorCode::kUnknownMemberId || error == ErrorCode::kFencedInstanceId) self.member.clear();
      if (error == ErrorCode::kNone) {
        co_await commit_progress(self);
      } else if (error != ErrorCode::kNotCoordinator && error != ErrorCode::kCoordinatorNotAvailable) {
        break;
      }
    }
  }
  --world.alive;
}

Task<void> disturb(World& world) {
  while (!world.stopping) {
    co_await runtime::sleep_for(milliseconds(3000 + static_cast<std::int64_t>(world.roll(8000))));
    switch (world.roll(4)) {
      case 0:
        world.writer.fail_append(Errc::kStorage, world.roll(3));
        break;
      case 1:
        world.writer.hold_commits(true);
        co_await runtime::sleep_for(milliseconds(world.roll(2000)));
        world.writer.hold_commits(false);
        break;
      case 2:  // the leadership goes and comes back: the state is loaded again
        world.coordinator->resigned(0, std::nullopt);
        co_await runtime::sleep_for(milliseconds(world.roll(1000)));
        world.coordinator->elected(0, LeaderEpoch(++world.epoch));
        break;
      default:
        world.coordinator->elected(0, LeaderEpoch(++world.epoch));
        break;
    }
  }
  --world.alive;
}

class Churn : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Churn, testing::Range<std::uint64_t>(1, 7));

TEST_P(Churn, OneOwnerAGenerationAndNoCommitGoesBack) {
  World world(GetParam());
  world.start();
  world.shards.run_until_idle();
  {
    auto scope = world.shards.enter(0);
    for (int i = 0; i < 5; ++i) {
      ++world.alive;
      std::optional<std::string> instance;
      if (i < 2) instance = "static-" + std::to_string(i);
      runtime::spawn(live({&world, instance, {}, -1, {}}));
    }
    ++world.alive;
    runtime::spawn(disturb(world));
  }
  world.shards.advance(std::chrono::minutes(10));
  world.stopping = true;
  world.writer.hold_commits(false);
  world.shards.run_until([&] { return world.alive == 0; });
  EXPECT_GT(world.assignments, 20U);
  EXPECT_GT(world.commits, 100U);

  // What was acknowledged is there after one more restart.
  {
    auto scope = world.shards.enter(0);
    world.coordinator->elected(0, LeaderEpoch(++world.epoch));
  }
  world.shards.run_until_idle();
  const auto fetched = world.shards.run(0, [&]() -> Task<FetchedGroup> {
    FetchGroup request;
    request.group_id = "churn";
    request.topics.reset();
    co_return co_await world.coordinator->fetch_offsets(0, churn_context(9), request, true);
  });
  ASSERT_EQ(fetched.error_code, 0);
  std::map<std::int32_t, std::int64_t> found;
  for (const auto& topic : fetched.topics) {
    for (const auto& row : topic.partitions) found[row.partition_index] = row.committed_offset;
  }
  for (const auto& [resource, offset] : world.committed) EXPECT_GE(found[resource], offset) << resource;
  world.shards.run(0, [&] { return world.coordinator->stop(); });
  auto scope = world.shards.enter(0);
  world.coordinator.reset();
}

}  // namespace
}  // namespace dohle::coordinator

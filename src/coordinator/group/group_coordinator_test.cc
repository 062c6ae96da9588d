// GroupCoordinator and GroupRouter over partitions in memory, with one shard and with four.
#include <coordinator/group/group_coordinator.h>

#include <chrono>

#include <coordinator/group/group_router.h>
#include <gtest/gtest.h>
#include <runtime/memory/memory_shards.h>

#include "memory_partition.h"

namespace dohle::coordinator {
namespace {

using protocol::ErrorCode;
using runtime::Task;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int32_t kPartitions = 8;

// A node: on each shard the coordinator of the partitions that fall on it, and a router.
class Node {
 public:
  explicit Node(std::size_t shard_count, std::uint64_t seed = 1, GroupConfig config_in = {})
      : shards(shard_count, seed), config(config_in) {
    for (std::size_t i = 0; i < shard_count; ++i) {
      writers.push_back(std::make_unique<MemoryPartition>());
      coordinators.push_back(nullptr);
    }
    start();
  }
  ~Node() { stop(); }

  void start() {
    std::vector<GroupCoordinator*> all;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      auto scope = shards.enter(i);
      coordinators[i] = std::make_unique<GroupCoordinator>(shards.at(i), *writers[i], clock, config);
      all.push_back(coordinators[i].get());
    }
    router = std::make_unique<GroupRouter>(
        shards, all,
        GroupPlacement{.partitions = [] { return kPartitions; },
                       .shard_of = [this](std::int32_t p) { return static_cast<std::size_t>(p) % shards.size(); }});
    ++epoch;
    for (std::int32_t p = 0; p < kPartitions; ++p) elect(p);
    shards.run_until_idle();
  }
  void elect(std::int32_t partition) {
    const std::size_t shard = static_cast<std::size_t>(partition) % shards.size();
    auto scope = shards.enter(shard);
    coordinators[shard]->elected(partition, LeaderEpoch(epoch));
  }
  void stop() {
    for (std::size_t i = 0; i < shards.size(); ++i) {
      shards.run(i, [this, i] { return coordinators[i]->stop(); });
      auto scope = shards.enter(i);
      coordinators[i].reset();
    }
  }
  void restart() {
    stop();
    start();
  }
  [[nodiscard]] MemoryPartition& writer_of(const std::string& group) {
    return *writers[static_cast<std::size_t>(router->partition_for(group)) % shards.size()];
  }

  runtime::MemoryShards shards;
  runtime::SettledClock clock{shards.clock()};
  GroupConfig config;
  std::int32_t epoch = 0;
  std::vector<std::unique_ptr<MemoryPartition>> writers;
  std::vector<std::unique_ptr<GroupCoordinator>> coordinators;
  std::unique_ptr<GroupRouter> router;
};

RequestContext context(std::int16_t version = 9) { return {"client", "/127.0.0.1", version}; }

protocol::OffsetCommitRequest commit_request(const std::string& group, std::int64_t offset, std::int32_t partition = 0,
                                             const std::string& member = "", std::int32_t generation = -1) {
  protocol::OffsetCommitRequest request;
  request.group_id = Text(group);
  request.member_id = Text(member);
  request.generation_id_or_member_epoch = generation;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  auto& row = topic.partitions.emplace_back();
  row.partition_index = partition;
  row.committed_offset = offset;
  return request;
}

FetchGroup fetch_request(const std::string& group) {
  FetchGroup request;
  request.group_id = Text(group);
  request.topics.reset();
  return request;
}

ErrorCode commit(Node& node, const protocol::OffsetCommitRequest& request) {
  const auto response = node.shards.run(0, [&] { return node.router->commit_offsets(context(), request); });
  return static_cast<ErrorCode>(response.topics.at(0).partitions.at(0).error_code);
}

FetchedGroup fetch(Node& node, const std::string& group, bool stable = true) {
  const auto request = fetch_request(group);
  return node.shards.run(0, [&] { return node.router->fetch_offsets(context(), request, stable); });
}

class OverShards : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, OverShards, testing::Values(1, 4));

TEST_P(OverShards, OffsetsOfManyGroupsSurviveARestart) {
  Node node(GetParam());
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(commit(node, commit_request("group-" + std::to_string(i), i)), ErrorCode::kNone);
  }
  node.restart();
  for (int i = 0; i < 40; ++i) {
    const auto fetched = fetch(node, "group-" + std::to_string(i));
    ASSERT_EQ(fetched.topics.size(), 1U);
    EXPECT_EQ(fetched.topics[0].partitions[0].committed_offset, i);
  }
  protocol::ListGroupsRequest all;
  const auto listed = node.shards.run(0, [&] { return node.router->list_groups(context(), all); });
  EXPECT_EQ(listed.groups.size(), 40U);
  const auto deleted =
      node.shards.run(0, [&] { return node.router->delete_groups(context(), {"group-1", "group-2", "nobody"}); });
  ASSERT_EQ(deleted.size(), 3U);
  for (const auto& result : deleted) {
    EXPECT_EQ(result.error_code, result.group_id.get() == "nobody" ? number(ErrorCode::kGroupIdNotFound) : 0);
  }
  const auto described =
      node.shards.run(0, [&] { return node.router->describe_groups(context(6), {"group-1", "group-3"}); });
  ASSERT_EQ(described.size(), 2U);
}

TEST_P(OverShards, AGroupFormsAcrossConnectionsOnDifferentShards) {
  Node node(GetParam());
  struct Client {
    std::string member;
    protocol::JoinGroupResponse joined;
    std::string assignment;
    bool done = false;
  };
  std::vector<Client> clients(4);
  const auto live = [](Node* self, Client* client) -> Task<void> {
    protocol::JoinGroupRequest join;
    join.group_id = "workers";
    join.protocol_type = "consumer";
    join.session_timeout_ms = 10'000;
    join.rebalance_timeout_ms = 60'000;
    join.protocols.emplace_back().name = "range";
    auto first = co_await self->router->join_group(context(), join);
    EXPECT_EQ(first.error_code, number(ErrorCode::kMemberIdRequired));
    client->member = first.member_id.str();
    join.member_id = Text(client->member);
    client->joined = co_await self->router->join_group(context(), join);
    protocol::SyncGroupRequest sync;
    sync.group_id = "workers";
    sync.member_id = Text(client->member);
    sync.generation_id = client->joined.generation_id;
    sync.protocol_type = Text("consumer");
    sync.protocol_name = Text("range");
    for (const auto& member : client->joined.members) {
      auto& out = sync.assignments.emplace_back();
      out.member_id = member.member_id;
      out.assignment = Blob::copy_of(as_bytes("for " + member.member_id.str()));
    }
    auto synced = co_await self->router->sync_group(context(5), sync);
    EXPECT_EQ(synced.error_code, 0);
    client->assignment = std::string(as_text(synced.assignment.get()));
    client->done = true;
  };
  for (std::size_t i = 0; i < clients.size(); ++i) {
    auto scope = node.shards.enter(i % GetParam());
    runtime::spawn(live(&node, &clients[i]));
  }
  node.shards.run_until([&] { return std::ranges::all_of(clients, &Client::done); });
  for (const auto& client : clients) {
    EXPECT_EQ(client.joined.generation_id, 1);
    EXPECT_EQ(client.assignment, "for " + client.member);
  }
}

TEST(GroupCoordinatorService, SaysWhyItCannotServe) {
  Node node(1);
  const auto join = [&](protocol::JoinGroupRequest request, std::int16_t version = 9) {
    const auto response = node.shards.run(0, [&] { return node.router->join_group(context(version), request); });
    return std::pair(static_cast<ErrorCode>(response.error_code), response);
  };
  protocol::JoinGroupRequest request;
  request.session_timeout_ms = 10'000;
  request.member_id = "me";
  auto [error, response] = join(request);
  EXPECT_EQ(error, ErrorCode::kInvalidGroupId);
  EXPECT_EQ(response.member_id.get(), "me");
  EXPECT_FALSE(response.protocol_name);
  EXPECT_EQ(join(request, 6).second.protocol_name->get(), "");
  request.group_id = "g";
  request.session_timeout_ms = 5'999;
  EXPECT_EQ(join(request).first, ErrorCode::kInvalidSessionTimeout);
  request.session_timeout_ms = 1'800'001;
  EXPECT_EQ(join(request).first, ErrorCode::kInvalidSessionTimeout);
  request.session_timeout_ms = 6'000;
  EXPECT_EQ(join(request).first, ErrorCode::kUnknownMemberId);

  protocol::SyncGroupRequest sync;
  sync.group_id = "g";
  const auto synced = [&](std::int16_t version) {
    const auto answer = node.shards.run(0, [&] { return node.router->sync_group(context(version), sync); });
    return static_cast<ErrorCode>(answer.error_code);
  };
  EXPECT_EQ(synced(5), ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(synced(4), ErrorCode::kUnknownMemberId);

  protocol::LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.member_id = "me";
  auto left = node.shards.run(0, [&] { return node.router->leave_group(context(2), leave); });
  EXPECT_EQ(left.error_code, number(ErrorCode::kUnknownMemberId));
  EXPECT_TRUE(left.members.empty());
  leave.members.emplace_back().member_id = "me";
  left = node.shards.run(0, [&] { return node.router->leave_group(context(3), leave); });
  EXPECT_EQ(left.error_code, 0);
  EXPECT_EQ(left.members.at(0).error_code, number(ErrorCode::kUnknownMemberId));

  const std::int32_t partition = node.router->partition_for("g");
  {
    auto scope = node.shards.enter(0);
    node.coordinators[0]->resigned(partition, LeaderEpoch(0));  // an older epoch: ignored
    EXPECT_TRUE(node.coordinators[0]->is_active(partition));
    node.coordinators[0]->resigned(partition, std::nullopt);
  }
  EXPECT_EQ(join(request).first, ErrorCode::kNotCoordinator);
  EXPECT_EQ(commit(node, commit_request("g", 1)), ErrorCode::kNotCoordinator);
  EXPECT_EQ(fetch(node, "g").error_code, number(ErrorCode::kNotCoordinator));
  const auto old_fetch = node.shards.run(0, [&]() -> Task<FetchedGroup> {
    FetchGroup one = fetch_request("g");
    auto& topic = one.topics.emplace().emplace_back();
    topic.name = "orders";
    topic.partition_indexes = {3};
    co_return co_await node.router->fetch_offsets(context(1), one, false);
  });
  EXPECT_EQ(old_fetch.error_code, 0);
  EXPECT_EQ(old_fetch.topics.at(0).partitions.at(0).error_code, number(ErrorCode::kNotCoordinator));
}

TEST(GroupCoordinatorService, WhileLoadingOnlyHeartbeatsAreWaved) {
  Node node(1);
  node.writers[0]->hold_reads(true);
  ++node.epoch;
  const std::int32_t partition = node.router->partition_for("g");
  node.elect(partition);
  EXPECT_FALSE(node.coordinators[0]->is_active(partition));
  EXPECT_EQ(commit(node, commit_request("g", 1)), ErrorCode::kCoordinatorLoadInProgress);
  protocol::HeartbeatRequest heartbeat;
  heartbeat.group_id = "g";
  EXPECT_EQ(node.shards.run(0, [&] { return node.router->heartbeat(context(4), heartbeat); }).error_code, 0);
  protocol::ListGroupsRequest all;
  EXPECT_EQ(node.shards.run(0, [&] { return node.router->list_groups(context(), all); }).error_code,
            number(ErrorCode::kCoordinatorLoadInProgress));
  node.writers[0]->hold_reads(false);
  node.shards.run_until_idle();
  EXPECT_TRUE(node.coordinators[0]->is_active(partition));
}

TEST(GroupCoordinatorService, AFailedWriteIsToldInKafkasWords) {
  Node node(1);
  const std::vector<std::pair<Errc, ErrorCode>> cases{{Errc::kStorage, ErrorCode::kNotCoordinator},
                                                      {Errc::kNotLeader, ErrorCode::kNotCoordinator},
                                                      {Errc::kFencedEpoch, ErrorCode::kNotCoordinator},
                                                      {Errc::kNotEnoughReplicas, ErrorCode::kCoordinatorNotAvailable},
                                                      {Errc::kTimedOut, ErrorCode::kCoordinatorNotAvailable},
                                                      {Errc::kRecordTooLarge, ErrorCode::kUnknownServerError}};
  for (const auto& [errc, expected] : cases) {
    node.writers[0]->fail_append(errc);
    EXPECT_EQ(commit(node, commit_request("g", 1)), expected) << to_string(errc);
  }
  EXPECT_TRUE(fetch(node, "g").topics.empty());
  EXPECT_EQ(commit(node, commit_request("g", 2)), ErrorCode::kNone);
}

TEST(GroupCoordinatorService, AStableFetchWaitsForPendingCommits) {
  Node node(1);
  commit(node, commit_request("g", 1));
  node.writers[0]->hold_commits(true);
  const auto request = commit_request("g", 2);
  bool committed = false;
  std::optional<FetchedGroup> fetched;
  {
    auto scope = node.shards.enter(0);
    runtime::spawn([](Node* self, const protocol::OffsetCommitRequest* what, bool* done) -> Task<void> {
      (void)co_await self->router->commit_offsets(context(), *what);
      *done = true;
    }(&node, &request, &committed));
    runtime::spawn([](Node* self, std::optional<FetchedGroup>* into) -> Task<void> {
      const auto all = fetch_request("g");
      *into = co_await self->router->fetch_offsets(context(), all, true);
    }(&node, &fetched));
  }
  node.shards.run_until_idle();
  EXPECT_FALSE(committed);
  EXPECT_FALSE(fetched);
  node.writers[0]->hold_commits(false);
  node.shards.run_until_idle();
  EXPECT_TRUE(committed);
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->topics.at(0).partitions.at(0).committed_offset, 2);
}

TEST(GroupCoordinatorService, DeletedTopicsLoseTheirOffsets) {
  Node node(1);
  commit(node, commit_request("g", 1));
  {
    auto scope = node.shards.enter(0);
    node.coordinators[0]->topics_deleted({{"orders", TopicId{Uuid{1, 1}}}});
  }
  node.shards.run_until_idle();
  EXPECT_TRUE(fetch(node, "g").topics.empty());
}

TEST(GroupCoordinatorService, AJumpOfTheClockExpiresNothingForHalfAnHour) {
  Node node(1);
  commit(node, commit_request("g", 1));
  node.shards.clock().set_wall_ms(node.shards.clock().wall_ms() + std::int64_t{30} * 24 * 3600 * 1000);
  node.shards.advance(std::chrono::minutes(25));
  EXPECT_EQ(fetch(node, "g").topics.size(), 1U);
  node.shards.advance(std::chrono::minutes(30));
  EXPECT_TRUE(fetch(node, "g").topics.empty());
}

TEST(GroupCoordinatorService, ParkedJoinsAreAnsweredAtStop) {
  Node node(1);
  ErrorCode answer = ErrorCode::kNone;
  protocol::JoinGroupRequest join;
  join.group_id = "g";
  join.protocol_type = "consumer";
  join.session_timeout_ms = 10'000;
  join.protocols.emplace_back().name = "range";
  {
    auto scope = node.shards.enter(0);
    runtime::spawn([](Node* self, const protocol::JoinGroupRequest* request, ErrorCode* out) -> Task<void> {
      const auto response = co_await self->router->join_group(context(3), *request);
      *out = static_cast<ErrorCode>(response.error_code);
    }(&node, &join, &answer));
  }
  node.shards.run_until_idle();
  node.restart();
  EXPECT_EQ(answer, ErrorCode::kNotCoordinator);
}

}  // namespace
}  // namespace dohle::coordinator

// KRaft's requests as other nodes and tools send them to a leader.
#include <gtest/gtest.h>

#include <protocol/messages/add_raft_voter_request.h>
#include <protocol/messages/add_raft_voter_response.h>
#include <protocol/messages/remove_raft_voter_request.h>
#include <protocol/messages/remove_raft_voter_response.h>
#include <records/batch.h>

#include "raft_log.h"
#include "raft_world.h"
#include "wire.h"

namespace dohle::raft {
namespace {

class RaftRequestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Responses hold slices of the raft shard.
    scope_.reset(new runtime::MemoryShards::Scope(world_.shards().enter(0)));
    world_.format(1);
    ASSERT_TRUE(world_.start(world_.node(1)));
    node_ = &world_.await_leader();
    ASSERT_TRUE(world_.append(*node_, {"a", "b"}));  // 3 and 4
    world_.shards().run_until_idle();
  }

  static protocol::FetchRequest fetch(std::int64_t offset, std::int32_t epoch, std::int32_t last_epoch,
                                      std::int32_t wait_ms = 0) {
    protocol::FetchRequest request = wire::to_request(FetchCall{.replica = {9, Uuid{1, 9}},
                                                                .epoch = LeaderEpoch(epoch),
                                                                .offset = Offset(offset),
                                                                .last_fetched_epoch = LeaderEpoch(last_epoch),
                                                                .high_watermark = Offset(storage::kMaxLong)},
                                                      kTestCluster);
    request.max_wait_ms = wait_ms;
    return request;
  }
  template <typename Request>
  typename Request::Response ask(const Request& request, std::int16_t version = Request::kMaxVersion) {
    return world_.run([&]() -> runtime::Task<typename Request::Response> {
      co_return co_await node_->raft->handle(request, {.version = version, .listener = "CONTROLLER"});
    });
  }
  // The only partition of a fetch response.
  protocol::FetchResponse::PartitionData fetched(const protocol::FetchRequest& request) {
    return ask(request).responses.at(0).partitions.at(0);
  }

  RaftWorld world_;
  std::unique_ptr<runtime::MemoryShards::Scope> scope_;
  RaftWorld::Node* node_ = nullptr;
};

constexpr std::int16_t code(ErrorCode error) { return wire::code(error); }

TEST_F(RaftRequestsTest, FetchGivesTheLogAsItLies) {
  const auto response = ask(fetch(0, 1, 0));
  const auto& partition = response.responses.at(0).partitions.at(0);
  EXPECT_EQ(partition.error_code, 0);
  EXPECT_EQ(partition.high_watermark, 5);
  EXPECT_EQ(partition.log_start_offset, 0);
  EXPECT_EQ(partition.current_leader.leader_id, 1);
  EXPECT_EQ(partition.current_leader.leader_epoch, 1);
  EXPECT_EQ(partition.last_stable_offset, -1);
  ASSERT_EQ(response.node_endpoints.size(), 1U);
  EXPECT_EQ(response.node_endpoints[0].port, 9001);
  const auto bytes = gather(partition.records->fragments()).value();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()),
            world_.shards().files().content("node1/__cluster_metadata-0/00000000000000000000.log").value());
  // Leader endpoints came with version 17.
  EXPECT_TRUE(ask(fetch(0, 1, 0), 16).node_endpoints.empty());
}

TEST_F(RaftRequestsTest, FetchIsChecked) {
  EXPECT_EQ(fetched(fetch(3, 0, 0)).error_code, code(ErrorCode::kFencedLeaderEpoch));
  EXPECT_EQ(fetched(fetch(3, 2, 1)).error_code, code(ErrorCode::kUnknownLeaderEpoch));
  EXPECT_EQ(fetched(fetch(-1, 1, 1)).error_code, code(ErrorCode::kInvalidRequest));
  EXPECT_EQ(fetched(fetch(3, 1, -1)).error_code, code(ErrorCode::kInvalidRequest));
  EXPECT_EQ(fetched(fetch(3, 1, 1, -5)).error_code, code(ErrorCode::kInvalidRequest));
  protocol::FetchRequest request = fetch(3, 1, 1);
  request.cluster_id = Text("other");
  EXPECT_EQ(ask(request).error_code, code(ErrorCode::kInconsistentClusterId));
  request = fetch(3, 1, 1);
  request.topics[0].topic_id = Uuid{};  // what a request before version 13 looks like
  EXPECT_EQ(ask(request).error_code, code(ErrorCode::kInvalidRequest));
  const auto beyond = fetched(fetch(77, 1, 1));
  EXPECT_EQ(beyond.error_code, 0);
  EXPECT_EQ(beyond.diverging_epoch.epoch, 1);
  EXPECT_EQ(beyond.diverging_epoch.end_offset, 5);
  EXPECT_TRUE(beyond.records->empty());
}

TEST_F(RaftRequestsTest, FetchAtTheEndWaitsForTheNextBatch) {
  const auto start = world_.shards().clock().now();
  auto response = fetched(fetch(5, 1, 1, 500));
  EXPECT_TRUE(response.records->empty());
  EXPECT_EQ((world_.shards().clock().now() - start), std::chrono::milliseconds(500));

  std::optional<protocol::FetchResponse> late;
  const protocol::FetchRequest request = fetch(5, 1, 1, 60'000);
  runtime::spawn([](RaftWorld::Node* node, const protocol::FetchRequest* asked, auto* out) -> runtime::Task<void> {
    *out = co_await node->raft->handle(*asked, {.version = 17, .listener = "CONTROLLER"});
  }(node_, &request, &late));
  world_.shards().run_until_idle();
  EXPECT_FALSE(late);
  ASSERT_TRUE(world_.append(*node_, {"c"}));
  world_.shards().run_until_idle();
  ASSERT_TRUE(late);
  const auto bytes = gather(late->responses[0].partitions[0].records->fragments()).value();
  EXPECT_EQ(records::BatchView::parse(bytes)->base_offset(), Offset(5));
}

TEST_F(RaftRequestsTest, AStopAnswersWhoWaits) {
  std::optional<protocol::FetchResponse> late;
  const protocol::FetchRequest request = fetch(5, 1, 1, 60'000);
  runtime::spawn([](RaftWorld::Node* node, const protocol::FetchRequest* asked, auto* out) -> runtime::Task<void> {
    *out = co_await node->raft->handle(*asked, {.version = 17, .listener = "CONTROLLER"});
  }(node_, &request, &late));
  world_.shards().run_until_idle();
  const auto start = world_.shards().clock().now();
  world_.stop(*node_);
  EXPECT_LT(world_.shards().clock().now() - start, std::chrono::seconds(1));
  ASSERT_TRUE(late);
  EXPECT_EQ(late->responses[0].partitions[0].error_code, code(ErrorCode::kNotLeaderOrFollower));
}

TEST_F(RaftRequestsTest, SnapshotsAreServedInPieces) {
  const SnapshotId id{Offset(5), LeaderEpoch(1)};
  world_.run([&]() -> runtime::Task<void> {
    auto writer = node_->raft->create_snapshot(id, 1);
    EXPECT_TRUE((*writer)->append(std::vector<std::vector<std::uint8_t>>{as_record("state")}));
    EXPECT_TRUE(co_await node_->raft->finish_snapshot(std::move(*writer)));
  });
  // An empty replica is sent to the snapshot.
  EXPECT_EQ(fetched(fetch(0, 1, 0)).snapshot_id.end_offset, 5);

  FetchSnapshotCall call{.replica = {9, Uuid{1, 9}}, .epoch = LeaderEpoch(1), .snapshot = id};
  std::string got;
  for (int guard = 0; guard < 100; ++guard) {
    call.position = static_cast<std::int64_t>(got.size());
    auto request = wire::to_request(call, kTestCluster);
    request.max_bytes = 50;
    const auto response = ask(request);
    const auto& piece = response.topics.at(0).partitions.at(0);
    if (piece.error_code == code(ErrorCode::kPositionOutOfRange)) break;
    ASSERT_EQ(piece.error_code, 0);
    EXPECT_EQ(piece.snapshot_id.end_offset, 5);
    const auto bytes = gather(piece.unaligned_records.fragments()).value();
    ASSERT_LE(bytes.size(), 50U);
    got.append(bytes.begin(), bytes.end());
    ASSERT_LE(got.size(), static_cast<std::size_t>(piece.size));
  }
  EXPECT_EQ(got, world_.shards().files().content(snapshot_path("node1/__cluster_metadata-0", id)).value());

  call.snapshot = kBootstrapSnapshotId;
  EXPECT_EQ(ask(wire::to_request(call, kTestCluster)).topics[0].partitions[0].error_code,
            code(ErrorCode::kSnapshotNotFound));
  auto other = wire::to_request(call, kTestCluster);
  other.topics[0].name = Text("other");
  EXPECT_EQ(ask(other).topics[0].partitions[0].error_code, code(ErrorCode::kUnknownTopicOrPartition));
  other.topics.clear();
  EXPECT_EQ(ask(other).error_code, code(ErrorCode::kInvalidRequest));
}

TEST_F(RaftRequestsTest, DescribeQuorumShowsVotersAndObservers) {
  static_cast<void>(fetched(fetch(5, 1, 1)));
  protocol::DescribeQuorumRequest request;
  request.topics.emplace_back().topic_name = kMetadataTopic;
  request.topics[0].partitions.emplace_back();
  const auto response = ask(request);
  const auto& partition = response.topics.at(0).partitions.at(0);
  EXPECT_EQ(partition.error_code, 0);
  EXPECT_EQ(partition.leader_id, 1);
  EXPECT_EQ(partition.high_watermark, 5);
  ASSERT_EQ(partition.current_voters.size(), 1U);
  EXPECT_EQ(partition.current_voters[0].log_end_offset, 5);
  EXPECT_EQ(partition.current_voters[0].replica_directory_id, node_->directory);
  EXPECT_EQ(partition.current_voters[0].last_caught_up_timestamp, world_.shards().clock().wall_ms());
  ASSERT_EQ(partition.observers.size(), 1U);
  EXPECT_EQ(partition.observers[0].replica_id, 9);
  EXPECT_EQ(partition.observers[0].log_end_offset, 5);
  EXPECT_EQ(partition.observers[0].last_fetch_timestamp, world_.shards().clock().wall_ms());
  ASSERT_EQ(response.nodes.size(), 1U);
  EXPECT_EQ(response.nodes[0].listeners.at(0).port, 9001);
  EXPECT_TRUE(ask(request, 1).nodes.empty());

  request.topics[0].topic_name = Text("t");
  EXPECT_EQ(ask(request).topics.at(0).partitions.at(0).error_code, code(ErrorCode::kUnknownTopicOrPartition));
}

TEST_F(RaftRequestsTest, ALeaderDeniesVotesAndYieldsToALaterEpoch) {
  VoteCall call{.candidate = {2, Uuid{1, 2}}, .epoch = LeaderEpoch(1), .last = {Offset(90), LeaderEpoch(0)}};
  auto response = ask(wire::to_request(call, kTestCluster));
  EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_FALSE(response.topics[0].partitions[0].vote_granted);
  EXPECT_EQ(response.topics[0].partitions[0].leader_id, 1);
  call.voter = ReplicaKey{1, Uuid{3, 3}};
  EXPECT_EQ(ask(wire::to_request(call, kTestCluster)).topics[0].partitions[0].error_code,
            code(ErrorCode::kInvalidVoterKey));
  auto request = wire::to_request(call, "another");
  EXPECT_EQ(ask(request).error_code, code(ErrorCode::kInconsistentClusterId));
  request = wire::to_request(call, kTestCluster);
  request.topics.clear();
  EXPECT_EQ(ask(request).error_code, code(ErrorCode::kInvalidRequest));

  call.voter.reset();
  call.epoch = LeaderEpoch(5);
  EXPECT_FALSE(ask(wire::to_request(call, kTestCluster)).topics[0].partitions[0].vote_granted);
  EXPECT_FALSE(node_->raft->is_leader());
  EXPECT_EQ(&world_.await_leader(), node_);  // the only voter soon leads again, in a later epoch
  EXPECT_GT(node_->raft->leader_and_epoch().epoch, LeaderEpoch(5));
}

TEST_F(RaftRequestsTest, VotersAreNotChangedWithoutACluster) {
  protocol::AddRaftVoterRequest add;
  add.cluster_id = Text(kTestCluster);
  add.voter_id = 2;
  EXPECT_EQ(ask(add).error_code, code(ErrorCode::kInvalidRequest));
  add.voter_directory_id = Uuid{1, 1};
  EXPECT_EQ(ask(add).error_code, code(ErrorCode::kInvalidRequest));
  add.listeners.emplace_back().name = Text("CONTROLLER");
  EXPECT_EQ(ask(add).error_code, code(ErrorCode::kRequestTimedOut));
  add.voter_id = 1;
  EXPECT_EQ(ask(add).error_code, code(ErrorCode::kDuplicateVoter));
  protocol::RemoveRaftVoterRequest remove;
  remove.cluster_id = Text(kTestCluster);
  remove.voter_id = 1;
  remove.voter_directory_id = node_->directory;
  EXPECT_EQ(ask(remove).error_code, code(ErrorCode::kVoterNotFound));
}

}  // namespace
}  // namespace dohle::raft

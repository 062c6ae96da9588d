#include <controller/partition_control.h>

#include <gtest/gtest.h>

#include <protocol/messages/broker_registration_change_record.h>
#include <protocol/messages/partition_change_record.h>
#include <testing/control_fixture.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
using protocol::number;
using Ids = std::vector<std::int32_t>;

class PartitionControlTest : public ControlFixture {
 protected:
  void start(std::int16_t elr, std::int16_t metadata_version = 33) {
    set_levels(metadata_version, elr);
    for (const std::int32_t id : {1, 2, 3}) add_broker(id);
  }
  void fence(std::int32_t broker) {
    RecordList records;
    partitions.broker_stops_leading(view(), broker, records);
    apply(records);
    set_fenced(broker, true);
  }
  void unfence(std::int32_t broker) {
    RecordList records;
    partitions.broker_may_lead(view(), broker, records);
    apply(records);
    set_fenced(broker, false);
  }
  void set_fenced(std::int32_t broker, bool fenced) {
    const auto epoch = epoch_of(broker);
    RecordList records;
    protocol::BrokerRegistrationChangeRecord record;
    record.broker_id = broker;
    record.broker_epoch = epoch;
    record.fenced = fenced ? 1 : -1;
    records.add(record, 0);
    apply(records);
  }
  std::int16_t alter(std::int32_t leader, const Ids& isr, std::int32_t leader_epoch, std::int32_t partition_epoch) {
    protocol::AlterPartitionRequest request;
    request.broker_id = leader;
    request.broker_epoch = epoch_of(leader);
    auto& topic = request.topics.emplace_back();
    topic.topic_id = image->topics().find("t")->id.uuid;
    auto& data = topic.partitions.emplace_back();
    data.leader_epoch = leader_epoch;
    data.partition_epoch = partition_epoch;
    for (const std::int32_t id : isr) data.new_isr_with_epochs.push_back({id, epoch_of(id), {}});
    auto decided = partitions.alter_partition(view(), request, 3);
    EXPECT_TRUE(decided.has_value());
    apply(decided->records);
    return decided->response.topics.at(0).partitions.at(0).error_code;
  }
};

TEST_F(PartitionControlTest, WithoutElrTheLastInSyncReplicaStays) {
  start(0);
  add_topic("t", {{1, 2}});
  fence(1);
  EXPECT_EQ(partition("t").leader, 2);
  EXPECT_EQ(partition("t").isr, Ids{2});
  EXPECT_EQ(partition("t").leader_epoch, 1);
  fence(2);
  EXPECT_EQ(partition("t").leader, kNoLeader);
  EXPECT_EQ(partition("t").isr, Ids{2});
  unfence(1);  // was not in sync: may not lead
  EXPECT_EQ(partition("t").leader, kNoLeader);
  unfence(2);
  EXPECT_EQ(partition("t").leader, 2);
  EXPECT_EQ(partition("t").leader_epoch, 3);
}

TEST_F(PartitionControlTest, WithElrTheIsrMayBecomeEmpty) {
  start(1);
  add_topic("t", {{1, 2, 3}}, {{"min.insync.replicas", "2"}});
  fence(3);
  EXPECT_EQ(partition("t").isr, (Ids{1, 2}));
  EXPECT_TRUE(partition("t").elr.empty());  // still enough in sync
  fence(2);
  EXPECT_EQ(partition("t").isr, Ids{1});
  EXPECT_EQ(partition("t").elr, Ids{2});
  fence(1);
  EXPECT_EQ(partition("t").leader, kNoLeader);
  EXPECT_TRUE(partition("t").isr.empty());
  EXPECT_EQ(partition("t").elr, (Ids{1, 2}));
  EXPECT_EQ(partition("t").last_known_elr, Ids{1});
  unfence(3);  // not eligible
  EXPECT_EQ(partition("t").leader, kNoLeader);
  unfence(2);
  EXPECT_EQ(partition("t").leader, 2);
  EXPECT_EQ(partition("t").isr, Ids{2});
  EXPECT_EQ(partition("t").elr, Ids{1});
  EXPECT_TRUE(partition("t").last_known_elr.empty());
}

TEST_F(PartitionControlTest, AnUncleanStopLeavesIsrAndElr) {
  start(1);
  add_topic("t", {{1}});
  RecordList records;
  partitions.broker_lost_data(view(), 1, records);
  apply(records);
  EXPECT_TRUE(partition("t").isr.empty());
  EXPECT_TRUE(partition("t").elr.empty());
  EXPECT_EQ(partition("t").last_known_elr, Ids{1});
  // It was the last one known: when it comes back it leads, and has to recover.
  set_fenced(1, true);
  unfence(1);
  EXPECT_EQ(partition("t").leader, 1);
  EXPECT_EQ(partition("t").isr, Ids{1});
  EXPECT_EQ(partition("t").leader_recovery_state, LeaderRecoveryState::kRecovering);
}

TEST_F(PartitionControlTest, UncleanElectionWhereAllowed) {
  start(0);
  add_topic("t", {{1, 2}}, {{"unclean.leader.election.enable", "true"}});
  EXPECT_EQ(alter(1, {1}, 0, 0), 0);  // 2 fell behind
  fence(1);
  EXPECT_EQ(partition("t").leader, 2);
  EXPECT_EQ(partition("t").isr, Ids{2});
  EXPECT_EQ(partition("t").leader_recovery_state, LeaderRecoveryState::kRecovering);
}

TEST_F(PartitionControlTest, AlterPartitionChecksWhoAsksAndWhatItKnows) {
  start(1);
  add_topic("t", {{1, 2, 3}});
  EXPECT_EQ(alter(1, {1, 2}, 0, 0), 0);
  EXPECT_EQ(partition("t").isr, (Ids{1, 2}));
  EXPECT_EQ(partition("t").partition_epoch, 1);
  EXPECT_EQ(partition("t").leader_epoch, 0);  // a smaller ISR is no new leader (KAFKA-15021)
  EXPECT_EQ(alter(1, {1, 2, 3}, 0, 0), number(ErrorCode::kInvalidUpdateVersion));
  EXPECT_EQ(alter(1, {1, 2, 3}, 1, 1), number(ErrorCode::kNotController));
  EXPECT_EQ(alter(1, {1, 2, 3}, 0, 2), number(ErrorCode::kNotController));
  EXPECT_EQ(alter(2, {1, 2, 3}, 0, 1), number(ErrorCode::kInvalidRequest));
  EXPECT_EQ(alter(1, {2, 3}, 0, 1), number(ErrorCode::kInvalidRequest));
  EXPECT_EQ(alter(1, {1, 1}, 0, 1), number(ErrorCode::kInvalidRequest));
  EXPECT_EQ(alter(1, {}, 0, 1), number(ErrorCode::kInvalidRequest));
  fence(3);
  EXPECT_EQ(alter(1, {1, 2, 3}, 0, 1), number(ErrorCode::kIneligibleReplica));
  EXPECT_EQ(partition("t").isr, (Ids{1, 2}));
  fence(1);  // a new leader
  EXPECT_EQ(alter(1, {1, 2}, 0, 1), number(ErrorCode::kFencedLeaderEpoch));
  protocol::AlterPartitionRequest stale;
  stale.broker_id = 2;
  stale.broker_epoch = epoch_of(2) - 1;
  const auto refused = partitions.alter_partition(view(), stale, 3);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kStaleBrokerEpoch);
}

TEST_F(PartitionControlTest, OldMetadataVersionsBumpTheLeaderEpochOnAShrink) {
  start(0, 10);  // 3.5-IV1
  add_topic("t", {{1, 2}});
  EXPECT_EQ(alter(1, {1}, 0, 0), 0);
  EXPECT_EQ(partition("t").leader_epoch, 1);
}

TEST_F(PartitionControlTest, PreferredElection) {
  start(1);
  add_topic("t", {{1, 2}});
  const auto elect = [&](std::int8_t type) {
    protocol::ElectLeadersRequest request;
    request.election_type = type;
    request.topic_partitions = std::vector<protocol::ElectLeadersRequest::TopicPartitions>{{Text("t"), {0, 7}, {}}};
    auto decided = partitions.elect_leaders(view(), request);
    EXPECT_TRUE(decided.has_value());
    apply(decided->records);
    const auto& results = decided->response.replica_election_results.at(0).partition_result;
    EXPECT_EQ(results.at(1).error_code, number(ErrorCode::kUnknownTopicOrPartition));
    return results.at(0).error_code;
  };
  EXPECT_EQ(elect(0), number(ErrorCode::kElectionNotNeeded));
  EXPECT_EQ(elect(1), number(ErrorCode::kElectionNotNeeded));
  fence(1);
  EXPECT_EQ(elect(0), number(ErrorCode::kPreferredLeaderNotAvailable));
  unfence(1);
  EXPECT_EQ(partition("t").leader, 2);                                   // coming back does not take the lead
  EXPECT_EQ(elect(0), number(ErrorCode::kPreferredLeaderNotAvailable));  // nor is it in sync yet
  EXPECT_EQ(alter(2, {2, 1}, 1, partition("t").partition_epoch), 0);
  EXPECT_EQ(elect(0), 0);
  EXPECT_EQ(partition("t").leader, 1);
  protocol::ElectLeadersRequest all;
  all.topic_partitions.reset();
  const auto decided = partitions.elect_leaders(view(), all);
  ASSERT_TRUE(decided.has_value());
  EXPECT_TRUE(decided->response.replica_election_results.at(0).partition_result.empty());
  all.election_type = 5;
  EXPECT_FALSE(partitions.elect_leaders(view(), all).has_value());
}

TEST_F(PartitionControlTest, PeriodicPreferredElectionsStopAtTheirLimit) {
  start(1);
  for (const char* name : {"a", "b", "c"}) add_topic(name, {{1, 2}});
  fence(1);
  unfence(1);
  for (const char* name : {"a", "b", "c"}) {
    MetadataDelta delta(image);
    protocol::PartitionChangeRecord back;
    back.topic_id = image->topics().find(name)->id.uuid;
    back.partition_id = 0;
    back.isr = Ids{2, 1};
    RecordList records;
    records.add(back, 2);
    apply(records);
  }
  RecordList records;
  EXPECT_TRUE(partitions.elect_preferred(view(), 2, records));
  EXPECT_EQ(records.size(), 2U);
  apply(records);
  RecordList rest;
  EXPECT_FALSE(partitions.elect_preferred(view(), 2, rest));
  EXPECT_EQ(rest.size(), 1U);
}

TEST_F(PartitionControlTest, ReplicasAreAssignedToDirectories) {
  set_levels(33, 1);
  add_broker(1, false, 2);
  add_topic("t", {{1}});
  protocol::AssignReplicasToDirsRequest request;
  request.broker_id = 1;
  request.broker_epoch = epoch_of(1);
  auto& directory = request.directories.emplace_back();
  directory.id = directory_of(1, 1);
  auto& topic = directory.topics.emplace_back();
  topic.topic_id = image->topics().find("t")->id.uuid;
  topic.partitions = {{0, {}}, {5, {}}};
  auto decided = partitions.assign_replicas_to_dirs(view(), request);
  ASSERT_TRUE(decided.has_value());
  const auto& results = decided->response.directories.at(0).topics.at(0).partitions;
  EXPECT_EQ(results.at(0).error_code, 0);
  EXPECT_EQ(results.at(1).error_code, number(ErrorCode::kUnknownTopicOrPartition));
  apply(decided->records);
  EXPECT_EQ(partition("t").directories, std::vector<Uuid>{directory_of(1, 1)});
  // Said again it changes nothing.
  EXPECT_TRUE(partitions.assign_replicas_to_dirs(view(), request)->records.empty());
  // A directory that this broker does not have online takes the leadership along.
  request.directories[0].id = {0xabcd, 1};
  decided = partitions.assign_replicas_to_dirs(view(), request);
  ASSERT_TRUE(decided.has_value());
  apply(decided->records);
  EXPECT_EQ(partition("t").leader, kNoLeader);
}

TEST_F(PartitionControlTest, Reassignments) {
  start(1);
  add_topic("t", {{1, 2}});
  const auto reassign = [&](std::optional<Ids> target, bool allow_factor = true) {
    protocol::AlterPartitionReassignmentsRequest request;
    request.allow_replication_factor_change = allow_factor;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.push_back({0, target, {}});
    auto decided = partitions.alter_reassignments(view(), request);
    EXPECT_TRUE(decided.has_value());
    apply(decided->records);
    return decided->response.responses.at(0).partitions.at(0).error_code;
  };
  EXPECT_EQ(reassign(std::nullopt), number(ErrorCode::kNoReassignmentInProgress));
  EXPECT_EQ(reassign(Ids{9}), number(ErrorCode::kInvalidReplicaAssignment));
  EXPECT_EQ(reassign(Ids{3}, false), number(ErrorCode::kInvalidReplicationFactor));
  EXPECT_EQ(reassign(Ids{2, 1}), 0);  // the same brokers in another order: done at once
  EXPECT_EQ(partition("t").replicas, (Ids{2, 1}));
  EXPECT_FALSE(partition("t").is_reassigning());
  EXPECT_EQ(reassign(Ids{2, 3}), 0);
  EXPECT_EQ(partition("t").replicas, (Ids{2, 3, 1}));
  EXPECT_EQ(partition("t").adding_replicas, Ids{3});
  EXPECT_EQ(partition("t").removing_replicas, Ids{1});
  protocol::ListPartitionReassignmentsRequest list;
  list.topics.reset();
  EXPECT_EQ(partitions.list_reassignments(*image, list).topics.at(0).partitions.at(0).adding_replicas, Ids{3});
  EXPECT_EQ(reassign(std::nullopt), 0);  // taken back
  EXPECT_EQ(partition("t").replicas, (Ids{2, 1}));
  EXPECT_EQ(reassign(Ids{2, 3}), 0);
  // The new replica is in sync: the leader 1, which goes, hears that there is a new one.
  ASSERT_EQ(partition("t").leader, 1);
  EXPECT_EQ(alter(1, {1, 2, 3}, partition("t").leader_epoch, partition("t").partition_epoch),
            number(ErrorCode::kNewLeaderElected));
  EXPECT_EQ(partition("t").replicas, (Ids{2, 3}));
  EXPECT_EQ(partition("t").leader, 2);
  EXPECT_TRUE(partitions.list_reassignments(*image, list).topics.empty());
}

}  // namespace
}  // namespace dohle::metadata

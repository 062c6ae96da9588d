#include <controller/cluster_control.h>

#include <gtest/gtest.h>

#include <controller/feature_control.h>
#include <controller/producer_id_control.h>
#include <protocol/messages/partition_change_record.h>
#include <testing/control_fixture.h>
#include <testing/golden_log.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

class ClusterControlTest : public ControlFixture {
 protected:
  void SetUp() override { set_levels(33, 1); }
  protocol::BrokerRegistrationRequest asking(std::int32_t id, std::uint64_t incarnation = 1) {
    protocol::BrokerRegistrationRequest request;
    request.broker_id = id;
    request.cluster_id = kTestCluster;
    request.incarnation_id = {5, incarnation};
    request.log_dirs = {directory_of(id)};
    request.rack.reset();
    const auto feature = [&request](const char* name, std::int16_t min, std::int16_t max) {
      auto& added = request.features.emplace_back();
      added.name = name;
      added.min_supported_version = min;
      added.max_supported_version = max;
    };
    feature("metadata.version", 7, 33);
    feature("eligible.leader.replicas.version", 0, 1);
    feature("kraft.version", 0, 1);
    return request;
  }
  Decided<std::int64_t> try_register(const protocol::BrokerRegistrationRequest& request, std::int16_t version = 4) {
    auto decided = cluster.register_broker(
        view(), request,
        {.next_write_offset = next.value(), .kraft_version = 1, .request_version = version, .now = now});
    if (decided) {
      apply(decided->records);
      heartbeats.remove(request.broker_id);
      heartbeats.register_broker(request.broker_id, image->cluster().broker(request.broker_id)->fenced);
    }
    return decided;
  }
  ErrorCode error_of(const protocol::BrokerRegistrationRequest& request) {
    const auto decided = try_register(request);
    return decided ? ErrorCode::kNone : decided.error().code;
  }
  // A heartbeat; its records are applied.
  ClusterControl::HeartbeatReply beat(std::int32_t broker, bool want_fence, bool want_shut_down,
                                      std::int64_t offset = INT64_MAX) {
    protocol::BrokerHeartbeatRequest request;
    request.broker_id = broker;
    request.broker_epoch = epoch_of(broker);
    request.want_fence = want_fence;
    request.want_shut_down = want_shut_down;
    request.current_metadata_offset = offset;
    heartbeats.contact({broker, request.broker_epoch}, now);
    auto decided = cluster.heartbeat(view(), request, epoch_of(broker), heartbeats);
    EXPECT_TRUE(decided.has_value());
    apply(decided->records);
    if (decided->response.in_controlled_shutdown) heartbeats.set_controlled_shutdown_offset(broker, next.value() - 1);
    return decided->response;
  }
};

TEST_F(ClusterControlTest, RegistersFencedAndUnfencesOnceCaughtUp) {
  const auto decided = try_register(asking(1));
  ASSERT_TRUE(decided.has_value());
  EXPECT_EQ(decided->response, epoch_of(1));
  EXPECT_TRUE(image->cluster().broker(1)->fenced);
  auto reply = beat(1, false, false, epoch_of(1) - 1);
  EXPECT_FALSE(reply.response.is_caught_up);
  EXPECT_TRUE(reply.response.is_fenced);
  reply = beat(1, true, false);
  EXPECT_TRUE(reply.response.is_caught_up);
  EXPECT_TRUE(reply.response.is_fenced);
  reply = beat(1, false, false);
  EXPECT_FALSE(reply.response.is_fenced);
  EXPECT_TRUE(image->cluster().is_active(1));
}

TEST_F(ClusterControlTest, RefusesWhoDoesNotBelong) {
  auto other_cluster = asking(1);
  other_cluster.cluster_id = "other";
  EXPECT_EQ(error_of(other_cluster), ErrorCode::kInconsistentClusterId);
  auto zk = asking(1);
  zk.is_migrating_zk_broker = true;
  EXPECT_EQ(error_of(zk), ErrorCode::kBrokerIdNotRegistered);
  auto no_directories = asking(1);
  no_directories.log_dirs.clear();
  EXPECT_EQ(error_of(no_directories), ErrorCode::kInvalidRegistration);
  auto reserved = asking(1);
  reserved.log_dirs = {kDirectoryLost};
  EXPECT_EQ(error_of(reserved), ErrorCode::kInvalidRegistration);
  auto twice = asking(1);
  twice.log_dirs.push_back(twice.log_dirs.front());
  EXPECT_EQ(error_of(twice), ErrorCode::kInvalidRegistration);
  auto old = asking(1);
  old.features[0].max_supported_version = 30;
  EXPECT_EQ(error_of(old), ErrorCode::kUnsupportedVersion);
  auto no_elr = asking(1);
  no_elr.features.erase(no_elr.features.begin() + 1);
  EXPECT_EQ(error_of(no_elr), ErrorCode::kUnsupportedVersion);
  auto no_version = asking(1);
  no_version.features.erase(no_version.features.begin());
  EXPECT_EQ(error_of(no_version), ErrorCode::kInvalidRegistration);
  EXPECT_EQ(error_of(asking(1)), ErrorCode::kNone);
  auto same_directory = asking(2);
  same_directory.log_dirs = {directory_of(1)};
  EXPECT_EQ(error_of(same_directory), ErrorCode::kInvalidRegistration);
}

TEST_F(ClusterControlTest, ASecondProcessWithTheSameIdWaitsForTheSession) {
  ASSERT_EQ(error_of(asking(1, 1)), ErrorCode::kNone);
  beat(1, false, false);
  EXPECT_EQ(error_of(asking(1, 2)), ErrorCode::kDuplicateBrokerRegistration);
  const std::int64_t epoch = epoch_of(1);
  EXPECT_EQ(error_of(asking(1, 1)), ErrorCode::kNone);  // the same process again: an amendment
  EXPECT_EQ(epoch_of(1), epoch);
  EXPECT_FALSE(image->cluster().broker(1)->fenced);
  now = now + std::chrono::seconds(10);
  EXPECT_EQ(error_of(asking(1, 2)), ErrorCode::kNone);
  EXPECT_GT(epoch_of(1), epoch);
  EXPECT_TRUE(image->cluster().broker(1)->fenced);
}

TEST_F(ClusterControlTest, AnUncleanRestartLosesEligibilityACleanOneDoesNot) {
  ASSERT_EQ(error_of(asking(1, 1)), ErrorCode::kNone);
  beat(1, false, false);
  add_topic("t", {{1}});
  now = now + std::chrono::seconds(10);
  auto clean = asking(1, 2);
  clean.previous_broker_epoch = epoch_of(1);
  ASSERT_EQ(error_of(clean), ErrorCode::kNone);
  EXPECT_EQ(partition("t").elr, std::vector<std::int32_t>{1});
  beat(1, false, false);
  EXPECT_EQ(partition("t").leader, 1);
  now = now + std::chrono::seconds(10);
  ASSERT_EQ(error_of(asking(1, 3)), ErrorCode::kNone);  // says nothing about a clean stop
  EXPECT_TRUE(partition("t").elr.empty());
  EXPECT_EQ(partition("t").last_known_elr, std::vector<std::int32_t>{1});
}

TEST_F(ClusterControlTest, ControlledShutdownOfTheOnlyBroker) {
  ASSERT_EQ(error_of(asking(1)), ErrorCode::kNone);
  beat(1, false, false);
  add_topic("t", {{1}});
  auto reply = beat(1, false, true);
  EXPECT_FALSE(reply.response.should_shut_down);
  EXPECT_EQ(partition("t").leader, kNoLeader);
  EXPECT_TRUE(image->cluster().broker(1)->in_controlled_shutdown);
  reply = beat(1, false, true);
  EXPECT_TRUE(reply.response.should_shut_down);
  EXPECT_TRUE(image->cluster().broker(1)->fenced);
}

TEST_F(ClusterControlTest, ControlledShutdownWaitsForTheOthersToHear) {
  for (const std::int32_t id : {1, 2}) {
    ASSERT_EQ(error_of(asking(id)), ErrorCode::kNone);
    beat(id, false, false);
  }
  add_topic("t", {{1, 2}});
  EXPECT_FALSE(beat(1, false, true).response.should_shut_down);
  EXPECT_EQ(partition("t").leader, 2);
  const std::int64_t moved = next.value() - 1;
  beat(2, false, false, moved - 1);
  EXPECT_FALSE(beat(1, false, true).response.should_shut_down);
  beat(2, false, false, moved);
  EXPECT_TRUE(beat(1, false, true).response.should_shut_down);
}

TEST_F(ClusterControlTest, StaleBrokersAreFencedOneByOne) {
  for (const std::int32_t id : {1, 2}) {
    ASSERT_EQ(error_of(asking(id)), ErrorCode::kNone);
    beat(id, false, false);
  }
  now = now + std::chrono::seconds(10);
  for (int fenced = 0; fenced < 2; ++fenced) {
    RecordList records;
    EXPECT_TRUE(cluster.fence_one_stale(view(), now, heartbeats, records));
    EXPECT_EQ(records.size(), 1U);
    apply(records);
  }
  RecordList none;
  EXPECT_FALSE(cluster.fence_one_stale(view(), now, heartbeats, none));
  EXPECT_FALSE(image->cluster().is_active(1) || image->cluster().is_active(2));
}

TEST_F(ClusterControlTest, OfflineAndCordonedDirectories) {
  auto request = asking(1);
  request.log_dirs = {directory_of(1, 0), directory_of(1, 1)};
  ASSERT_EQ(error_of(request), ErrorCode::kNone);
  beat(1, false, false);
  add_topic("t", {{1}, {1}});
  RecordList assign;
  for (const std::int32_t id : {0, 1}) {
    protocol::PartitionChangeRecord record;
    record.topic_id = image->topics().find("t")->id.uuid;
    record.partition_id = id;
    record.directories = std::vector<Uuid>{directory_of(1, static_cast<std::uint64_t>(id))};
    assign.add(record, 2);
  }
  apply(assign);
  protocol::BrokerHeartbeatRequest bad_disk;
  bad_disk.broker_id = 1;
  bad_disk.broker_epoch = epoch_of(1);
  bad_disk.current_metadata_offset = INT64_MAX;
  bad_disk.offline_log_dirs = {directory_of(1, 1)};
  bad_disk.cordoned_log_dirs = std::vector<Uuid>{directory_of(1, 0)};
  auto decided = cluster.heartbeat(view(), bad_disk, epoch_of(1), heartbeats);
  ASSERT_TRUE(decided.has_value());
  apply(decided->records);
  EXPECT_EQ(partition("t", 0).leader, 1);
  EXPECT_EQ(partition("t", 1).leader, kNoLeader);
  EXPECT_EQ(image->cluster().broker(1)->directories, std::vector<Uuid>{directory_of(1, 0)});
  EXPECT_FALSE(image->cluster().broker(1)->has_uncordoned_directory());
  EXPECT_TRUE(cluster.heartbeat(view(), bad_disk, epoch_of(1), heartbeats)->records.empty());
  EXPECT_TRUE(view().usable_brokers().empty());
}

TEST_F(ClusterControlTest, UnregisteredBrokersLeaveTheirPartitions) {
  for (const std::int32_t id : {1, 2}) {
    ASSERT_EQ(error_of(asking(id)), ErrorCode::kNone);
    beat(id, false, false);
  }
  add_topic("t", {{1, 2}});
  EXPECT_EQ(cluster.unregister_broker(view(), 9).error().code, ErrorCode::kBrokerIdNotRegistered);
  apply(cluster.unregister_broker(view(), 1)->records);
  EXPECT_EQ(image->cluster().broker(1), nullptr);
  EXPECT_EQ(partition("t").leader, 2);
  EXPECT_EQ(view().check_broker_epoch(1, 0).code, ErrorCode::kStaleBrokerEpoch);
}

TEST_F(ClusterControlTest, ProducerIdsComeInBlocks) {
  ASSERT_EQ(error_of(asking(1)), ErrorCode::kNone);
  for (const std::int64_t first : {0, 1000, 2000}) {
    auto block = allocate_producer_ids(view(), 1, epoch_of(1));
    ASSERT_TRUE(block.has_value());
    EXPECT_EQ(block->response.first, first);
    EXPECT_EQ(block->response.size, 1000);
    apply(block->records);
  }
  EXPECT_EQ(allocate_producer_ids(view(), 1, epoch_of(1) + 1).error().code, ErrorCode::kStaleBrokerEpoch);
}

TEST_F(ClusterControlTest, FeatureUpdates) {
  ASSERT_EQ(error_of(asking(1)), ErrorCode::kNone);
  const QuorumSetting quorum{.node_id = 1, .voters = {1}, .kraft_version = 1};
  const auto update = [&](const char* name, std::int16_t level, UpgradeType type = UpgradeType::kUpgrade) {
    auto decision = update_features(view(), quorum, {{name, level, type}});
    apply(decision.records);
    return decision.response.code;
  };
  EXPECT_EQ(update("eligible.leader.replicas.version", 0), ErrorCode::kInvalidUpdateVersion);  // needs a downgrade type
  EXPECT_EQ(update("eligible.leader.replicas.version", 0, UpgradeType::kSafeDowngrade), ErrorCode::kNone);
  EXPECT_FALSE(view().elr_enabled());
  EXPECT_EQ(update("eligible.leader.replicas.version", 1, UpgradeType::kSafeDowngrade),
            ErrorCode::kInvalidUpdateVersion);
  EXPECT_EQ(update("eligible.leader.replicas.version", 1), ErrorCode::kNone);
  EXPECT_EQ(update("group.version", 1), ErrorCode::kInvalidUpdateVersion);  // the broker does not have it
  EXPECT_EQ(update("nonsense", 1), ErrorCode::kInvalidUpdateVersion);
  EXPECT_EQ(update("metadata.version", 34), ErrorCode::kInvalidUpdateVersion);
  EXPECT_EQ(update("metadata.version", 32, UpgradeType::kSafeDowngrade), ErrorCode::kInvalidUpdateVersion);
  EXPECT_EQ(update("kraft.version", 1), ErrorCode::kNone);
  EXPECT_EQ(update("kraft.version", 0, UpgradeType::kSafeDowngrade), ErrorCode::kInvalidUpdateVersion);
  EXPECT_EQ(image->features().metadata_version(), 33);
}

// What Kafka 4.4.0 decided at a restart and a stop, we decide too, byte by byte.
TEST_F(ClusterControlTest, DecidesAsKafkaDid) {
  MetadataReplayer replayer;
  const auto batches = read_golden("kafka-4.4.0.log");
  auto replay_until = [&, done = std::size_t{0}](std::int64_t offset) mutable {
    for (; done < batches.size() && batches[done].base_offset.value() < offset; ++done) {
      ASSERT_TRUE(
          replayer.replay_batch(batches[done].base_offset, batches[done].views(), batches[done].end).has_value());
    }
    image = replayer.image();
  };
  const auto golden = [&](std::int64_t first, std::size_t count) {
    std::vector<EncodedRecord> out;
    for (const GoldenBatch& batch : batches) {
      for (std::size_t i = 0; i < batch.records.size(); ++i) {
        const auto offset = batch.base_offset.value() + static_cast<std::int64_t>(i);
        if (offset >= first && offset < first + static_cast<std::int64_t>(count)) out.push_back(batch.records[i]);
      }
    }
    return out;
  };
  const auto heartbeat = [&](bool want_shut_down, bool cordoned) {
    protocol::BrokerHeartbeatRequest request;
    request.broker_id = 1;
    request.broker_epoch = 64;
    request.current_metadata_offset = 1000;
    request.want_shut_down = want_shut_down;
    if (cordoned) request.cordoned_log_dirs.emplace();
    return cluster.heartbeat(view(), request, 64, heartbeats);
  };
  replay_until(65);
  heartbeats.reset(image->cluster(), now, -1);
  auto decided = heartbeat(false, true);  // unfences and says that no directory is cordoned
  ASSERT_TRUE(decided.has_value());
  std::vector<EncodedRecord> expected = golden(66, 7);
  expected.push_back(golden(65, 1).front());
  EXPECT_EQ(decided->records.all(), expected);

  replay_until(77);
  heartbeats.reset(image->cluster(), now, -1);
  decided = heartbeat(true, true);
  ASSERT_TRUE(decided.has_value());
  EXPECT_EQ(decided->records.all(), golden(77, 7));
  heartbeats.set_controlled_shutdown_offset(1, 83);

  replay_until(84);
  decided = heartbeat(true, true);
  ASSERT_TRUE(decided.has_value());
  EXPECT_EQ(decided->records.all(), golden(84, 1));
  EXPECT_TRUE(decided->response.response.should_shut_down);
}

}  // namespace
}  // namespace dohle::metadata

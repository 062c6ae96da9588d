// The controller over raft, a real log and several shards, over restarts and crashes.
#include <gtest/gtest.h>

#include <metadata/controller_registration.h>
#include <protocol/messages/allocate_producer_ids_request.h>
#include <protocol/messages/allocate_producer_ids_response.h>
#include <protocol/messages/default_principal_data.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/envelope_request.h>
#include <protocol/messages/envelope_response.h>
#include <testing/metadata_world.h>

namespace dohle::metadata {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ControllerWorld : public ::testing::TestWithParam<std::size_t> {
 protected:
  MetadataWorld world{GetParam()};
  void SetUp() override { world.format(); }
  void TearDown() override { EXPECT_TRUE(world.faults.empty()); }
};
INSTANTIATE_TEST_SUITE_P(Shards, ControllerWorld, ::testing::Values(std::size_t{1}, std::size_t{4}));

TEST_P(ControllerWorld, AFreshClusterStartsWithItsBootstrapRecords) {
  world.start();
  world.shards.run_until([&] { return world.image().features().metadata_version() != 0; });
  EXPECT_EQ(world.image().features().level("share.version"), 2);
  EXPECT_EQ(world.image().configs().of(ConfigResourceType::kBroker, "").at("min.insync.replicas"), "1");
  // LeaderChange, KRaftVersion, Voters; then Begin, six levels, the setting, End: as Kafka's first log.
  EXPECT_EQ(world.image().last_offset(), Offset(11));
}

TEST_P(ControllerWorld, ATopicIsOnAllShardsWhenItsCreationIsAnswered) {
  world.start();
  world.start_broker();
  EXPECT_TRUE(world.image().cluster().is_active(1));
  for (std::size_t from = 0; from < world.shards.size(); ++from) {
    const std::string name = "topic-" + std::to_string(from);
    EXPECT_EQ(world.create_topic(name, 3, from), 0);
    for (std::size_t shard = 0; shard < world.shards.size(); ++shard) {
      const TopicImage* topic = world.image(shard).topics().find(name);
      ASSERT_NE(topic, nullptr) << shard;
      EXPECT_EQ(topic->partitions.size(), 3U);
      EXPECT_EQ(topic->find(2)->leader, 1);
    }
  }
  EXPECT_EQ(world.create_topic("topic-0"), protocol::number(protocol::ErrorCode::kTopicAlreadyExists));
}

TEST_P(ControllerWorld, ACleanRestartMovesLeadershipAwayAndBack) {
  world.start();
  world.start_broker();
  ASSERT_EQ(world.create_topic("t", 2), 0);
  const std::int64_t first_epoch = world.lifecycle->broker_epoch();
  world.stop();
  world.start();
  world.shards.run_until([&] { return world.image().topics().find("t") != nullptr; });
  EXPECT_EQ(world.image().topics().find("t", 0)->leader, kNoLeader);
  EXPECT_EQ(world.image().topics().find("t", 0)->leader_epoch, 1);
  EXPECT_EQ(world.image().topics().find("t", 0)->elr, std::vector<std::int32_t>{1});
  world.start_broker();
  EXPECT_GT(world.lifecycle->broker_epoch(), first_epoch);
  EXPECT_EQ(world.image().topics().find("t", 0)->leader, 1);
  EXPECT_EQ(world.image().topics().find("t", 0)->leader_epoch, 2);
  EXPECT_EQ(world.image().topics().find("t", 0)->leader_recovery_state, LeaderRecoveryState::kRecovered);
}

TEST_P(ControllerWorld, WhatWasAnsweredSurvivesAPowerLoss) {
  world.start();
  world.start_broker();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(world.create_topic("t" + std::to_string(i)), 0);
  protocol::AllocateProducerIdsRequest ids;
  ids.broker_id = 1;
  ids.broker_epoch = world.lifecycle->broker_epoch();
  EXPECT_EQ(world.ask(ids).producer_id_start, 0);
  world.crash();
  world.start();
  world.start_broker();
  for (int i = 0; i < 20; ++i) {
    const PartitionRegistration* partition = world.image().topics().find("t" + std::to_string(i), 0);
    ASSERT_NE(partition, nullptr) << i;
    // The stop was unclean: the last leader leads again, but has to recover.
    EXPECT_EQ(partition->leader, 1);
    EXPECT_EQ(partition->leader_recovery_state, LeaderRecoveryState::kRecovering);
  }
  ids.broker_epoch = world.lifecycle->broker_epoch();
  EXPECT_EQ(world.ask(ids).producer_id_start, 1000);
}

TEST_P(ControllerWorld, ANoOpRecordEveryHalfSecond) {
  world.start();
  world.shards.run_until([&] { return world.image().features().metadata_version() != 0; });
  const Offset before = world.raft->log_end();
  world.shards.advance(seconds(10));
  EXPECT_EQ(world.raft->log_end() - before, 20);
  EXPECT_EQ(world.image().last_offset(), world.raft->log_end().prev());
}

TEST_P(ControllerWorld, ASilentBrokerIsFenced) {
  world.start();
  world.start_broker();
  ASSERT_EQ(world.create_topic("t"), 0);
  world.shards.advance(seconds(20));
  EXPECT_TRUE(world.image().cluster().is_active(1));  // heartbeats keep it
  const auto unfenced = world.shards.size() - 1;
  world.shards.run(unfenced, [this]() -> runtime::Task<void> { co_await world.lifecycle->stop(); });
  world.shards.advance(seconds(8));
  EXPECT_TRUE(world.image().cluster().is_active(1));
  world.shards.advance(seconds(4));
  EXPECT_FALSE(world.image().cluster().is_active(1));
  EXPECT_EQ(world.image().topics().find("t", 0)->leader, kNoLeader);
  world.lifecycle.reset();
}

TEST_P(ControllerWorld, ASnapshotHoldsEverything) {
  world.policy.max_new_bytes = 4000;
  world.start();
  world.start_broker();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(world.create_topic("t" + std::to_string(i)), 0);
  protocol::DeleteTopicsRequest doomed;
  doomed.timeout_ms = 1000;
  doomed.topics.push_back({Text("t7"), kZeroUuid, {}});
  EXPECT_EQ(world.ask(doomed).responses.at(0).error_code, 0);
  world.shards.advance(seconds(30));
  const auto snapshot = world.raft->latest_snapshot();
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_GT(snapshot->offset, Offset(50));
  const ImageRef before = world.metadata[0]->image();
  world.stop(false);
  world.start();
  world.shards.run_until([&] { return world.image().last_offset() >= before->last_offset(); });
  const MetadataChanges changed = compare(*before, world.image());
  EXPECT_TRUE(changed.empty());
  EXPECT_EQ(world.image().topics().size(), 99U);
}

TEST_P(ControllerWorld, TheControllerMakesItselfKnown) {
  world.start();
  ControllerRegistrar registrar(
      {.controller_id = 1, .incarnation_id = {3, 4}, .endpoints = {{"CONTROLLER", "localhost", 9093, 0}}},
      world.shards.at(0), *world.channel, *world.metadata[0]);
  {
    const auto scope = world.shards.enter(0);
    registrar.start();
  }
  world.shards.run_until([&] { return world.image().cluster().controllers.contains(1); });
  const ControllerRegistration& known = *world.image().cluster().controllers.at(1);
  EXPECT_EQ(known.incarnation_id, (Uuid{3, 4}));
  EXPECT_EQ(known.features.at("metadata.version"), (VersionRange{7, 33}));
  world.shards.run(0, [&]() -> runtime::Task<void> { co_await registrar.stop(); });
}

TEST_P(ControllerWorld, TheControllerListenersAnswersAreFramed) {
  world.start();
  world.start_broker();
  ControllerApis apis(MetadataWorld::kCluster, {*world.controller, *world.raft, *world.loader});
  EXPECT_TRUE(ControllerApis::serves(62) && ControllerApis::serves(1) && ControllerApis::serves(58));
  EXPECT_FALSE(ControllerApis::serves(0) || ControllerApis::serves(18));
  // CreateTopics in an Envelope, as a broker forwards it.
  protocol::Writer inner;
  protocol::RequestHeader header{19, 7, 5, Text("client"), {}};
  header.encode(inner);
  protocol::CreateTopicsRequest create;
  auto& topic = create.topics.emplace_back();
  topic.name = "forwarded";
  topic.num_partitions = 1;
  topic.replication_factor = 1;
  create.encode(inner, 7);
  protocol::EnvelopeRequest envelope;
  envelope.request_data = Blob::copy_of(inner.bytes());
  protocol::Writer principal;
  principal.write<std::int16_t>(0);
  protocol::DefaultPrincipalData who;
  who.type = "User";
  who.name = "alice";
  who.encode(principal, 0);
  envelope.request_principal = Blob::copy_of(principal.bytes());
  protocol::Writer body;
  envelope.encode(body, 0);
  const auto answer = world.shards.run(0, [&]() -> runtime::Task<std::optional<std::vector<std::uint8_t>>> {
    ControllerApis::Request request;
    request.header = {58, 0, 77, std::nullopt, {}};
    request.body = body.bytes();
    auto out = co_await apis.handle(std::move(request));
    if (!out) co_return std::nullopt;
    co_return std::vector<std::uint8_t>(out->bytes().begin(), out->bytes().end());
  });
  ASSERT_TRUE(answer.has_value());
  Reader reader(*answer);
  EXPECT_EQ(protocol::ResponseHeader::decode(reader, 58, 0)->correlation_id, 77);
  const auto outer = protocol::EnvelopeResponse::decode(reader, 0);
  ASSERT_TRUE(outer && outer->response_data);
  EXPECT_EQ(outer->error_code, 0);
  Reader inner_reader(outer->response_data->get());
  EXPECT_EQ(protocol::ResponseHeader::decode(inner_reader, 19, 7)->correlation_id, 5);
  const auto created = protocol::CreateTopicsResponse::decode(inner_reader, 7);
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->topics.at(0).error_code, 0);
  EXPECT_NE(world.image().topics().find("forwarded"), nullptr);
}

}  // namespace
}  // namespace dohle::metadata

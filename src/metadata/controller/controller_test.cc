// The controller when the quorum does not do what it hopes: late commits, lost leaderships, refused appends.
#include <metadata/controller.h>

#include <gtest/gtest.h>

#include <metadata/publisher.h>
#include <metadata/storage_format.h>
#include <runtime/memory/memory_shards.h>
#include <testing/fake_config_validator.h>
#include <testing/fake_raft_node.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
using protocol::number;

class ControllerTest : public ::testing::Test {
 protected:
  runtime::MemoryShards shards{1};
  runtime::MemoryShards::Scope scope{shards.enter(0)};
  FakeConfigValidator validator;
  FakeRaftNode raft;
  ShardMetadata metadata;
  Publisher publisher{{{&shards.at(0).executor(), &metadata}}};
  std::unique_ptr<runtime::IoThread> io = shards.make_io_thread("io");
  MetadataLoader loader{shards.at(0), raft, *io, publisher, {}, [](Error error) { FAIL() << error.message; }};
  ControllerConfig config{.node_id = 1,
                          .cluster_id = "c",
                          .max_idle_interval = {},
                          .fallback_bootstrap_records =
                              bootstrap_records(kProductionMetadataVersion, {{"eligible.leader.replicas.version", 1}})};
  Controller controller{config, {shards.at(0), raft, loader, validator}};
  std::int64_t broker_epoch = -1;

  void SetUp() override {
    raft.register_listener(loader);
    raft.lead();
    shards.run_until_idle();
    register_broker();
  }
  void TearDown() override {
    shards.run(0, [this]() -> runtime::Task<void> {
      raft.unregister_listener(loader);
      co_await raft.shutdown();
      publisher.close();
      co_await controller.close();
    });
  }
  void register_broker() {
    protocol::BrokerRegistrationRequest request;
    request.broker_id = 1;
    request.cluster_id = "c";
    request.incarnation_id = {1, 1};
    request.log_dirs = {{9, 1000}};
    request.features.push_back({Text("metadata.version"), 7, 33, {}});
    request.features.push_back({Text("eligible.leader.replicas.version"), 0, 1, {}});
    request.features.push_back({Text("kraft.version"), 0, 1, {}});
    request.rack.reset();
    const auto response = call(request, 4);
    ASSERT_EQ(response.error_code, 0);
    broker_epoch = response.broker_epoch;
    ASSERT_FALSE(beat().is_fenced);
  }
  protocol::BrokerHeartbeatResponse beat() {
    protocol::BrokerHeartbeatRequest request;
    request.broker_id = 1;
    request.broker_epoch = broker_epoch;
    request.current_metadata_offset = INT64_MAX;
    return call(request, 2);
  }
  template <typename Request>
  typename Request::Response call(const Request& request, std::int16_t version) {
    return shards.run(0, [this, &request, version]() -> runtime::Task<typename Request::Response> {
      ControllerRequestContext context;
      context.api_version = version;
      co_return co_await controller.handle(request, std::move(context));
    });
  }
  static protocol::CreateTopicsRequest creating(const std::string& name) {
    protocol::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    return request;
  }
  // Starts a request; its answer appears in the vector.
  struct Pending {
    protocol::CreateTopicsRequest request;
    std::optional<protocol::CreateTopicsResponse> response;
    [[nodiscard]] std::int16_t error() const { return response->topics.at(0).error_code; }
  };
  std::shared_ptr<Pending> create_later(const std::string& name) {
    auto pending = std::make_shared<Pending>(creating(name));
    runtime::spawn(run(controller, pending));
    shards.run_until_idle();
    return pending;
  }
  static runtime::Task<void> run(Controller& controller, std::shared_ptr<Pending> pending) {
    ControllerRequestContext context;
    context.api_version = 7;
    pending->response = co_await controller.handle(pending->request, std::move(context));
  }
};

TEST_F(ControllerTest, AnswersWaitForTheCommit) {
  raft.hold_commits = true;
  const auto first = create_later("t");
  const auto again = create_later("t");  // decided against what is not committed yet
  EXPECT_FALSE(first->response.has_value());
  EXPECT_FALSE(again->response.has_value());
  EXPECT_EQ(metadata.image()->topics().find("t"), nullptr);
  raft.commit_all();
  shards.run_until_idle();
  ASSERT_TRUE(first->response && again->response);
  EXPECT_EQ(first->error(), 0);
  EXPECT_EQ(again->error(), number(ErrorCode::kTopicAlreadyExists));
  EXPECT_NE(metadata.image()->topics().find("t"), nullptr);
}

TEST_F(ControllerTest, LostLeadershipTakesBackWhatWasNotCommitted) {
  ASSERT_EQ(call(creating("kept"), 7).topics.at(0).error_code, 0);
  raft.hold_commits = true;
  const auto lost = create_later("lost");
  raft.lose_leadership();
  shards.run_until_idle();
  ASSERT_TRUE(lost->response.has_value());
  EXPECT_EQ(lost->error(), number(ErrorCode::kNotController));
  EXPECT_FALSE(controller.is_active());
  EXPECT_EQ(call(creating("x"), 7).topics.at(0).error_code, number(ErrorCode::kNotController));
  EXPECT_EQ(beat().error_code, number(ErrorCode::kNotController));
  raft.hold_commits = false;
  raft.lead();
  shards.run_until_idle();
  EXPECT_EQ(call(creating("lost"), 7).topics.at(0).error_code, 0);
  EXPECT_EQ(call(creating("kept"), 7).topics.at(0).error_code, number(ErrorCode::kTopicAlreadyExists));
}

TEST_F(ControllerTest, ARefusedAppendEndsTheTerm) {
  raft.refuse_appends = true;
  EXPECT_EQ(call(creating("t"), 7).topics.at(0).error_code, number(ErrorCode::kNotController));
  EXPECT_FALSE(controller.is_active());
  raft.refuse_appends = false;
  raft.lead();
  shards.run_until_idle();
  EXPECT_TRUE(controller.is_active());
  EXPECT_EQ(call(creating("t"), 7).topics.at(0).error_code, 0);
}

TEST_F(ControllerTest, ALargeFencingIsSplitIntoBatches) {
  for (int i = 0; i < 3; ++i) {
    auto request = creating("t" + std::to_string(i));
    request.topics[0].num_partitions = 4000;
    ASSERT_EQ(call(request, 7).topics.at(0).error_code, 0);
  }
  const std::size_t before = raft.log.size();
  shards.advance(std::chrono::seconds(12));
  EXPECT_FALSE(metadata.image()->cluster().is_active(1));
  ASSERT_EQ(raft.log.size() - before, 2U);
  EXPECT_EQ(raft.log[before].records.size(), 10'000U);
  EXPECT_EQ(raft.log[before + 1].records.size(), 2'001U);
  EXPECT_EQ(metadata.image()->topics().find("t2", 3999)->leader, kNoLeader);
}

TEST_F(ControllerTest, AnUnfinishedTransactionIsAborted) {
  // Half of a bootstrap, as a predecessor that died would leave it.
  raft.lose_leadership();
  raft.lead();
  shards.run_until_idle();
  ASSERT_EQ(call(creating("before"), 7).topics.at(0).error_code, 0);
  const EncodedRecord begin{1, 23, 0, 0};
  protocol::CreateTopicsRequest unused;
  ASSERT_TRUE(raft.append(raft.leader_and_epoch().epoch, {begin}).has_value());
  shards.run_until_idle();
  EXPECT_TRUE(loader.open_transaction().has_value());
  raft.lose_leadership();
  raft.lead();
  shards.run_until_idle();
  EXPECT_FALSE(loader.open_transaction().has_value());
  EXPECT_NE(metadata.image()->topics().find("before"), nullptr);
}

TEST_F(ControllerTest, DeletionCanBeSwitchedOff) {
  config.delete_topic_enable = false;
  Controller strict(config, {shards.at(0), raft, loader, validator});
  protocol::DeleteTopicsRequest request;
  request.topic_names = {Text("t")};
  const auto ask = [&](std::int16_t version) {
    return shards.run(0, [&]() -> runtime::Task<std::int16_t> {
      ControllerRequestContext context;
      context.api_version = version;
      co_return (co_await strict.handle(request, std::move(context))).responses.at(0).error_code;
    });
  };
  EXPECT_EQ(ask(2), number(ErrorCode::kInvalidRequest));
  EXPECT_EQ(ask(4), number(ErrorCode::kTopicDeletionDisabled));
}

TEST_F(ControllerTest, ARequestWithoutTimeChangesNothing) {
  auto request = creating("t");
  request.timeout_ms = 0;
  EXPECT_EQ(call(request, 7).topics.at(0).error_code, number(ErrorCode::kRequestTimedOut));
  EXPECT_EQ(metadata.image()->topics().find("t"), nullptr);
  request.timeout_ms = 1;
  EXPECT_EQ(call(request, 7).topics.at(0).error_code, 0);
}

TEST_F(ControllerTest, SettingsOfSeveralResources) {
  ASSERT_EQ(call(creating("t"), 7).topics.at(0).error_code, 0);
  protocol::IncrementalAlterConfigsRequest request;
  const auto add = [&request](std::int8_t type, const char* name, const char* key, const char* value) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    resource.configs.push_back({Text(key), 0, Text(value), {}});
  };
  add(2, "t", "retention.ms", "7");
  add(2, "missing", "retention.ms", "7");
  add(4, "", "log.retention.ms", "9");
  add(4, "", "log.retention.ms", "10");
  add(99, "t", "x", "1");
  const auto response = call(request, 1);
  ASSERT_EQ(response.responses.size(), 4U);
  EXPECT_EQ(response.responses[0].error_code, 0);
  EXPECT_EQ(response.responses[1].error_code, number(ErrorCode::kUnknownTopicOrPartition));
  EXPECT_EQ(response.responses[2].error_code, number(ErrorCode::kInvalidRequest));  // named twice
  EXPECT_EQ(response.responses[3].error_code, number(ErrorCode::kUnsupportedVersion));
  EXPECT_EQ(metadata.image()->configs().of(ConfigResourceType::kTopic, "t").at("retention.ms"), "7");
}

}  // namespace
}  // namespace dohle::metadata

#include <client/cluster.h>

#include <gtest/gtest.h>

#include <client/admin.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/list_offsets_request.h>
#include <protocol/messages/list_offsets_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>
#include <runtime/memory/memory_shards.h>

#include "scripted_broker.h"

namespace dohle::client {
namespace {

using protocol::ErrorCode;
using runtime::Task;

constexpr std::uint16_t kPort = 9092;

// Brokers 1 and 2; broker n listens on kPort + n, the first also as the bootstrap server.
class ClusterTest : public testing::Test {
 protected:
  ClusterTest() : one_(shards_.at(0), kPort + 1), two_(shards_.at(0), kPort + 2) {
    for (auto* broker : {&one_, &two_}) {
      broker->on<protocol::MetadataRequest>([this](const auto& request) { return std::optional(metadata(request)); });
    }
    config_.bootstrap_servers = {{"boot", kPort + 1}};
    config_.client_id = "test";
  }
  ~ClusterTest() override {
    shards_.run(0, [&]() -> Task<void> {
      co_await one_.stop();
      co_await two_.stop();
    });
  }

  protocol::MetadataResponse metadata(const protocol::MetadataRequest& request) {
    protocol::MetadataResponse response;
    response.cluster_id = Text("a-cluster");
    for (const std::int32_t id : {1, 2}) {
      auto& broker = response.brokers.emplace_back();
      broker.node_id = id;
      broker.host = "host";
      broker.port = kPort + id;
    }
    if (!request.topics) return response;
    for (const auto& asked : *request.topics) {
      auto& topic = response.topics.emplace_back();
      topic.name = asked.name->str();
      if (missing_topics_ > 0) {
        --missing_topics_;
        topic.error_code = number(ErrorCode::kUnknownTopicOrPartition);
        continue;
      }
      topic.topic_id = Uuid{1, 2};
      for (std::int32_t index = 0; index < 3; ++index) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = index;
        partition.leader_id = leader_of_(index);
        partition.leader_epoch = 7;
        partition.replica_nodes = {1, 2};
        partition.isr_nodes = {1, 2};
      }
    }
    return response;
  }

  template <typename F>
  void with_cluster(F body) {
    shards_.run(0, [&]() -> Task<void> {
      Cluster cluster(shards_.at(0), config_);
      co_await body(cluster);
      co_await cluster.close();
    });
  }

  runtime::MemoryShards shards_{1, 5};
  ScriptedBroker one_;
  ScriptedBroker two_;
  ClientConfig config_;
  int missing_topics_ = 0;
  std::function<std::int32_t(std::int32_t)> leader_of_ = [](std::int32_t index) { return 1 + index % 2; };
};

TEST_F(ClusterTest, LearnsNodesAndTopics) {
  with_cluster([&](Cluster& cluster) -> Task<void> {
    const auto topic = co_await cluster.topic("t", 1000);
    EXPECT_TRUE(topic.has_value());
    if (!topic) co_return;
    EXPECT_EQ((*topic)->partitions.size(), 3U);
    EXPECT_EQ(cluster.metadata().partition("t", 1)->leader, 2);
    EXPECT_EQ(cluster.metadata().cluster_id, "a-cluster");
    EXPECT_EQ(cluster.metadata().nodes.at(2).endpoint.port, kPort + 2);
    // From memory now.
    (void)co_await cluster.topic("t", 1000);
    EXPECT_EQ(one_.count(protocol::MetadataRequest::kApiKey), 1U);
    // Until it is old.
    co_await runtime::sleep_for(std::chrono::milliseconds(300'000));
    (void)co_await cluster.topic("t", 1000);
    EXPECT_EQ(one_.count(3) + two_.count(3), 2U);
  });
}

TEST_F(ClusterTest, WaitsForATopicThatAppears) {
  missing_topics_ = 3;
  with_cluster([&](Cluster& cluster) -> Task<void> {
    const auto topic = co_await cluster.topic("t", 10'000);
    EXPECT_TRUE(topic.has_value());
    missing_topics_ = 1'000'000;
    const auto before = cluster.now();
    const auto never = co_await cluster.topic("u", 2'000);
    EXPECT_FALSE(never.has_value());
    EXPECT_EQ(never.error().code, ErrorCode::kRequestTimedOut);
    EXPECT_LE((cluster.now() - before), std::chrono::milliseconds(2'000));
  });
}

TEST_F(ClusterTest, ANodeThatIsGoneIsANetworkExceptionAndRetriesFindItAgain) {
  with_cluster([&](Cluster& cluster) -> Task<void> {
    (void)co_await cluster.refresh_metadata(std::nullopt);
    one_.disconnect_all();
    two_.disconnect_all();
    const auto answer = co_await cluster.retry(5'000, [&] { return cluster.refresh_metadata(std::nullopt); });
    EXPECT_TRUE(answer.has_value());
  });
}

TEST_F(ClusterTest, NoAnswerIsATimeOutAndClosesTheConnection) {
  one_.on<protocol::CreateTopicsRequest>(
      [](const auto&) -> std::optional<protocol::CreateTopicsResponse> { return std::nullopt; });
  with_cluster([&](Cluster& cluster) -> Task<void> {
    (void)co_await cluster.refresh_metadata(std::nullopt);
    const auto answer = co_await cluster.send(1, protocol::CreateTopicsRequest{}, {.timeout_ms = 700});
    EXPECT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kRequestTimedOut);
    const auto before = one_.connections();
    (void)co_await cluster.versions(1, 3);
    EXPECT_EQ(one_.connections(), before + 1);
  });
}

TEST_F(ClusterTest, AnApiThatNoVersionOfBothKnowsIsUnsupported) {
  two_.on<protocol::CreateTopicsRequest>([](const auto&) { return std::optional(protocol::CreateTopicsResponse{}); },
                                         3);
  with_cluster([&](Cluster& cluster) -> Task<void> {
    (void)co_await cluster.refresh_metadata(std::nullopt);
    const auto none = co_await cluster.send(1, protocol::CreateTopicsRequest{});
    EXPECT_EQ(none.error().code, ErrorCode::kUnsupportedVersion);
    const auto newer = co_await cluster.send(2, protocol::CreateTopicsRequest{}, {.min_version = 4});
    EXPECT_EQ(newer.error().code, ErrorCode::kUnsupportedVersion);
    const auto some = co_await cluster.send(2, protocol::CreateTopicsRequest{});
    EXPECT_TRUE(some.has_value());
    EXPECT_EQ(some->version, 3);
    const auto unknown = co_await cluster.send(77, protocol::CreateTopicsRequest{});
    EXPECT_EQ(unknown.error().code, ErrorCode::kBrokerNotAvailable);
  });
}

TEST_F(ClusterTest, ListsOffsetsAtTheLeadersAndAgainAfterTheyMoved) {
  int moved = 1;
  const auto answer = [&](std::int32_t node) {
    return [&, node](const protocol::ListOffsetsRequest& request) -> std::optional<protocol::ListOffsetsResponse> {
      protocol::ListOffsetsResponse response;
      EXPECT_EQ(request.replica_id, -1);
      for (const auto& asked : request.topics) {
        auto& topic = response.topics.emplace_back();
        topic.name = asked.name.str();
        for (const auto& wanted : asked.partitions) {
          auto& partition = topic.partitions.emplace_back();
          partition.partition_index = wanted.partition_index;
          partition.offset = 100 * node + wanted.partition_index;
          if (moved > 0 && wanted.partition_index == 1) {
            --moved;
            partition.error_code = number(ErrorCode::kNotLeaderOrFollower);
            leader_of_ = [](std::int32_t) { return 1; };
          }
        }
      }
      return response;
    };
  };
  one_.on<protocol::ListOffsetsRequest>(answer(1));
  two_.on<protocol::ListOffsetsRequest>(answer(2));
  with_cluster([&](Cluster& cluster) -> Task<void> {
    Admin admin(cluster);
    auto offsets = co_await admin.list_offsets(
        {{{"t", 0}, kLatestTimestamp}, {{"t", 1}, kLatestTimestamp}, {{"t", 9}, kLatestTimestamp}});
    EXPECT_EQ(offsets.size(), 3U);
    EXPECT_EQ((offsets.at({"t", 0})->offset), 100);
    EXPECT_EQ((offsets.at({"t", 1})->offset), 101);  // first asked at 2, which no longer led
    EXPECT_EQ((offsets.at({"t", 9}).error().code), ErrorCode::kUnknownTopicOrPartition);
  });
}

TEST_F(ClusterTest, AGroupsOffsetsComeFromItsCoordinatorThoughItMoves) {
  std::int32_t coordinator = 1;
  for (auto* broker : {&one_, &two_}) {
    broker->on<protocol::FindCoordinatorRequest>([&](const auto& request) {
      protocol::FindCoordinatorResponse response;
      auto& found = response.coordinators.emplace_back();
      found.key = request.coordinator_keys.at(0).str();
      found.node_id = coordinator;
      found.host = "host";
      found.port = kPort + coordinator;
      return std::optional(std::move(response));
    });
    broker->on<protocol::OffsetFetchRequest>([&, broker](const auto& request) {
      protocol::OffsetFetchResponse response;
      auto& group = response.groups.emplace_back();
      group.group_id = request.groups.at(0).group_id.str();
      if (broker == &one_) {
        coordinator = 2;
        group.error_code = number(ErrorCode::kNotCoordinator);
        return std::optional(std::move(response));
      }
      auto& topic = group.topics.emplace_back();
      topic.name = "t";
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = 4;
      partition.committed_offset = 44;
      partition.metadata = Text("m");
      return std::optional(std::move(response));
    });
  }
  with_cluster([&](Cluster& cluster) -> Task<void> {
    Admin admin(cluster);
    const auto offsets = co_await admin.list_group_offsets("g", std::nullopt);
    EXPECT_TRUE(offsets.has_value());
    EXPECT_EQ((offsets->at({"t", 4})->offset), 44);
    EXPECT_EQ((offsets->at({"t", 4})->metadata), "m");
  });
}

TEST(Properties, ReadAsJavaReadsThem) {
  const auto all = parse_properties(
      "# comment\r\n! another\nbootstrap.servers = a:1,\\\n   b:2\n\nkey:value\nblank value\n  spaced\\ "
      "key\t=\tx\\ty\nalone\n");
  EXPECT_EQ(all, (Properties{{"bootstrap.servers", "a:1,b:2"},
                             {"key", "value"},
                             {"blank", "value"},
                             {"spaced key", "x\ty"},
                             {"alone", ""}}));
  const auto config = ClientConfig::from(all);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->bootstrap_servers.at(1).port, 2);
}

TEST(Properties, BadValuesNameTheKey) {
  EXPECT_FALSE(ClientConfig::from({}));
  EXPECT_FALSE(ClientConfig::from({{"bootstrap.servers", "nowhere"}}));
  EXPECT_FALSE(ClientConfig::from({{"bootstrap.servers", "a:99999"}}));
  const auto bad = ClientConfig::from({{"bootstrap.servers", "[::1]:9"}, {"request.timeout.ms", "soon"}});
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("request.timeout.ms"), std::string::npos);
  EXPECT_EQ(ClientConfig::from({{"bootstrap.servers", "[::1]:9"}})->bootstrap_servers.at(0).host, "::1");
}

TEST(Backoff, GrowsToItsLimitWithAFifthOfJitter) {
  runtime::SeededRandom random(3);
  Backoff backoff(100, 1000, random);
  for (int attempt = 0; attempt < 12; ++attempt) {
    const double base = std::min(100.0 * (1 << attempt), 1000.0);
    const auto next = static_cast<double>(backoff.next_ms());
    EXPECT_GE(next, base * 0.8 - 1);
    EXPECT_LE(next, base * 1.2);
  }
}

}  // namespace
}  // namespace dohle::client

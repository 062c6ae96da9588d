// What a node says of itself is what was done with it.
#include <gtest/gtest.h>

#include <protocol/messages/fetch_response.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>

#include "node_world.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using std::chrono::seconds;

class Metrics : public testing::TestWithParam<std::size_t> {
 protected:
  Metrics()
      : world(GetParam(), {{"metrics.listener", "127.0.0.1:0"},
                           {"log.dirs", "/data,/more"},
                           {"log.retention.check.interval.ms", "1000"}}) {}
  // The sample's value; of one that is not there, -1.
  double value(const std::string& sample) {
    const auto all = world.scrape();
    const auto at = all.find(sample);
    return at == all.end() ? -1 : at->second;
  }
  // Waits for more than there is, so that what there is is read again when time is up; the bytes of the answer.
  std::size_t fetch_in_vain(const std::string& topic, std::int32_t partition) {
    protocol::FetchRequest request;
    request.max_wait_ms = 100;
    request.min_bytes = 1 << 20;
    auto& asked = request.topics.emplace_back();
    asked.topic = topic;
    auto& part = asked.partitions.emplace_back();
    part.partition = partition;
    part.partition_max_bytes = 1 << 20;
    const auto answer = world.call(request, NodeWorld::kFetchVersion);
    return answer.responses.at(0).partitions.at(0).records->size();
  }
  ErrorCode commit_offset(std::int32_t partition, std::int64_t offset) {
    protocol::OffsetCommitRequest request;
    request.group_id = "g";
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    auto& part = topic.partitions.emplace_back();
    part.partition_index = partition;
    part.committed_offset = offset;
    for (int tries = 0;; ++tries) {
      const auto answer = world.call(request, 8);
      const auto error = protocol::error_code_from(answer.topics.at(0).partitions.at(0).error_code);
      if (tries == 20 || (error != ErrorCode::kNotCoordinator && error != ErrorCode::kCoordinatorLoadInProgress)) {
        return error;
      }
      protocol::FindCoordinatorRequest find;
      find.coordinator_keys.emplace_back("g");
      if (tries == 0) static_cast<void>(world.call(find, 4));
      world.shards.advance(seconds(1));
    }
  }

  NodeWorld world;
};
INSTANTIATE_TEST_SUITE_P(Shards, Metrics, testing::Values(1, 4));

TEST_P(Metrics, CountWhatComesAndGoes) {
  world.start();
  ASSERT_EQ(world.create_topic("t", 4), ErrorCode::kNone);
  const auto size = [this](std::int32_t partition) {
    return value("kafka_log_log_size{topic=\"t\",partition=\"" + std::to_string(partition) + "\"}");
  };
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    ASSERT_EQ(world.produce("t", partition, {.records = partition + 1}).error, ErrorCode::kNone);
  }
  ASSERT_EQ(world.produce("t", 9).error, ErrorCode::kUnknownTopicOrPartition);
  const double stored = size(0) + size(1) + size(2);
  EXPECT_EQ(size(3), 0);
  const auto fetched = world.fetch("t", 2, 0);
  ASSERT_GT(fetched.bytes, 0U);
  const std::size_t waited_for = fetch_in_vain("t", 1);

  const auto all = world.scrape();
  EXPECT_EQ(all.at("kafka_server_brokertopicmetrics_messagesin_total{topic=\"t\"}"), 6);
  EXPECT_EQ(all.at("kafka_server_brokertopicmetrics_bytesin_total{topic=\"t\"}"), stored);
  EXPECT_EQ(all.at("kafka_server_brokertopicmetrics_bytesout_total{topic=\"t\"}"),
            static_cast<double>(fetched.bytes + waited_for));
  EXPECT_EQ(all.at("kafka_network_requestmetrics_requests_total{request=\"Produce\"}"), 4);
  EXPECT_EQ(all.at("kafka_network_requestmetrics_requests_total{request=\"Fetch\"}"), 2);
  EXPECT_EQ(
      all.at("kafka_network_requestmetrics_errors_total{request=\"Produce\",error=\"UNKNOWN_TOPIC_OR_PARTITION\"}"), 1);
  EXPECT_EQ(all.at("kafka_log_log_logendoffset{topic=\"t\",partition=\"2\"}"), 3);
  EXPECT_EQ(all.at("kafka_log_log_numlogsegments{topic=\"t\",partition=\"2\"}"), 1);
  EXPECT_EQ(all.at("kafka_server_replicamanager_partitioncount"), 4);
  EXPECT_EQ(all.at("kafka_server_replicamanager_leadercount"), 4);
  EXPECT_EQ(all.at("kafka_server_replicamanager_underreplicatedpartitions"), 0);
  EXPECT_EQ(all.at("kafka_controller_kafkacontroller_activecontrollercount"), 1);
  EXPECT_EQ(all.at("kafka_controller_kafkacontroller_activebrokercount"), 1);
  EXPECT_EQ(all.at("kafka_controller_kafkacontroller_globalpartitioncount"), 4);
  EXPECT_EQ(all.at("dohle_connections"), 1);
  EXPECT_EQ(all.at("dohle_shards"), static_cast<double>(GetParam()));
  EXPECT_EQ(all.at("kafka_log_logmanager_offlinelogdirectorycount"), 0);
  EXPECT_GE(all.at("dohle_log_directory_syncs_total{logdirectory=\"/data\"}"), 1);
  EXPECT_GE(all.at("dohle_log_directory_commits_total{logdirectory=\"/data\"}"),
            all.at("dohle_log_directory_syncs_total{logdirectory=\"/data\"}"));
  world.stop();
}

TEST_P(Metrics, ATopicThatIsGoneIsNotTold) {
  world.start();
  ASSERT_EQ(world.create_topic("t", 4), ErrorCode::kNone);
  ASSERT_EQ(world.produce("t", 1, {.records = 5}).error, ErrorCode::kNone);
  ASSERT_EQ(world.delete_topic("t"), ErrorCode::kNone);
  EXPECT_EQ(value("kafka_server_brokertopicmetrics_messagesin_total"), 5);
  // Another one of that name begins anew.
  ASSERT_EQ(world.create_topic("t", 1), ErrorCode::kNone);
  for (const auto& [sample, number] : world.scrape()) {
    if (sample.starts_with("kafka_server_brokertopicmetrics"))
      EXPECT_FALSE(sample.ends_with("{topic=\"t\"}")) << sample;
  }
  EXPECT_EQ(value("kafka_log_log_logendoffset{topic=\"t\",partition=\"0\"}"), 0);
  world.stop();
}

TEST_P(Metrics, TellHowFarAGroupIsBehind) {
  world.start();
  ASSERT_EQ(world.create_topic("t", 2), ErrorCode::kNone);
  ASSERT_EQ(world.produce("t", 1, {.records = 10}).error, ErrorCode::kNone);
  ASSERT_EQ(commit_offset(1, 4), ErrorCode::kNone);
  const std::string labels = "{consumergroup=\"g\",topic=\"t\",partition=\"1\"}";
  EXPECT_EQ(value("kafka_consumergroup_current_offset" + labels), 4);
  EXPECT_EQ(value("kafka_consumergroup_lag" + labels), 6);
  ASSERT_EQ(world.produce("t", 1, {.records = 3}).error, ErrorCode::kNone);
  EXPECT_EQ(value("kafka_consumergroup_lag" + labels), 9);
  ASSERT_EQ(commit_offset(1, 13), ErrorCode::kNone);
  EXPECT_EQ(value("kafka_consumergroup_lag" + labels), 0);
  EXPECT_EQ(value("kafka_consumergroup_lag{consumergroup=\"g\",topic=\"t\",partition=\"0\"}"), -1);
  world.stop();
}

TEST_P(Metrics, TellOfAFullDisk) {
  constexpr std::uint64_t kDisk = 4ULL << 30U;
  world.files().set_capacity(kDisk);
  world.start();
  ASSERT_EQ(world.create_topic("t", 1, {{"segment.bytes", "1048576"}}), ErrorCode::kNone);
  const std::string path = world.files().exists("/data/t-0") ? "/data" : "/more";
  const std::string directory = "{logdirectory=\"" + path + "\"}";
  const auto of = [directory](const char* name) { return std::string("dohle_log_directory_") + name + directory; };
  EXPECT_EQ(value(of("full")), 0);
  EXPECT_EQ(value(of("reserve_bytes")), 64U << 20U);
  const double free = value(of("free_bytes"));
  EXPECT_EQ(value(of("total_bytes")), static_cast<double>(kDisk));

  const auto ballast = world.files().open("/ballast", runtime::OpenMode::kCreate);
  ASSERT_TRUE((*ballast)->allocate(0, kDisk - world.files().used_bytes()));
  EXPECT_EQ(value(of("free_bytes")), 0);
  int refused = 0;
  for (int i = 0; i < 10 && refused < 3; ++i) {
    if (world.produce("t", 0, {.value_bytes = 600'000}).error == ErrorCode::kKafkaStorageError) ++refused;
  }
  ASSERT_EQ(refused, 3);
  EXPECT_EQ(value(of("full")), 1);
  EXPECT_EQ(value(of("refused_appends_total")), refused);

  ASSERT_TRUE(world.files().remove_file("/ballast"));
  world.shards.advance(seconds(60));
  EXPECT_EQ(value(of("full")), 0);
  EXPECT_LE(value(of("free_bytes")), free);
  EXPECT_EQ(world.produce("t", 0).error, ErrorCode::kNone);
  world.stop();
}

TEST_P(Metrics, TellOfAFailedDirectory) {
  world.start();
  ASSERT_EQ(world.create_topic("t", 2), ErrorCode::kNone);
  const auto partition = world.partition_in("t", "/more");
  world.files().inject({.operation = runtime::FileOperation::kSync, .path_part = "/more/", .error = Errc::kIo});
  EXPECT_EQ(world.produce("t", partition).error, ErrorCode::kKafkaStorageError);
  world.shards.run_until_idle();
  EXPECT_EQ(value("kafka_log_logmanager_offlinelogdirectorycount"), 1);
  EXPECT_EQ(value("kafka_log_logmanager_logdirectoryoffline{logdirectory=\"/more\"}"), 1);
  EXPECT_EQ(value("kafka_log_logmanager_logdirectoryoffline{logdirectory=\"/data\"}"), 0);
  EXPECT_EQ(value("kafka_server_replicamanager_offlinereplicacount"), 1);
  EXPECT_EQ(value("dohle_log_directory_free_bytes{logdirectory=\"/more\"}"), -1);
  world.stop();
}

}  // namespace
}  // namespace dohle::broker

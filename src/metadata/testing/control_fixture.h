// State for tests of the managers: an image that grows by records, and the brokers in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <controller/broker_heartbeats.h>
#include <controller/cluster_control.h>
#include <controller/configuration_control.h>
#include <controller/partition_control.h>
#include <controller/topic_control.h>
#include <metadata/delta.h>
#include <protocol/messages/feature_level_record.h>
#include <protocol/messages/register_broker_record.h>
#include <runtime/memory/seeded_random.h>
#include <testing/fake_config_validator.h>

namespace dohle::metadata {

constexpr const char* kTestCluster = "4L6g3nShT-eMCtK--X86sw";

class ControlFixture : public ::testing::Test {
 protected:
  FakeConfigValidator validator;
  runtime::SeededRandom random{42};
  ConfigurationControl configs{validator, 1};
  PartitionControl partitions{configs};
  TopicControl topics{configs, {.partitions = 2, .replication_factor = 1}, random};
  ClusterControl cluster{kTestCluster, partitions};
  BrokerHeartbeats heartbeats{std::chrono::seconds(9)};
  ImageRef image = MetadataImage::empty();
  Offset next{0};
  runtime::MonotonicTime now{std::chrono::seconds(100)};

  ControlView view() const { return {*image, heartbeats}; }

  void apply(const RecordList& records) {
    MetadataDelta delta(image);
    for (const EncodedRecord& record : records.all()) {
      const auto replayed = delta.replay(record);
      ASSERT_TRUE(replayed.has_value()) << replayed.error().message;
    }
    next = next + static_cast<std::int64_t>(records.size());
    image = delta.apply({next.prev(), LeaderEpoch(1), 0});
  }
  void set_levels(std::int16_t metadata_version, std::int16_t elr) {
    RecordList records;
    const auto add = [&records](std::string_view name, std::int16_t level) {
      protocol::FeatureLevelRecord record;
      record.name = name;
      record.feature_level = level;
      records.add(record, 0);
    };
    add(kMetadataVersionFeature, metadata_version);
    add(kElrFeature, elr);
    apply(records);
  }
  static Uuid directory_of(std::int32_t broker, std::uint64_t number = 0) {
    return {0xabcd, 1000U + 10U * static_cast<std::uint64_t>(broker) + number};
  }
  void add_broker(std::int32_t id, bool fenced = false, std::size_t directories = 1,
                  std::optional<std::string> rack = std::nullopt) {
    protocol::RegisterBrokerRecord record;
    record.broker_id = id;
    record.broker_epoch = next.value();
    record.incarnation_id = {7, static_cast<std::uint64_t>(id)};
    record.fenced = fenced;
    record.rack.reset();
    if (rack) record.rack = *rack;
    for (std::size_t i = 0; i < directories; ++i) record.log_dirs.push_back(directory_of(id, i));
    auto& feature = record.features.emplace_back();
    feature.name = "metadata.version";
    feature.min_supported_version = 7;
    feature.max_supported_version = 33;
    RecordList records;
    records.add(record, 4);
    apply(records);
    heartbeats.register_broker(id, fenced);
  }
  std::int64_t epoch_of(std::int32_t broker) const { return image->cluster().broker(broker)->epoch; }

  // A topic with one replica list for each partition.
  void add_topic(const std::string& name, const std::vector<ReplicaIds>& assignments, const ConfigMap& settings = {}) {
    protocol::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    for (const ReplicaIds& replicas : assignments) {
      topic.assignments.push_back({static_cast<std::int32_t>(topic.assignments.size()), replicas, {}});
    }
    for (const auto& [key, value] : settings) topic.configs.push_back({key, Text(value), {}});
    auto decided = topics.create_topics(view(), request, true);
    ASSERT_TRUE(decided.has_value());
    ASSERT_EQ(decided->response.topics.front().error_code, 0) << decided->response.topics.front().error_message->str();
    apply(decided->records);
  }
  const PartitionRegistration& partition(std::string_view topic, std::int32_t id = 0) const {
    return *image->topics().find(topic, id);
  }
};

}  // namespace dohle::metadata

// BrokerShard: what one shard of the broker owns: its partitions, its view of the metadata, its fetch sessions, the
// group coordinator of its __consumer_offsets partitions.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <base/ids.h>
#include <metadata/image.h>
#include <metadata/publisher.h>
#include <protocol/error_code.h>
#include <replication/partition.h>
#include <runtime/future.h>
#include <runtime/settled_clock.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <storage/log_config.h>

#include "fetch/fetch_session.h"
#include "metrics/shard_metrics.h"
#include "produce/slow_appends.h"
#include "shard/auto_topic_creator.h"
#include "shard/directory_assigner.h"
#include "shard/producer_ids.h"

namespace dohle::storage {
class ShardLogs;
}

namespace dohle::broker {

class Broker;
class ShardGroups;

using PartitionRef = std::shared_ptr<replication::Partition>;

// Told when a partition of this shard begins or ends to be led here: the coordinators of internal topics.
class LeadershipListener {
 public:
  virtual ~LeadershipListener() = default;
  virtual void on_leading(const PartitionRef& partition) = 0;
  virtual void on_stopped_leading(const std::string& topic, std::int32_t partition) = 0;
  // Topics that are gone, for those who keep something under their names.
  virtual void on_topics_deleted(const std::vector<TopicId>& ids, const std::vector<std::string>& names) = 0;
};

class BrokerShard final : public metadata::MetadataListener {
 public:
  struct Parts {
    runtime::Shard& shard;
    Broker& broker;
    metadata::ShardMetadata& metadata;
    storage::ShardLogs& logs;
    std::size_t fetch_session_slots = 1000;
    std::function<storage::LogConfig(const metadata::MetadataImage&, const std::string& topic)> log_config;
    std::function<InternalTopicShape(std::string_view topic)> topic_shape;
  };
  explicit BrokerShard(Parts parts);

  [[nodiscard]] runtime::Shard& shard() { return parts_.shard; }
  [[nodiscard]] Broker& broker() { return parts_.broker; }
  [[nodiscard]] runtime::SettledClock& settled_clock();
  [[nodiscard]] const metadata::ImageRef& image() const { return parts_.metadata.image(); }
  [[nodiscard]] FetchSessions& fetch_sessions() { return fetch_sessions_; }
  [[nodiscard]] AutoTopicCreator& topic_creator() { return topic_creator_; }
  [[nodiscard]] ProducerIds& producer_ids() { return producer_ids_; }
  [[nodiscard]] SlowAppends& slow_appends() { return slow_appends_; }
  [[nodiscard]] ShardMetrics& metrics() { return metrics_; }

  // The partition, when this broker leads it and it lives on this shard; else Kafka's error for a client's request.
  [[nodiscard]] std::expected<PartitionRef, protocol::ErrorCode> leader_of(const TopicIdPartition& id) const;
  // All replicas of this shard.
  [[nodiscard]] const std::map<TopicIdPartition, PartitionRef>& replicas() const { return partitions_; }
  // How many more there should be.
  [[nodiscard]] std::size_t missing_logs() const { return without_log_.size(); }

  // The groups of this shard; set before the first request.
  [[nodiscard]] ShardGroups& groups() { return *groups_; }
  void set_groups(ShardGroups* groups) { groups_ = groups; }
  void set_leadership_listener(LeadershipListener* listener) { leadership_ = listener; }
  // Begins to follow the metadata: everything known so far, then every change. The logs are loaded.
  void start();
  // Completes once all changes published so far are carried out.
  [[nodiscard]] runtime::Task<void> settled();
  void on_metadata_update(const metadata::MetadataUpdate& update) override;
  // The partitions whose logs are below `path` answer with KAFKA_STORAGE_ERROR from now on.
  void on_directory_failed(const std::string& path, const Error& error);
  // Ends all waiting requests and waits for what is in flight.
  [[nodiscard]] runtime::Task<void> close();

 private:
  runtime::Task<void> carry_out(metadata::MetadataUpdate update);
  runtime::Task<void> apply_partitions(const metadata::MetadataImage& image, std::span<const TopicIdPartition> due);
  runtime::Task<runtime::Unit> apply_partition(const metadata::MetadataImage& image, TopicIdPartition id);
  runtime::Task<void> make_missing_logs();
  runtime::Task<void> remove(const TopicIdPartition& id);
  runtime::Task<Result<PartitionRef>> replica(const metadata::MetadataImage& image, const TopicIdPartition& id,
                                              const std::string& topic, const Uuid& directory);
  // Until the next call; the partitions of a topic share it.
  const storage::LogConfig& log_config(const metadata::MetadataImage& image, const std::string& topic);
  void apply_leadership(const PartitionRef& partition, const metadata::PartitionRegistration& registration);
  void apply_configs(const metadata::MetadataUpdate& update);
  void tell_deleted_topics(const metadata::MetadataUpdate& update);

  Parts parts_;
  FetchSessions fetch_sessions_;
  AutoTopicCreator topic_creator_;
  ProducerIds producer_ids_;
  DirectoryAssigner directory_assigner_;
  SlowAppends slow_appends_;
  ShardMetrics metrics_;
  std::map<TopicIdPartition, PartitionRef> partitions_;
  // Whose logs could not be made, for want of space most likely; tried again.
  std::set<TopicIdPartition> without_log_;
  bool making_logs_ = false;
  metadata::ImageRef carried_out_;  // the last update's
  struct TopicConfig {
    std::string topic;
    Offset known_at;
    storage::LogConfig config;
  };
  std::optional<TopicConfig> last_config_;
  runtime::StopSource stop_;
  LeadershipListener* leadership_ = nullptr;
  ShardGroups* groups_ = nullptr;
  runtime::Mutex in_order_;  // one update after the other
  runtime::Gate gate_;
};

}  // namespace dohle::broker

// Broker: what all shards of a node share. Immutable once the node has started; each shard reads it freely.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/check.h>
#include <base/hash_map.h>
#include <base/ids.h>
#include <base/text.h>
#include <broker/config/node_config.h>
#include <metadata/controller_channel.h>
#include <metadata/image.h>
#include <runtime/network.h>

namespace dohle::storage {
class LogManager;
}

namespace dohle::broker {

class BrokerShard;

// What requests need of the settings, in their units. The rest stays with the modules that own it.
struct RequestSettings {
  bool auto_create_topics = true;
  bool delete_topic_enable = true;
  std::int32_t num_partitions = -1;  // -1: not set, the controller's default applies
  std::int16_t default_replication_factor = -1;
  std::int32_t fetch_max_bytes = 55 * 1024 * 1024;
  std::int32_t max_request_partition_size_limit = 2000;
  std::int32_t request_timeout_ms = 30000;
  bool advertise_peer_address = false;  // dohle dev: answer with the address that the client used
};

class Broker {
 public:
  Broker(BrokerId id, std::string cluster_id, RequestSettings settings, std::size_t shard_count)
      : id_(id), cluster_id_(std::move(cluster_id)), settings_(settings), shard_count_(shard_count) {}

  [[nodiscard]] BrokerId id() const { return id_; }
  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }
  [[nodiscard]] const RequestSettings& settings() const { return settings_; }

  [[nodiscard]] std::size_t shard_count() const { return shard_count_; }
  [[nodiscard]] BrokerShard& at(std::size_t shard) { return *shards_[shard]; }
  // Where a partition lives; the same on every start with the same number of shards.
  [[nodiscard]] std::size_t shard_of(const TopicIdPartition& id) const { return shard_of(id, shard_count_); }
  [[nodiscard]] static std::size_t shard_of(const TopicIdPartition& id, std::size_t shards) {
    return FixedHash{}(id) % shards;
  }
  [[nodiscard]] metadata::ControllerChannel& controller() { return *controller_; }
  [[nodiscard]] storage::LogManager& logs() { return *logs_; }

  // The address under which clients of a listener reach a broker. With advertise_peer_address this node is where the
  // client has found it, `used`.
  [[nodiscard]] std::pair<Text, std::int32_t> advertised(std::int32_t broker_id,
                                                         const metadata::EndpointImage& endpoint,
                                                         const runtime::Endpoint& used) const {
    if (settings_.advertise_peer_address && broker_id == id_.value()) return {Text(used.host), used.port};
    return {Text(endpoint.host), endpoint.port};
  }
  // As the node was started with, without what is set dynamically.
  [[nodiscard]] const config::NodeConfig& config() const {
    DOHLE_CHECK(config_ != nullptr);
    return *config_;
  }
  // Of this incarnation, -1 before it is registered. From any shard.
  [[nodiscard]] std::int64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }
  void set_epoch(std::int64_t epoch) { epoch_.store(epoch, std::memory_order_relaxed); }

  // Before the first request.
  void set_shards(std::vector<BrokerShard*> shards) { shards_ = std::move(shards); }
  void set_controller(metadata::ControllerChannel& controller) { controller_ = &controller; }
  void set_logs(storage::LogManager& logs) { logs_ = &logs; }
  void set_config(std::shared_ptr<const config::NodeConfig> config) { config_ = std::move(config); }

 private:
  BrokerId id_;
  std::string cluster_id_;
  RequestSettings settings_;
  std::size_t shard_count_;
  std::vector<BrokerShard*> shards_;
  metadata::ControllerChannel* controller_ = nullptr;
  std::atomic<std::int64_t> epoch_{-1};
  storage::LogManager* logs_ = nullptr;
  std::shared_ptr<const config::NodeConfig> config_;
};

}  // namespace dohle::broker

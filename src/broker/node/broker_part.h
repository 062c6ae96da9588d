// The broker side of a node: one BrokerShard with its group coordinator and its dispatcher on every shard.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <broker/config/node_config.h>
#include <runtime/shard.h>
#include <storage/log_manager.h>

#include "dispatch/dispatcher.h"
#include "groups/shard_groups.h"
#include "node/quorum_part.h"
#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {

class BrokerPart {
 public:
  struct Parts {
    runtime::Shards& shards;
    storage::LogManager& logs;
    QuorumPart& quorum;
    const config::ServerConfig& config;
    std::string cluster_id;
    bool advertise_peer_address = false;
  };
  explicit BrokerPart(Parts parts);

  // Makes each shard's objects on that shard.
  [[nodiscard]] runtime::Task<void> build();
  // The logs are loaded: follow the metadata. Completes when all shards lead what they should lead so far.
  [[nodiscard]] runtime::Task<void> follow_metadata();
  // Completes once every shard has carried out the changes it has been told of.
  [[nodiscard]] runtime::Task<void> settled();
  // Requests that came early are worked on from now on.
  [[nodiscard]] runtime::Task<void> open_for_requests();
  [[nodiscard]] runtime::Task<void> stop();

  [[nodiscard]] storage::LogConfig log_config_for(const metadata::MetadataImage& image, const std::string& topic) const;
  [[nodiscard]] Broker& broker() { return broker_; }
  [[nodiscard]] transport::RequestSink& sink(std::size_t shard) { return *locals_[shard].dispatcher; }
  // The failed directory's partitions answer with KAFKA_STORAGE_ERROR from now on. On shard 0.
  void directory_failed(const std::string& path, const Error& error);

 private:
  // What lives on one shard, in the order it is made.
  struct Local {
    std::unique_ptr<BrokerShard> shard;
    std::unique_ptr<ShardGroups> groups;
    std::unique_ptr<Dispatcher> dispatcher;
  };
  // Runs `work(shard index)` on every shard and waits for all.
  [[nodiscard]] runtime::Task<void> on_all_shards(runtime::Task<runtime::Unit> (BrokerPart::*work)(std::size_t));
  runtime::Task<runtime::Unit> build_on(std::size_t shard);
  runtime::Task<runtime::Unit> connect_on(std::size_t shard);
  runtime::Task<runtime::Unit> follow_on(std::size_t shard);
  runtime::Task<runtime::Unit> settle_on(std::size_t shard);
  runtime::Task<runtime::Unit> open_on(std::size_t shard);
  runtime::Task<runtime::Unit> stop_on(std::size_t shard);

  Parts parts_;
  config::NodeConfig node_config_;
  Broker broker_;
  std::vector<Local> locals_;
};

}  // namespace dohle::broker

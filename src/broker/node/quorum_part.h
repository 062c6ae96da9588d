// The metadata side of a node, on shard 0: raft, the loader that publishes images to all shards, and the controller.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <base/result.h>
#include <broker/config/server_config.h>
#include <metadata/config_validator.h>
#include <metadata/controller.h>
#include <metadata/controller_apis.h>
#include <metadata/controller_channel.h>
#include <metadata/loader.h>
#include <metadata/publisher.h>
#include <raft/driver.h>
#include <runtime/io_thread.h>
#include <runtime/shard.h>
#include <storage/log_manager.h>

namespace dohle::broker {

class QuorumPart {
 public:
  // Opens the metadata log. `fault` is told when it cannot be understood. Everything passed in outlives this.
  [[nodiscard]] static runtime::Task<Result<std::unique_ptr<QuorumPart>>> open(runtime::Shards& shards,
                                                                               storage::LogManager& logs,
                                                                               const config::ServerConfig& config,
                                                                               const std::string& cluster_id,
                                                                               std::function<void(Error)> fault);

  // Takes part from now on. Completes when every shard has an image of what was committed before the start.
  [[nodiscard]] runtime::Task<void> start();
  [[nodiscard]] runtime::Task<void> stop();

  [[nodiscard]] raft::RaftNode& raft() { return *raft_; }
  [[nodiscard]] metadata::Controller& controller() { return *controller_; }
  [[nodiscard]] metadata::ControllerApis& apis() { return *apis_; }
  [[nodiscard]] metadata::ControllerChannel& channel() { return *channel_; }
  [[nodiscard]] metadata::ShardMetadata& metadata(std::size_t shard) { return *metadata_[shard]; }
  [[nodiscard]] metadata::Publisher& publisher() { return *publisher_; }

 private:
  QuorumPart() = default;

  std::unique_ptr<raft::RaftNode> raft_;
  std::vector<std::unique_ptr<metadata::ShardMetadata>> metadata_;
  std::unique_ptr<metadata::Publisher> publisher_;
  std::unique_ptr<runtime::IoThread> snapshots_;
  std::unique_ptr<metadata::MetadataLoader> loader_;
  std::unique_ptr<metadata::ConfigValidator> validator_;
  std::unique_ptr<metadata::Controller> controller_;
  std::unique_ptr<metadata::ControllerApis> apis_;
  std::unique_ptr<metadata::ControllerChannel> channel_;
};

}  // namespace dohle::broker

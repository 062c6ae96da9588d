// ControllerDispatcher: requests of the controller listener, from the connection's shard to shard 0, where raft and the
// controller live, and back. It has no state of its own: one serves all shards.
#pragma once

#include <memory>
#include <string>

#include <metadata/controller_apis.h>
#include <metadata/publisher.h>
#include <runtime/shard.h>
#include <runtime/task.h>
#include <transport/request.h>

namespace dohle::broker {

class ControllerDispatcher final : public transport::RequestSink {
 public:
  // All of it lives on `shard`, shard 0.
  struct Home {
    runtime::Shard& shard;
    metadata::ControllerApis& apis;
    metadata::ShardMetadata& metadata;
    std::string cluster_id;
    std::int32_t node_id = -1;
  };
  explicit ControllerDispatcher(Home home) : home_(std::move(home)) {}
  [[nodiscard]] runtime::Task<void> handle(std::unique_ptr<transport::Request> request) override;

 private:
  Home home_;
};

}  // namespace dohle::broker

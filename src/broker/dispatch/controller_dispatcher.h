// ControllerDispatcher: requests of the controller listener, from the connection's shard to shard 0 and back. One per
// shard.
#pragma once

#include <memory>
#include <string>

#include <metadata/controller.h>
#include <metadata/publisher.h>
#include <raft/driver.h>
#include <runtime/shard.h>
#include <runtime/task.h>
#include <transport/request.h>

namespace dohle::broker {

// All of it lives on `shard`, shard 0.
struct ControllerHome {
  runtime::Shard& shard;
  raft::RaftNode& raft;
  metadata::Controller& controller;
  metadata::ShardMetadata& metadata;
  std::string cluster_id;
  std::int32_t node_id = -1;
};

class ControllerDispatcher final : public transport::RequestSink {
 public:
  explicit ControllerDispatcher(ControllerHome& home) : home_(home) {}
  [[nodiscard]] runtime::Task<void> handle(std::unique_ptr<transport::Request> request) override;

 private:
  ControllerHome& home_;
};

}  // namespace dohle::broker

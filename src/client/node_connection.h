// NodeConnection: the way to one node: connected when first needed, its versions asked, made anew after it broke. Held
// by shared_ptr, as its callers may outlive its place in the cluster. One shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <client/client_config.h>
#include <client/cluster.h>
#include <client/kafka_error.h>
#include <runtime/network.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <runtime/task.h>
#include <transport/api_versions.h>
#include <transport/client_connection.h>

namespace dohle::client {

class NodeConnection : public std::enable_shared_from_this<NodeConnection> {
 public:
  NodeConnection(runtime::Shard& shard, const ClientConfig& config, std::int32_t node, runtime::Endpoint endpoint)
      : shard_(&shard),
        config_(&config),
        node_(node),
        endpoint_(std::move(endpoint)),
        backoff_(config.reconnect_backoff_ms, config.reconnect_backoff_max_ms, shard.random()) {}

  [[nodiscard]] const runtime::Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] bool is_connected() const { return connection_ != nullptr && !connection_->is_closed(); }
  // After a failed attempt, for reconnect.backoff.ms, growing.
  [[nodiscard]] bool is_backing_off() const { return shard_->clock().now() < not_before_; }
  [[nodiscard]] std::size_t in_flight() const { return is_connected() ? connection_->in_flight() : 0; }

  // The connection, its versions known; made unless it is there. Callers queue; one makes it.
  [[nodiscard]] runtime::Task<Answer<std::shared_ptr<transport::ClientConnection>>> ready();
  // After ready(): what the node offers.
  [[nodiscard]] const transport::ApiVersions& versions() const { return versions_; }

  // Fails what is under way, and waits until it is gone.
  [[nodiscard]] runtime::Task<void> close();

 private:
  [[nodiscard]] runtime::Task<Answer<>> connect();

  runtime::Shard* shard_;
  const ClientConfig* config_;
  std::int32_t node_;
  runtime::Endpoint endpoint_;
  std::shared_ptr<transport::ClientConnection> connection_;
  transport::ApiVersions versions_;
  runtime::Mutex connecting_;
  Backoff backoff_;
  runtime::MonotonicTime not_before_{};
};

}  // namespace dohle::client

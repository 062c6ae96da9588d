// From settings to the structs that each module declares for itself.
#pragma once

#include <broker/config/node_config.h>
#include <coordinator/group/group_config.h>
#include <raft/driver.h>
#include <storage/log_config.h>
#include <storage/log_manager.h>
#include <transport/connection_limits.h>
#include <transport/server.h>

namespace dohle::broker::config {

// Of one topic; `topic` are its values as NodeConfig::topic resolves them.
[[nodiscard]] storage::LogConfig log_config(const Values& topic);
// shard_of and the sizes of caches are left to the caller.
[[nodiscard]] storage::LogManagerConfig log_manager_config(const ServerConfig& server);
// cluster_id is left to the caller. `canonical_host_name` stands for listeners without a host; those without a port (0:
// any free one) are left out, the voter keeps the endpoints it was formatted with.
[[nodiscard]] raft::RaftConfig raft_config(const ServerConfig& server, std::string_view canonical_host_name);
[[nodiscard]] coordinator::GroupConfig group_config(const ServerConfig& server);
// Pools of memory are left to the caller.
[[nodiscard]] transport::ServerOptions server_options(const ServerConfig& server);
[[nodiscard]] transport::ConnectionLimitOptions connection_limits(const ServerConfig& server);
// The listeners to bind, the broker's or the controller's.
[[nodiscard]] std::vector<transport::ListenerOptions> listener_options(const ServerConfig& server,
                                                                       const std::vector<Endpoint>& listeners);

}  // namespace dohle::broker::config

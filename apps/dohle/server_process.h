// A node as a process: shards, signals, one sentence for what goes wrong.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <broker/config/server_config.h>
#include <broker/node.h>

namespace dohle::app {

struct ServerProcess {
  broker::config::ServerConfig config;
  bool advertise_peer_address = false;
  std::function<void(const broker::Node&)> on_ready;  // once it serves; may be empty
};

inline constexpr int kExitFailure = 1;
inline constexpr int kExitDirectoryFailed = 3;  // the metadata directory, or the last log directory, failed

// Runs until SIGTERM or SIGINT. Returns the exit code.
int run_server_process(ServerProcess process);

}  // namespace dohle::app

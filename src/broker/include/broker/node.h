// Node: one process as a broker, a controller, or both: everything from its log directories to its listeners. A single
// node and a cluster's member take the same path.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <base/result.h>
#include <broker/config/server_config.h>
#include <runtime/process_usage.h>
#include <runtime/shard.h>
#include <runtime/task.h>
#include <storage/log_manager.h>

namespace dohle::broker {

struct NodeOptions {
  std::uint64_t memory_bytes = 0;                 // for caches and requests; 0: their own defaults
  std::uint64_t journal_bytes = 64U << 20U;       // of each of the two files of a log directory's journal; 0: none
  std::size_t open_segments_per_shard = 4096;     // files of logs that stay open
  bool advertise_peer_address = false;            // clients are sent back to the address they came by (dohle dev)
  std::function<void(const std::string&)> fatal;  // one sentence; the process should end. On shard 0
  std::function<runtime::ProcessUsage()> process_usage;  // for the metrics; on shard 0
  // Instead of lines in the log, on shard 0.
  std::function<void(const storage::LoadProgress&)> on_load_progress;
};

class Node {
 public:
  // On shard 0 of `shards`. Completes when the node serves: registered, unfenced, listeners open. Every failure is one
  // sentence that says what is wrong and where.
  [[nodiscard]] static runtime::Task<Result<std::unique_ptr<Node>>> start(runtime::Shards& shards,
                                                                          config::ServerConfig config,
                                                                          NodeOptions options);
  virtual ~Node() = default;
  // The clean stop, in its one order: requests, timers, flush, snapshots, checkpoints, clean marker, locks.
  [[nodiscard]] virtual runtime::Task<void> stop() = 0;
  // By listener name: the port it really has.
  [[nodiscard]] virtual const std::map<std::string, std::uint16_t>& ports() const = 0;
  // Of metrics.listener; 0 without one.
  [[nodiscard]] virtual std::uint16_t metrics_port() const = 0;
  [[nodiscard]] virtual const std::string& cluster_id() const = 0;
};

}  // namespace dohle::broker

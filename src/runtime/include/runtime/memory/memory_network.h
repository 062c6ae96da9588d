// MemoryNetwork: connections as pairs of bounded pipes between the shards of one MemoryShards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <runtime/network.h>
#include <runtime/random.h>

namespace dohle::runtime {

class MemoryListener;

// What all shards' networks have in common. One thread.
class MemoryFabric {
 public:
  explicit MemoryFabric(std::uint64_t seed);
  ~MemoryFabric();
  MemoryFabric(const MemoryFabric&) = delete;
  MemoryFabric& operator=(const MemoryFabric&) = delete;

  // Bytes a direction of a connection holds before its writer waits. For connections made afterwards.
  void set_pipe_bytes(std::size_t bytes) { pipe_bytes_ = bytes; }
  // Whether reads get arbitrary parts of what has arrived (the default), or all of it.
  void set_split_reads(bool split) { split_reads_ = split; }
  // Connection attempts to this port are never answered.
  void set_silent(std::uint16_t port, bool silent) { silent_[port] = silent; }

 private:
  friend class MemoryNetwork;
  friend class MemoryListener;
  friend class MemoryConnection;
  std::unique_ptr<Random> random_;
  std::size_t pipe_bytes_ = 64U << 10U;
  bool split_reads_ = true;
  std::uint16_t next_port_ = 20'000;
  std::map<std::uint16_t, MemoryListener*> listeners_;
  std::map<std::uint16_t, bool> silent_;
};

// One shard's end of the fabric. Peers appear under the address `host`.
class MemoryNetwork final : public Network {
 public:
  MemoryNetwork(MemoryFabric& fabric, std::string host) : fabric_(&fabric), host_(std::move(host)) {}
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen_with(const Endpoint& endpoint, int backlog,
                                                              SocketBuffers buffers) override;
  [[nodiscard]] Result<std::unique_ptr<Connection>> attach(std::unique_ptr<AcceptedPeer> peer) override;
  // Only the port decides who is reached. kNotFound for the host "unknown.invalid".
  [[nodiscard]] Task<Result<std::unique_ptr<Connection>>> connect(Endpoint endpoint, Duration timeout) override;
  [[nodiscard]] std::string canonical_host_name() override { return "localhost"; }
  void set_host(std::string host) { host_ = std::move(host); }

 private:
  MemoryFabric* fabric_;
  std::string host_;
};

}  // namespace dohle::runtime

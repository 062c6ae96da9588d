// MemoryNetwork: connections as pairs of bounded pipes between the machines of one MemoryWorld.
//
// What it may do to them, when told to: hand reads any part of what has arrived; let bytes travel for a while; reset
// connections; swallow what one side sends for ever (half-open); make a machine unreachable, with or without an answer;
// hold a connection back from a request of a certain API on, and deliver it later even when its sender has given up.
// What it never does: lose, double, change or reorder bytes of a connection that lives. TCP does not either.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <runtime/network.h>
#include <runtime/random.h>

namespace dohle::runtime {

class MemoryListener;
class MemoryWorld;
struct MemoryPipes;

enum class Reach : std::uint8_t {
  kOpen,
  kRefused,  // attempts to connect are refused
  kSilent,   // attempts to connect are never answered
};

// What all shards' networks have in common. One thread.
class MemoryFabric {
 public:
  MemoryFabric(MemoryWorld& world, std::uint64_t seed);
  ~MemoryFabric();
  MemoryFabric(const MemoryFabric&) = delete;
  MemoryFabric& operator=(const MemoryFabric&) = delete;

  // Bytes a direction of a connection holds before its writer waits. For connections made afterwards.
  void set_pipe_bytes(std::size_t bytes) { pipe_bytes_ = bytes; }
  // Whether reads get arbitrary parts of what has arrived (the default), or all of it.
  void set_split_reads(bool split) { split_reads_ = split; }
  // Connection attempts to this port are never answered.
  void set_silent(std::uint16_t port, bool silent) { silent_[port] = silent; }

  // Every write travels for a time between the two.
  void set_latency(Duration shortest, Duration longest) { latency_ = {shortest, longest}; }
  // Whether `machine` can be connected to, and connect; none named: any.
  void set_reach(const std::string& machine, Reach reach) { reach_[machine] = reach; }
  // The connections of `machine` end at once, on both sides; what is on its way is lost.
  void reset_machine(const std::string& machine);
  // Nothing that any side of `machine`'s connections writes arrives any more, and nobody is told.
  void silence_machine(const std::string& machine);
  // A process has died: what it listened on is free again.
  void forget_listeners(const std::string& machine);
  // One of the open connections, drawn. False when there is none.
  bool reset_one();
  // One direction of one of the open connections swallows everything.
  bool half_open_one();
  // The next `times` requests of this API, and what their connections carry after them, arrive `by` later.
  void hold_requests(std::int16_t api_key, Duration by, std::uint64_t times);
  void clear_holds() { holds_.clear(); }
  [[nodiscard]] std::uint64_t held() const { return held_; }
  [[nodiscard]] std::size_t open_connections();

 private:
  friend class MemoryNetwork;
  friend class MemoryListener;
  friend class MemoryConnection;
  struct Hold {
    Duration by;
    std::uint64_t times;
  };
  using Place = std::pair<std::string, std::uint16_t>;  // machine and port

  [[nodiscard]] Duration draw_latency();
  // How long a request that begins now is held back.
  [[nodiscard]] Duration take_hold(std::int16_t api_key);
  [[nodiscard]] Reach reach(const std::string& machine) const;
  [[nodiscard]] std::vector<std::shared_ptr<MemoryPipes>> living();
  [[nodiscard]] std::vector<std::shared_ptr<MemoryPipes>> of_machine(const std::string& machine);
  void reset(MemoryPipes& pipes);

  MemoryWorld* world_;
  std::unique_ptr<Random> random_;
  std::size_t pipe_bytes_ = 64U << 10U;
  bool split_reads_ = true;
  std::pair<Duration, Duration> latency_{0, 0};
  std::uint16_t next_port_ = 20'000;
  std::uint64_t held_ = 0;
  std::map<Place, MemoryListener*> listeners_;
  std::vector<MemoryListener*> of_the_dead_;  // kept in reach, with who waits for them: nobody destroys either
  std::map<std::uint16_t, bool> silent_;
  std::map<std::string, Reach> reach_;
  std::map<std::int16_t, Hold> holds_;
  std::vector<std::weak_ptr<MemoryPipes>> connections_;
};

// One shard's end of the fabric. `machine` is what the process runs on: peers see its connections come from there.
class MemoryNetwork final : public Network {
 public:
  MemoryNetwork(MemoryFabric& fabric, std::string machine) : fabric_(&fabric), machine_(std::move(machine)) {}
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen_with(const Endpoint& endpoint, int backlog,
                                                              SocketBuffers buffers) override;
  [[nodiscard]] Result<std::unique_ptr<Connection>> attach(std::unique_ptr<AcceptedPeer> peer) override;
  // A host that is not a machine which listens on that port is this machine. kNotFound for the host "unknown.invalid".
  [[nodiscard]] Task<Result<std::unique_ptr<Connection>>> connect(Endpoint endpoint, Duration timeout) override;
  [[nodiscard]] std::string canonical_host_name() override { return machine_ == "127.0.0.1" ? "localhost" : machine_; }

 private:
  MemoryFabric* fabric_;
  std::string machine_;
};

}  // namespace dohle::runtime

// Server: listens, accepts, spreads connections over the shards, and turns their bytes into Requests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <base/result.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <transport/connection_limits.h>
#include <transport/request.h>

namespace dohle::transport {

struct ServerOptions {
  std::uint32_t max_frame_bytes = 104'857'600;  // socket.request.max.bytes
  // Memory for frames, on each shard: of all clients; before authentication; of privileged listeners. A larger frame is
  // refused; a quarter more is there for small frames.
  std::uint64_t request_bytes = 256U << 20U;
  std::uint64_t unauthenticated_bytes = 4U << 20U;
  std::uint64_t privileged_bytes = 64U << 20U;
  // Largest frame before authentication (sasl.server.max.receive.size).
  std::uint32_t max_unauthenticated_frame_bytes = 524'288;
  // A connection may have one frame of this size without waiting for memory.
  std::uint64_t allowance_bytes = 4096;
  // Requests of one connection that are begun and whose answer is not sent.
  std::size_t max_in_flight = 16;
  runtime::Duration max_idle = std::chrono::minutes(10);      // connections.max.idle.ms
  runtime::Duration body_timeout = std::chrono::seconds(30);  // a frame that has begun and does not go on
  // The same while others wait for the memory, and for a peer that does not take its answers while buffers are full.
  runtime::Duration contended_timeout = std::chrono::seconds(5);
  // Of all buffers of all shards, answers included; full: no new request is begun. 0: no limit.
  std::uint64_t buffer_bytes = 0;
  ConnectionLimitOptions limits;
};

struct ListenerOptions {
  std::string name;  // PLAINTEXT, CONTROLLER ...
  runtime::Endpoint bind;
  int backlog = 50;                // socket.listen.backlog.size
  runtime::SocketBuffers buffers;  // socket.send.buffer.bytes, socket.receive.buffer.bytes
  bool privileged = false;         // memory of its own, for controllers and followers
  bool authenticated = true;       // false: connections begin with the small pool, until set_authenticated()
};

// Of one shard.
struct ServerCounts {
  std::uint64_t connections = 0;
  std::uint64_t frame_bytes = 0;        // admitted now
  std::uint64_t waits_for_memory = 0;   // frames that waited for it so far
  std::uint64_t waits_for_buffers = 0;  // requests that waited until others' answers had been taken
};

class ShardServer;

// Made, started and stopped on shard 0; its parts live on all shards.
class Server {
 public:
  // `sink_of` names each shard's sink; the sinks outlive the server.
  Server(runtime::Shards& shards, const std::function<RequestSink&(std::size_t shard)>& sink_of, ServerOptions options);
  ~Server();  // after stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens a listener and accepts. Returns its port. kAddressInUse when that is taken.
  [[nodiscard]] Result<std::uint16_t> listen(const ListenerOptions& listener);
  // Accepts nothing more.
  void stop_accepting();
  // Closes all connections and waits until their requests have ended.
  [[nodiscard]] runtime::Task<void> stop();
  void update_limits(ConnectionLimitOptions limits);
  [[nodiscard]] std::int32_t connections() const { return limits_.total(); }
  // On that shard.
  [[nodiscard]] ServerCounts counts_on(std::size_t shard) const;

 private:
  friend class ShardServer;
  struct Accepting {
    ListenerOptions options;
    std::unique_ptr<runtime::Listener> listener;
  };
  [[nodiscard]] runtime::Task<void> accept(Accepting* accepting, runtime::Gate::Pass pass);
  void hand_over(const ListenerOptions& listener, std::unique_ptr<runtime::AcceptedPeer> peer);
  void connection_ended(const std::string& address);

  runtime::Shards* shards_;
  ServerOptions options_;
  ConnectionLimits limits_;
  runtime::Event room_;  // set while the total allows another connection
  bool stopping_ = false;
  std::size_t next_shard_ = 0;
  std::uint64_t next_connection_ = 0;
  runtime::Gate accepting_;
  std::vector<std::unique_ptr<Accepting>> listeners_;
  std::vector<std::unique_ptr<ShardServer>> parts_;
};

}  // namespace dohle::transport

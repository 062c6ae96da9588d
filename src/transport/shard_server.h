// ShardServer: a server's connections on one shard, the memory they share, and the watch over idle and silent ones.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <runtime/buffer_gauge.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <transport/request.h>
#include <transport/server.h>

#include "admission.h"
#include "frame_input.h"

namespace dohle::transport {

class ServerConnection;

// Which budget a frame is charged to.
enum class Pool : std::uint8_t { kClients, kUnauthenticated, kPrivileged };

class ShardServer {
 public:
  ShardServer(Server& server, runtime::Shards& shards, std::size_t id, RequestSink& sink, const ServerOptions& options);
  ~ShardServer();
  ShardServer(const ShardServer&) = delete;
  ShardServer& operator=(const ShardServer&) = delete;

  // On its shard: makes a connection of an accepted peer and serves it.
  void serve(const ListenerOptions& listener, std::unique_ptr<runtime::AcceptedPeer> peer, std::uint64_t number);
  // Closes all connections and waits until their requests have ended.
  [[nodiscard]] runtime::Task<bool> stop();

  // Memory for a frame: true when admitted at once; else `connection` is told by admitted() later.
  [[nodiscard]] bool admit(Pool pool, std::uint64_t bytes, ServerConnection& connection);
  void give_up_waiting(Pool pool, ServerConnection& connection);
  void release(Pool pool, std::uint64_t bytes);
  [[nodiscard]] std::uint32_t largest_frame(Pool pool) const;
  // Whether others wait for memory of this pool.
  [[nodiscard]] bool is_contended(Pool pool) const;

  // Whether buffers leave room for another request and its answer; long before they are full none for a peer that has
  // answers to take. If not, `connection` is told by room_again() later.
  [[nodiscard]] bool has_room() const { return !buffers_.is_full(); }
  [[nodiscard]] bool has_room_beside_answers() const { return !buffers_.is_half_full(); }
  void wait_for_room(ServerConnection& connection);

  // Has its answers sent when what is queued on the shard has run: requests that came together are answered together.
  void send_soon(std::shared_ptr<ServerConnection> connection);

  [[nodiscard]] ServerCounts counts() const;
  [[nodiscard]] runtime::Shard& shard() { return *shard_; }
  [[nodiscard]] RequestSink& sink() { return *sink_; }
  [[nodiscard]] const ServerOptions& options() const { return *options_; }
  [[nodiscard]] ReadScratch& scratch() { return scratch_; }
  [[nodiscard]] runtime::MonotonicTime now() { return shard_->clock().now(); }
  [[nodiscard]] runtime::Gate& gate() { return gate_; }

 private:
  [[nodiscard]] runtime::Task<void> run(std::shared_ptr<ServerConnection> connection, std::uint64_t number,
                                        std::string address, runtime::Gate::Pass pass);
  runtime::Task<void> send_in_turn();
  void wake(Pool pool, const std::vector<Admission::Ticket>& tickets);
  void watch();
  void look_for_room();
  void report_end(std::string address);
  [[nodiscard]] Admission& admission(Pool pool) { return admission_[static_cast<std::size_t>(pool)]; }
  [[nodiscard]] const Admission& admission(Pool pool) const { return admission_[static_cast<std::size_t>(pool)]; }

  Server* server_;
  runtime::Shard* shard_;
  RequestSink* sink_;
  const ServerOptions* options_;
  ReadScratch scratch_;
  std::array<Admission, 3> admission_;
  std::array<std::map<Admission::Ticket, ServerConnection*>, 3> waiting_;
  std::map<std::uint64_t, ServerConnection*> connections_;
  std::uint64_t waits_for_memory_ = 0;
  std::uint64_t waits_for_buffers_ = 0;
  runtime::BufferGauge buffers_;
  std::vector<std::weak_ptr<ServerConnection>> wait_for_room_;
  std::vector<std::shared_ptr<ServerConnection>> to_send_;
  std::vector<std::shared_ptr<ServerConnection>> sending_;  // empty but in send_in_turn()
  runtime::TimerId watch_timer_ = runtime::kNoTimer;
  bool stopping_ = false;
  runtime::Gate gate_;  // connections and requests
};

}  // namespace dohle::transport

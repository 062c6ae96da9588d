#include "shard_server.h"

#include <algorithm>

#include <base/check.h>
#include <base/log.h>

#include "server_connection.h"

namespace dohle::transport {
namespace {
using runtime::Duration;
constexpr Duration kLongestWatch = std::chrono::seconds(5);
constexpr Duration kShortestWatch = std::chrono::milliseconds(10);
constexpr Duration kRoomWatch = std::chrono::milliseconds(10);
}  // namespace

ShardServer::ShardServer(Server& server, runtime::Shards& shards, std::size_t id, RequestSink& sink,
                         const ServerOptions& options)
    : server_(&server),
      shard_(&shards.at(id)),
      sink_(&sink),
      options_(&options),
      scratch_(kScratchBytes),
      admission_{Admission(options.request_bytes), Admission(options.unauthenticated_bytes),
                 Admission(options.privileged_bytes)},
      buffers_(shards, options.buffer_bytes) {}

ShardServer::~ShardServer() { DOHLE_CHECK(connections_.empty()); }

void ShardServer::serve(const ListenerOptions& listener, std::unique_ptr<runtime::AcceptedPeer> peer,
                        std::uint64_t number) {
  std::string address = peer->peer().host;
  auto connection = stopping_ ? fail(Errc::kClosed) : shard_->network().attach(std::move(peer));
  if (!connection) {
    report_end(std::move(address));
    return;
  }
  auto served = std::make_shared<ServerConnection>(*this, std::move(*connection), listener, number);
  connections_.emplace(number, served.get());
  if (watch_timer_ == runtime::kNoTimer) watch();
  spawn(run(std::move(served), number, std::move(address), gate_.enter()));
}

runtime::Task<void> ShardServer::run(std::shared_ptr<ServerConnection> connection, std::uint64_t number,
                                     std::string address, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  co_await connection->run();
  connections_.erase(number);
  if (connections_.empty()) {
    shard_->executor().cancel_timer(std::exchange(watch_timer_, runtime::kNoTimer));
  }
  report_end(std::move(address));
}

// The counts are kept where connections are accepted.
void ShardServer::report_end(std::string address) {
  server_->shards_->at(0).executor().post(
      [server = server_, address = std::move(address)] { server->connection_ended(address); });
}

// Looks at all connections now and then, as long as there are any.
void ShardServer::watch() {
  const Duration shorter = std::min({options_->max_idle, options_->body_timeout, options_->contended_timeout});
  const Duration period = std::clamp(shorter / 4, kShortestWatch, kLongestWatch);
  watch_timer_ = shard_->executor().start_timer(period, [this] {
    const auto now = this->now();
    // One that is closed lets another have its memory, which is then no longer waited for.
    for (const auto& [number, connection] : connections_) connection->check_time(now);
    watch();
  });
}

runtime::Task<bool> ShardServer::stop() {
  stopping_ = true;
  for (const auto& [number, connection] : connections_) connection->close();
  co_await gate_.wait_empty();
  co_return true;
}

void ShardServer::send_soon(std::shared_ptr<ServerConnection> connection) {
  to_send_.push_back(std::move(connection));
  if (to_send_.size() == 1) spawn(send_in_turn());
}

runtime::Task<void> ShardServer::send_in_turn() {
  const auto inside = gate_.enter();
  co_await runtime::yield();
  std::swap(sending_, to_send_);
  for (const auto& connection : sending_) connection->send_answers();
  sending_.clear();
}

bool ShardServer::admit(Pool pool, std::uint64_t bytes, ServerConnection& connection) {
  const Admission::Ticket ticket = admission(pool).request(bytes);
  if (ticket == Admission::kAdmitted) return true;
  ++waits_for_memory_;
  waiting_[static_cast<std::size_t>(pool)].emplace(ticket, &connection);
  return false;
}

void ShardServer::give_up_waiting(Pool pool, ServerConnection& connection) {
  auto& waiting = waiting_[static_cast<std::size_t>(pool)];
  const auto at = std::ranges::find(waiting, &connection, [](const auto& entry) { return entry.second; });
  DOHLE_CHECK(at != waiting.end());
  const Admission::Ticket ticket = at->first;
  waiting.erase(at);
  wake(pool, admission(pool).cancel(ticket));
}

void ShardServer::release(Pool pool, std::uint64_t bytes) { wake(pool, admission(pool).release(bytes)); }

std::uint32_t ShardServer::largest_frame(Pool pool) const {
  const std::uint32_t allowed =
      pool == Pool::kUnauthenticated ? options_->max_unauthenticated_frame_bytes : options_->max_frame_bytes;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(allowed, admission(pool).largest_frame()));
}

bool ShardServer::is_contended(Pool pool) const { return admission(pool).waiting() > 0; }

ServerCounts ShardServer::counts() const {
  ServerCounts out{.connections = connections_.size(),
                   .waits_for_memory = waits_for_memory_,
                   .waits_for_buffers = waits_for_buffers_};
  for (const auto& pool : admission_) out.frame_bytes += pool.used_bytes();
  return out;
}

void ShardServer::wait_for_room(ServerConnection& connection) {
  ++waits_for_buffers_;
  wait_for_room_.push_back(connection.weak_from_this());
  if (wait_for_room_.size() == 1) look_for_room();
}

// Memory becomes free on any shard and nobody says so.
void ShardServer::look_for_room() {
  shard_->executor().start_timer(kRoomWatch, [this, pass = std::make_shared<runtime::Gate::Pass>(gate_.enter())] {
    if (!has_room() && !stopping_) {
      look_for_room();
      return;
    }
    for (const auto& one : std::exchange(wait_for_room_, {})) {
      if (const auto connection = one.lock()) connection->room_again();
    }
  });
}

void ShardServer::wake(Pool pool, const std::vector<Admission::Ticket>& tickets) {
  for (const auto ticket : tickets) {
    auto node = waiting_[static_cast<std::size_t>(pool)].extract(ticket);
    node.mapped()->admitted();
  }
}

}  // namespace dohle::transport

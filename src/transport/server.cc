#include <transport/server.h>

#include <base/check.h>
#include <base/log.h>

#include "shard_server.h"

namespace dohle::transport {

using runtime::Task;

namespace {
// After a failed accept, for want of descriptors mostly.
constexpr runtime::Duration kAcceptPause = std::chrono::milliseconds(100);
}  // namespace

Server::Server(runtime::Shards& shards, const std::function<RequestSink&(std::size_t shard)>& sink_of,
               ServerOptions options)
    : shards_(&shards), options_(std::move(options)), limits_(options_.limits) {
  room_.set();
  for (std::size_t id = 0; id < shards.size(); ++id) {
    parts_.push_back(std::make_unique<ShardServer>(*this, shards, id, sink_of(id), options_));
  }
}

Server::~Server() { DOHLE_CHECK(listeners_.empty() || stopping_); }

Result<std::uint16_t> Server::listen(const ListenerOptions& listener) {
  DOHLE_CHECK(!stopping_ && shards_->at(0).executor().is_current());
  DOHLE_ASSIGN(auto opened, shards_->at(0).network().listen_with(listener.bind, listener.backlog, listener.buffers));
  listeners_.push_back(std::make_unique<Accepting>(listener, std::move(opened)));
  spawn(accept(listeners_.back().get(), accepting_.enter()));
  return listeners_.back()->listener->port();
}

Task<void> Server::accept(Accepting* accepting, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  for (;;) {
    auto peer = co_await accepting->listener->accept();
    while (!limits_.has_room() && !stopping_) {
      room_.reset();
      co_await room_.wait();
    }
    if (stopping_) co_return;
    if (!peer && peer.error().code == Errc::kClosed) co_return;
    if (!peer) {
      log::warn("transport", "listener {}: {}", accepting->options.name, peer.error().message);
      co_await runtime::sleep_for(kAcceptPause);
      continue;
    }
    hand_over(accepting->options, std::move(*peer));
  }
}

void Server::hand_over(const ListenerOptions& listener, std::unique_ptr<runtime::AcceptedPeer> peer) {
  const std::string address = peer->peer().host;
  if (!limits_.add(address)) {
    log::info("transport", "refused a connection from {}: it has {} already", address, limits_.limit_of(address));
    return;
  }
  const std::size_t id = next_shard_++ % parts_.size();
  auto serve = [part = parts_[id].get(), &listener, peer = std::move(peer), number = next_connection_++]() mutable {
    part->serve(listener, std::move(peer), number);
  };
  shards_->at(id).executor().post(std::move(serve));
}

void Server::connection_ended(const std::string& address) {
  limits_.remove(address);
  if (limits_.has_room()) room_.set();
}

void Server::update_limits(ConnectionLimitOptions limits) {
  limits_.update(std::move(limits));
  if (limits_.has_room()) room_.set();
}

ServerCounts Server::counts_on(std::size_t shard) const { return parts_[shard]->counts(); }

void Server::stop_accepting() {
  stopping_ = true;
  for (const auto& accepting : listeners_) accepting->listener->close();
  room_.set();
}

Task<void> Server::stop() {
  stop_accepting();
  co_await accepting_.wait_empty();
  for (std::size_t id = 0; id < parts_.size(); ++id) {
    co_await submit_to(shards_->at(id), [part = parts_[id].get()] { return part->stop(); });
  }
  // The last reports of ended connections are on their way here, before this.
  while (limits_.total() > 0) co_await runtime::yield();
}

}  // namespace dohle::transport

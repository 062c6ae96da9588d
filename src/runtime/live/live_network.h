// Sockets of one shard.
#pragma once

#include <memory>
#include <string>

#include <runtime/io_thread.h>
#include <runtime/network.h>

#include "event_loop.h"

namespace dohle::runtime {

class LiveNetwork final : public Network {
 public:
  // Host names are resolved on `resolver`.
  LiveNetwork(EventLoop& loop, IoThread& resolver) : loop_(&loop), resolver_(&resolver) {}
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen_with(const Endpoint& endpoint, int backlog,
                                                              SocketBuffers buffers) override;
  [[nodiscard]] Result<std::unique_ptr<Connection>> attach(std::unique_ptr<AcceptedPeer> peer) override;
  [[nodiscard]] Task<Result<std::unique_ptr<Connection>>> connect(Endpoint endpoint, Duration timeout) override;
  [[nodiscard]] std::string canonical_host_name() override;

 private:
  EventLoop* loop_;
  IoThread* resolver_;
};

}  // namespace dohle::runtime

// A connected socket of one shard.
#pragma once

#include <memory>

#include <boost/smart_ptr/local_shared_ptr.hpp>

#include <runtime/network.h>

#include "event_loop.h"

namespace dohle::runtime {

// A registered descriptor; counted, because a suspended read or write outlives the close of its connection. Own shard.
class Socket {
 public:
  Socket(EventLoop& loop, int descriptor) : loop_(&loop), descriptor_(descriptor) { loop_->add(descriptor_, watch_); }
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] EventLoop& loop() const { return *loop_; }
  // Awaitable; returns also when the socket was closed.
  [[nodiscard]] Until until_readable() { return Until{&watch_.readable}; }
  [[nodiscard]] Until until_writable() { return Until{&watch_.writable}; }
  [[nodiscard]] Watch& watch() { return watch_; }
  void close();

  // recv: kWouldBlock when there is nothing now; 0 at the end of the stream.
  [[nodiscard]] Result<std::size_t> receive(MutableBytes into);

 private:
  EventLoop* loop_;
  int descriptor_;
  Watch watch_;
};

using SocketRef = boost::local_shared_ptr<Socket>;

class LiveConnection final : public Connection {
 public:
  LiveConnection(EventLoop& loop, int descriptor);
  LiveConnection(SocketRef socket);
  ~LiveConnection() override { close(); }
  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes into) override;
  [[nodiscard]] Task<Result<>> wait_readable() override;
  [[nodiscard]] Result<std::size_t> read_now(MutableBytes into) override;
  [[nodiscard]] Task<Result<>> write(Fragments fragments) override;
  [[nodiscard]] Result<bool> write_now(Fragments& fragments) override;
  void close() override { socket_->close(); }
  [[nodiscard]] const Endpoint& peer() const override { return peer_; }
  [[nodiscard]] const Endpoint& local() const override { return local_; }

 private:
  void prepare();
  SocketRef socket_;
  Endpoint peer_;
  Endpoint local_;
};

}  // namespace dohle::runtime

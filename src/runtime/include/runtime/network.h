// Stream connections, behind an interface: sockets when live, memory in tests. All objects belong to one shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <runtime/fragment.h>
#include <runtime/task.h>

namespace dohle::runtime {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
  [[nodiscard]] std::string to_string() const;  // host:port, [v6]:port
};

class Connection {
 public:
  virtual ~Connection() = default;
  // At least one byte; 0 when the peer has closed its side. One read at a time.
  [[nodiscard]] virtual Task<Result<std::size_t>> read_some(MutableBytes into) = 0;
  // Waits until read_now has something to say. Lets a reader own no buffer while it waits. Counts as a read.
  [[nodiscard]] virtual Task<Result<>> wait_readable() = 0;
  // Bytes already received, without waiting: 0 when there are none now. kClosed at the end of the stream.
  [[nodiscard]] virtual Result<std::size_t> read_now(MutableBytes into) = 0;
  // All fragments, in order; file ranges go out by sendfile where the connection can. One write at a time.
  [[nodiscard]] virtual Task<Result<>> write(Fragments fragments) = 0;
  // Sends what the connection takes of them now; that leaves `fragments`. True when it was all: the rest is for write().
  // Not during one.
  [[nodiscard]] virtual Result<bool> write_now(Fragments& fragments) = 0;
  // Both directions; pending calls return kClosed.
  virtual void close() = 0;
  [[nodiscard]] virtual const Endpoint& peer() const = 0;
  [[nodiscard]] virtual const Endpoint& local() const = 0;
};

// An accepted connection that has no shard yet. May be moved between threads.
class AcceptedPeer {
 public:
  virtual ~AcceptedPeer() = default;
  [[nodiscard]] virtual const Endpoint& peer() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual Task<Result<std::unique_ptr<AcceptedPeer>>> accept() = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;  // the real one when 0 was asked for
  virtual void close() = 0;
};

// The kernel's buffers of a socket; -1 leaves the system's own, which grow as needed.
struct SocketBuffers {
  int send_bytes = -1;
  int receive_bytes = -1;
};

// One per shard.
class Network {
 public:
  virtual ~Network() = default;
  // `endpoint.host` may be empty or 0.0.0.0 for all addresses. kAddressInUse when taken.
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, int backlog) {
    return listen_with(endpoint, backlog, {});
  }
  // `buffers` are those of the accepted connections.
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen_with(const Endpoint& endpoint, int backlog,
                                                                      SocketBuffers buffers) = 0;
  // Gives an accepted connection to this shard.
  [[nodiscard]] virtual Result<std::unique_ptr<Connection>> attach(std::unique_ptr<AcceptedPeer> peer) = 0;
  // Resolves and connects; kTimedOut after `timeout`.
  [[nodiscard]] virtual Task<Result<std::unique_ptr<Connection>>> connect(Endpoint endpoint, Duration timeout) = 0;
  [[nodiscard]] virtual std::string canonical_host_name() = 0;
};

}  // namespace dohle::runtime

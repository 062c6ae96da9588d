#include "live_network.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <base/check.h>
#include <boost/smart_ptr/make_local_shared.hpp>

#include "errno_error.h"
#include "live_connection.h"
#include "socket_address.h"

namespace dohle::runtime {
namespace {

class LivePeer final : public AcceptedPeer {
 public:
  LivePeer(int descriptor, Endpoint peer) : descriptor_(descriptor), peer_(std::move(peer)) {}
  ~LivePeer() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  LivePeer(const LivePeer&) = delete;
  LivePeer& operator=(const LivePeer&) = delete;
  [[nodiscard]] const Endpoint& peer() const override { return peer_; }
  [[nodiscard]] int take() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
  Endpoint peer_;
};

class LiveListener final : public Listener {
 public:
  LiveListener(EventLoop& loop, int descriptor, std::uint16_t port)
      : socket_(boost::make_local_shared<Socket>(loop, descriptor)), port_(port) {}
  ~LiveListener() override { close(); }
  [[nodiscard]] Task<Result<std::unique_ptr<AcceptedPeer>>> accept() override {
    const SocketRef socket = socket_;
    for (;;) {
      co_await socket->until_readable();
      if (!socket->is_open()) co_return fail(Errc::kClosed, "listener closed");
      SocketAddress from;
      const int accepted = ::accept4(socket->descriptor(), from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) co_return std::make_unique<LivePeer>(accepted, from.endpoint());
      if (errno == EAGAIN) {
        socket->watch().readable.ready = false;
      } else if (errno != EINTR && errno != ECONNABORTED) {
        co_return system_failure("accept", errno);
      }
    }
  }
  [[nodiscard]] std::uint16_t port() const override { return port_; }
  void close() override { socket_->close(); }

 private:
  SocketRef socket_;
  std::uint16_t port_;
};

// Closes the descriptor unless it was taken.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int take() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

SocketAddress any_v6(std::uint16_t port) {
  SocketAddress address;
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  v6->sin6_family = AF_INET6;
  v6->sin6_addr = in6addr_any;
  v6->sin6_port = htons(port);
  address.length = sizeof(sockaddr_in6);
  return address;
}

Result<std::unique_ptr<Listener>> listen_on(EventLoop& loop, const SocketAddress& address, bool both_families,
                                            int backlog, SocketBuffers buffers) {
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const std::string name = address.endpoint().to_string();
  if (socket.get() < 0) return system_failure("listen on " + name, errno);
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.family() == AF_INET6) {
    const int only_v6 = both_families ? 0 : 1;
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
  }
  // Accepted sockets inherit these; set before listen, so that the window's scale fits.
  if (buffers.send_bytes >= 0) {
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &buffers.send_bytes, sizeof(buffers.send_bytes));
  }
  if (buffers.receive_bytes >= 0) {
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffers.receive_bytes, sizeof(buffers.receive_bytes));
  }
  if (::bind(socket.get(), address.get(), address.length) != 0 || ::listen(socket.get(), backlog) != 0) {
    return system_failure("listen on " + name, errno);
  }
  SocketAddress bound;
  getsockname(socket.get(), bound.get(), &bound.length);
  return std::make_unique<LiveListener>(loop, socket.take(), bound.endpoint().port);
}

// Connects to one address. Ends after `left` with kTimedOut.
Task<Result<std::unique_ptr<Connection>>> connect_to(EventLoop* loop, SocketAddress address, Duration left) {
  const std::string name = address.endpoint().to_string();
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return system_failure("connect to " + name, errno);
  // Registered only once it is connecting: a fresh socket counts as hung up.
  const int status = ::connect(descriptor, address.get(), address.length);
  const int error = errno;
  const SocketRef socket = boost::make_local_shared<Socket>(*loop, descriptor);
  if (status != 0 && error != EINPROGRESS) co_return system_failure("connect to " + name, error);
  const TimerId timer = loop->start_timer(left, [socket] { socket->close(); });
  co_await socket->until_writable();
  loop->cancel_timer(timer);
  if (!socket->is_open()) co_return fail(Errc::kTimedOut, "connect to " + name + ": timed out");
  int outcome = 0;
  socklen_t length = sizeof(outcome);
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &outcome, &length);
  if (outcome != 0) co_return system_failure("connect to " + name, outcome);
  co_return std::make_unique<LiveConnection>(socket);
}

}  // namespace

Result<std::unique_ptr<Listener>> LiveNetwork::listen_with(const Endpoint& endpoint, int backlog,
                                                           SocketBuffers buffers) {
  if (endpoint.host.empty()) {
    auto both = listen_on(*loop_, any_v6(endpoint.port), true, backlog, buffers);
    if (both || both.error().code == Errc::kAddressInUse || both.error().code == Errc::kPermissionDenied) return both;
    return listen_with({"0.0.0.0", endpoint.port}, backlog, buffers);  // a machine without IPv6
  }
  DOHLE_ASSIGN(const auto addresses, resolve(endpoint));
  return listen_on(*loop_, addresses.front(), false, backlog, buffers);
}

Result<std::unique_ptr<Connection>> LiveNetwork::attach(std::unique_ptr<AcceptedPeer> peer) {
  auto* accepted = dynamic_cast<LivePeer*>(peer.get());
  DOHLE_CHECK(accepted != nullptr);
  return std::make_unique<LiveConnection>(*loop_, accepted->take());
}

Task<Result<std::unique_ptr<Connection>>> LiveNetwork::connect(Endpoint endpoint, Duration timeout) {
  const Endpoint target = std::move(endpoint);
  const Duration end = std::chrono::steady_clock::now().time_since_epoch() + timeout;
  Result<std::vector<SocketAddress>> addresses;
  if (is_numeric(target.host)) {
    addresses = resolve(target);
  } else {
    addresses = co_await run_on(*resolver_, [target] { return resolve(target); });
  }
  if (!addresses) co_return fail(std::move(addresses).error());
  Result<std::unique_ptr<Connection>> outcome = fail(Errc::kNotFound, "host " + target.host + " has no address");
  for (const auto& address : *addresses) {
    const Duration left = end - std::chrono::steady_clock::now().time_since_epoch();
    outcome = co_await connect_to(loop_, address, left);
    if (outcome) break;
  }
  co_return outcome;
}

std::string LiveNetwork::canonical_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.data(), nullptr, &hints, &found) != 0) return name.data();
  std::string canonical = found->ai_canonname != nullptr ? found->ai_canonname : name.data();
  freeaddrinfo(found);
  return canonical;
}

}  // namespace dohle::runtime

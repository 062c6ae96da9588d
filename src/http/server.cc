#include <http/server.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <base/check.h>
#include <base/log.h>

#include "response_head.h"

namespace dohle::http {

using runtime::Task;

namespace {
constexpr std::size_t kScratchBytes = 16U << 10U;
// After a failed accept, for want of descriptors mostly.
constexpr runtime::Duration kAcceptPause = std::chrono::milliseconds(100);
// What a refused peer may still send before it is cut off: one that is cut off at once may never read why.
constexpr std::size_t kMostIgnored = 1U << 20U;
constexpr runtime::Duration kIgnoredTime = std::chrono::seconds(2);
}  // namespace

// A connection, and the one thing it has to do in time: when that has passed it is closed.
class Server::Peer {
 public:
  Peer(Server& server, std::unique_ptr<runtime::Connection> connection)
      : parser(server.options_.limits), connection_(std::move(connection)), server_(server) {
    server_.connections_.push_back(this);
  }
  ~Peer() {
    within({});
    std::erase(server_.connections_, this);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // 0: as long as it takes.
  void within(runtime::Duration limit) {
    runtime::Executor& executor = server_.shard_.executor();
    executor.cancel_timer(std::exchange(timer_, runtime::kNoTimer));
    if (limit > runtime::Duration{0}) timer_ = executor.start_timer(limit, [this] { close(); });
  }
  void close() { connection_->close(); }
  [[nodiscard]] runtime::Connection& connection() { return *connection_; }

  RequestParser parser;

 private:
  std::unique_ptr<runtime::Connection> connection_;
  Server& server_;
  runtime::TimerId timer_ = runtime::kNoTimer;
};

namespace {

// What has come, at least one byte; empty at the end. A view of `scratch`, valid until the next wait.
Task<Bytes> receive(runtime::Connection& connection, MutableBytes scratch) {
  for (;;) {
    const auto got = connection.read_now(scratch);
    if (!got) co_return Bytes();
    if (*got > 0) co_return Bytes(scratch.first(*got));
    if (!co_await connection.wait_readable()) co_return Bytes();
  }
}

Task<bool> send(runtime::Connection& connection, const std::string& head, std::vector<Slice> body) {
  runtime::Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes(head)));
  for (auto& part : body) {
    if (!part.empty()) fragments.emplace_back(std::move(part));
  }
  const auto sent = co_await connection.write(std::move(fragments));
  co_return sent.has_value();
}

}  // namespace

Server::Server(runtime::Shard& shard, Routes routes, ServerOptions options)
    : shard_(shard), routes_(std::move(routes)), options_(options), scratch_(kScratchBytes) {}

Server::~Server() { DOHLE_CHECK(connections_.empty() && gate_.count() == 0); }

Result<std::uint16_t> Server::listen(const runtime::Endpoint& endpoint) {
  constexpr int kBacklog = 16;
  DOHLE_CHECK(listener_ == nullptr && shard_.executor().is_current());
  DOHLE_ASSIGN(listener_, shard_.network().listen(endpoint, kBacklog));
  spawn(accept(gate_.enter()));
  return listener_->port();
}

Task<void> Server::accept(runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  for (;;) {
    auto accepted = co_await listener_->accept();
    if (stopping_ || (!accepted && accepted.error().code == Errc::kClosed)) co_return;
    if (!accepted) {
      log::warn("http", "cannot accept: {}", accepted.error().message);
      co_await runtime::sleep_for(kAcceptPause);
      continue;
    }
    if (connections_.size() >= options_.max_connections) {
      log::info("http", "refused a connection from {}: there are {} already", (*accepted)->peer().host,
                connections_.size());
      continue;
    }
    auto connection = shard_.network().attach(std::move(*accepted));
    if (connection) spawn(serve(std::move(*connection), gate_.enter()));
  }
}

Task<void> Server::serve(std::unique_ptr<runtime::Connection> connection, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  Peer peer(*this, std::move(connection));
  while (!stopping_ && co_await answer_one(peer)) {
  }
  peer.close();
}

// False when the connection ends with it.
Task<bool> Server::answer_one(Peer& peer) {
  using Step = RequestParser::Step;
  runtime::Connection& connection = peer.connection();
  bool begun = peer.parser.in_request();
  peer.within(begun ? options_.request_timeout : options_.idle_timeout);
  Step step = peer.parser.step();
  while (step == Step::kNeedBytes || step == Step::kContinue) {
    if (step == Step::kContinue && !co_await send(connection, "HTTP/1.1 100 Continue\r\n\r\n", {})) co_return false;
    const Bytes got = co_await receive(connection, scratch_);
    if (got.empty()) co_return false;
    peer.parser.feed(got);
    // All of a request, however slowly it comes, within one time.
    if (!std::exchange(begun, true)) peer.within(options_.request_timeout);
    step = peer.parser.step();
  }
  peer.within({});
  const bool refused = step == Step::kRefused;
  Request request;
  if (!refused) request = peer.parser.take_request();
  Response response =
      refused ? Response::text(peer.parser.status(), peer.parser.why()) : co_await routes_.answer(request);
  const std::string head = response_head(response, request.keep_alive, shard_.clock().wall_ms());
  if (request.method == "HEAD") response.body.clear();
  peer.within(options_.answer_timeout);
  if (!co_await send(connection, head, std::move(response.body))) co_return false;
  if (!refused) co_return request.keep_alive;
  peer.within(kIgnoredTime);
  for (std::size_t ignored = 0; ignored < kMostIgnored;) {
    const Bytes got = co_await receive(connection, scratch_);
    if (got.empty()) break;
    ignored += got.size();
  }
  co_return false;
}

Task<void> Server::stop() {
  stopping_ = true;
  if (listener_) listener_->close();
  for (Peer* const peer : connections_) peer->close();
  co_await gate_.wait_empty();
}

}  // namespace dohle::http

#include <runtime/memory/memory_network.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <vector>

#include <base/check.h>
#include <runtime/future.h>
#include <runtime/memory/seeded_random.h>
#include <runtime/sync.h>

namespace dohle::runtime {

namespace {

// Someone on some shard who waits for something to change.
class Waiter {
 public:
  [[nodiscard]] Task<void> wait() {
    Promise<> promise;
    auto future = promise.future();
    executor_ = Executor::current();
    promise_ = std::move(promise);
    co_await future;
  }
  void wake() {
    if (!promise_) return;
    executor_->post([promise = std::move(*promise_)]() mutable { promise.set(); });
    promise_.reset();
  }

 private:
  Executor* executor_ = nullptr;
  std::optional<Promise<>> promise_;
};

// One direction of a connection.
struct Pipe {
  std::deque<std::uint8_t> bytes;
  std::size_t limit = 0;
  bool writer_closed = false;
  bool reader_closed = false;
  Waiter reader;
  Waiter writer;
};

struct Pipes {
  std::array<Pipe, 2> pipe;  // [0] client to server, [1] server to client
  Endpoint client;
  Endpoint server;
};

constexpr std::size_t kFileChunk = 16U << 10U;

}  // namespace

class MemoryConnection final : public Connection {
 public:
  MemoryConnection(MemoryFabric& fabric, std::shared_ptr<Pipes> pipes, bool is_server)
      : fabric_(&fabric), pipes_(std::move(pipes)), is_server_(is_server) {}
  ~MemoryConnection() override { close(); }

  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes into) override {
    DOHLE_CHECK(!into.empty());
    const auto pipes = pipes_;
    Pipe& pipe = in();
    while (pipe.bytes.empty() && !pipe.writer_closed && !pipe.reader_closed) co_await pipe.reader.wait();
    if (pipe.reader_closed) co_return fail(Errc::kClosed, "connection closed");
    co_return take(pipe, into);
  }

  [[nodiscard]] Task<Result<>> wait_readable() override {
    const auto pipes = pipes_;
    Pipe& pipe = in();
    while (pipe.bytes.empty() && !pipe.writer_closed && !pipe.reader_closed) co_await pipe.reader.wait();
    if (pipe.reader_closed) co_return fail(Errc::kClosed, "connection closed");
    co_return Result<>{};
  }

  [[nodiscard]] Result<std::size_t> read_now(MutableBytes into) override {
    Pipe& pipe = in();
    if (pipe.reader_closed || (pipe.bytes.empty() && pipe.writer_closed))
      return fail(Errc::kClosed, "connection closed");
    return take(pipe, into);
  }

  [[nodiscard]] Task<Result<>> write(Fragments fragments) override {
    const auto pipes = pipes_;
    for (const auto& fragment : fragments) {
      if (const auto* slice = std::get_if<Slice>(&fragment)) {
        DOHLE_CO_TRY(co_await write_bytes(slice->bytes()));
      } else {
        DOHLE_CO_TRY(co_await write_range(std::get<FileRange>(fragment)));
      }
    }
    co_return Result<>{};
  }

  void close() override {
    in().reader_closed = true;
    out().writer_closed = true;
    for (auto& pipe : pipes_->pipe) {
      pipe.reader.wake();
      pipe.writer.wake();
    }
  }

  [[nodiscard]] const Endpoint& peer() const override { return is_server_ ? pipes_->client : pipes_->server; }
  [[nodiscard]] const Endpoint& local() const override { return is_server_ ? pipes_->server : pipes_->client; }

 private:
  Pipe& in() { return pipes_->pipe[is_server_ ? 0 : 1]; }
  Pipe& out() { return pipes_->pipe[is_server_ ? 1 : 0]; }

  std::size_t take(Pipe& pipe, MutableBytes into) {
    std::size_t count = std::min(into.size(), pipe.bytes.size());
    if (count > 1 && fabric_->split_reads_) count = 1 + fabric_->random_->below(count);
    std::copy_n(pipe.bytes.begin(), count, into.begin());
    pipe.bytes.erase(pipe.bytes.begin(), pipe.bytes.begin() + static_cast<std::ptrdiff_t>(count));
    if (count > 0) pipe.writer.wake();
    return count;
  }

  Task<Result<>> write_bytes(Bytes bytes) {
    Pipe& pipe = out();
    while (!bytes.empty()) {
      while (pipe.bytes.size() >= pipe.limit && !pipe.reader_closed && !pipe.writer_closed) co_await pipe.writer.wait();
      if (pipe.reader_closed || pipe.writer_closed) co_return fail(Errc::kClosed, "connection closed");
      const std::size_t count = std::min(bytes.size(), pipe.limit - pipe.bytes.size());
      pipe.bytes.insert(pipe.bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      pipe.reader.wake();
    }
    co_return Result<>{};
  }

  Task<Result<>> write_range(FileRange range) {
    std::vector<std::uint8_t> chunk(std::min<std::uint64_t>(range.length, kFileChunk));
    while (range.length > 0) {
      const std::size_t want = std::min<std::uint64_t>(range.length, chunk.size());
      DOHLE_CO_ASSIGN(const std::size_t got, range.file->read_at(range.offset, MutableBytes(chunk).first(want)));
      if (got == 0) co_return fail(Errc::kIo, "the file ends before the range to send");
      DOHLE_CO_TRY(co_await write_bytes(Bytes(chunk).first(got)));
      range.offset += got;
      range.length -= got;
    }
    co_return Result<>{};
  }

  MemoryFabric* fabric_;
  std::shared_ptr<Pipes> pipes_;
  bool is_server_;
};

namespace {
class MemoryAcceptedPeer final : public AcceptedPeer {
 public:
  explicit MemoryAcceptedPeer(std::unique_ptr<MemoryConnection> made) : connection(std::move(made)) {}
  [[nodiscard]] const Endpoint& peer() const override { return connection->peer(); }
  std::unique_ptr<MemoryConnection> connection;
};
}  // namespace

class MemoryListener final : public Listener {
 public:
  MemoryListener(MemoryFabric& fabric, Endpoint endpoint) : fabric_(&fabric), endpoint_(std::move(endpoint)) {
    fabric_->listeners_.emplace(endpoint_.port, this);
  }
  ~MemoryListener() override { close(); }

  [[nodiscard]] Task<Result<std::unique_ptr<AcceptedPeer>>> accept() override {
    while (queue_.empty() && !closed_) co_await waiter_.wait();
    if (closed_) co_return fail(Errc::kClosed, "listener closed");
    auto peer = std::move(queue_.front());
    queue_.pop_front();
    co_return Result<std::unique_ptr<AcceptedPeer>>(std::move(peer));
  }
  [[nodiscard]] std::uint16_t port() const override { return endpoint_.port; }
  void close() override {
    if (std::exchange(closed_, true)) return;
    fabric_->listeners_.erase(endpoint_.port);
    queue_.clear();
    waiter_.wake();
  }

  void enqueue(std::unique_ptr<AcceptedPeer> peer) {
    queue_.push_back(std::move(peer));
    waiter_.wake();
  }

 private:
  MemoryFabric* fabric_;
  Endpoint endpoint_;
  bool closed_ = false;
  std::deque<std::unique_ptr<AcceptedPeer>> queue_;
  Waiter waiter_;
};

MemoryFabric::MemoryFabric(std::uint64_t seed) : random_(std::make_unique<SeededRandom>(seed)) {}
MemoryFabric::~MemoryFabric() = default;

Result<std::unique_ptr<Listener>> MemoryNetwork::listen_with(const Endpoint& endpoint, int, SocketBuffers) {
  Endpoint real = endpoint;
  if (real.port == 0) {
    while (fabric_->listeners_.contains(fabric_->next_port_)) ++fabric_->next_port_;
    real.port = fabric_->next_port_++;
  }
  if (fabric_->listeners_.contains(real.port)) return fail(Errc::kAddressInUse, real.to_string() + " is in use");
  return std::make_unique<MemoryListener>(*fabric_, std::move(real));
}

Result<std::unique_ptr<Connection>> MemoryNetwork::attach(std::unique_ptr<AcceptedPeer> peer) {
  auto* accepted = dynamic_cast<MemoryAcceptedPeer*>(peer.get());
  DOHLE_CHECK(accepted != nullptr);
  return std::move(accepted->connection);
}

Task<Result<std::unique_ptr<Connection>>> MemoryNetwork::connect(Endpoint endpoint, Duration timeout) {
  const Endpoint target = std::move(endpoint);
  if (target.host == "unknown.invalid") co_return fail(Errc::kNotFound, "unknown host " + target.host);
  if (const auto silent = fabric_->silent_.find(target.port); silent != fabric_->silent_.end() && silent->second) {
    co_await sleep_for(timeout);
    co_return fail(Errc::kTimedOut, "no answer from " + target.to_string());
  }
  const auto listener = fabric_->listeners_.find(target.port);
  if (listener == fabric_->listeners_.end())
    co_return fail(Errc::kClosed, "connection refused by " + target.to_string());
  auto pipes = std::make_shared<Pipes>();
  for (auto& pipe : pipes->pipe) pipe.limit = fabric_->pipe_bytes_;
  pipes->client = {host_, fabric_->next_port_++};
  pipes->server = target;
  auto server = std::make_unique<MemoryConnection>(*fabric_, pipes, true);
  listener->second->enqueue(std::make_unique<MemoryAcceptedPeer>(std::move(server)));
  co_return std::make_unique<MemoryConnection>(*fabric_, pipes, false);
}

}  // namespace dohle::runtime

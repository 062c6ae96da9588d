#include <runtime/memory/memory_network.h>

#include <algorithm>
#include <deque>
#include <optional>

#include <base/check.h>
#include <runtime/memory/memory_world.h>
#include <runtime/memory/seeded_random.h>
#include <runtime/sync.h>

#include "memory_pipe.h"

namespace dohle::runtime {

namespace {
constexpr std::size_t kFileChunk = 16U << 10U;
}  // namespace

class MemoryConnection final : public Connection {
 public:
  MemoryConnection(MemoryFabric& fabric, std::shared_ptr<MemoryPipes> pipes, bool is_server)
      : fabric_(&fabric), pipes_(std::move(pipes)), is_server_(is_server) {}
  ~MemoryConnection() override { close(); }

  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes into) override {
    DOHLE_CHECK(!into.empty());
    const auto pipes = pipes_;
    MemoryPipe& pipe = in();
    while (!readable(pipe)) co_await pipe.reader.wait();
    if (pipes->reset || pipe.reader_closed) co_return fail(Errc::kClosed, "connection closed");
    co_return take(pipe, into);
  }

  [[nodiscard]] Task<Result<>> wait_readable() override {
    const auto pipes = pipes_;
    MemoryPipe& pipe = in();
    while (!readable(pipe)) co_await pipe.reader.wait();
    if (pipes->reset || pipe.reader_closed) co_return fail(Errc::kClosed, "connection closed");
    co_return Result<>{};
  }

  [[nodiscard]] Result<std::size_t> read_now(MutableBytes into) override {
    MemoryPipe& pipe = in();
    if (pipes_->reset || pipe.reader_closed || (pipe.arrived() == 0 && pipe.writer_closed)) {
      return fail(Errc::kClosed, "connection closed");
    }
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

  // All or nothing, and nothing of a file.
  [[nodiscard]] Result<bool> write_now(Fragments& fragments) override {
    MemoryPipe& pipe = out();
    const bool in_memory =
        std::ranges::all_of(fragments, [](const auto& each) { return std::holds_alternative<Slice>(each); });
    if (!in_memory || pipe.held() + size_of(fragments) > pipe.limit) return false;
    for (const auto& fragment : fragments) {
      if (!writable(pipe)) return fail(Errc::kClosed, "connection closed");
      put(pipe, std::get<Slice>(fragment).bytes());
    }
    return true;
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    in().reader_closed = true;
    if (!out().swallows) {
      out().put_end(now(), arrival());
      await_arrival();
    }
    for (auto& pipe : pipes_->pipe) {
      pipe.reader.wake();
      pipe.writer.wake();
    }
  }

  [[nodiscard]] const Endpoint& peer() const override { return is_server_ ? pipes_->client : pipes_->server; }
  [[nodiscard]] const Endpoint& local() const override { return is_server_ ? pipes_->server : pipes_->client; }

 private:
  [[nodiscard]] std::size_t out_index() const { return is_server_ ? 1 : 0; }
  MemoryPipe& in() { return pipes_->pipe.at(1 - out_index()); }
  MemoryPipe& out() { return pipes_->pipe.at(out_index()); }
  [[nodiscard]] MonotonicTime now() const { return fabric_->world_->clock().now(); }
  [[nodiscard]] MonotonicTime arrival() const {
    const MonotonicTime at = now() + fabric_->draw_latency();
    return is_server_ ? at : std::max(at, pipes_->held_until);
  }
  [[nodiscard]] bool readable(const MemoryPipe& pipe) const {
    return pipe.arrived() > 0 || pipe.writer_closed || pipe.reader_closed || pipes_->reset;
  }
  // The other side being gone shows when writing.
  [[nodiscard]] bool writable(const MemoryPipe& pipe) const {
    return !closed_ && !pipes_->reset && (!pipe.reader_closed || pipe.swallows);
  }

  std::size_t take(MemoryPipe& pipe, MutableBytes into) {
    std::size_t count = std::min(into.size(), pipe.arrived());
    if (count > 1 && fabric_->split_reads_) count = 1 + fabric_->random_->below(count);
    return pipe.take(into.first(count));
  }

  void await_arrival() {
    if (const auto next = out().arrive(now())) schedule(fabric_->world_, pipes_, out_index(), *next);
  }
  static void schedule(MemoryWorld* world, const std::shared_ptr<MemoryPipes>& pipes, std::size_t index,
                       MonotonicTime at) {
    if (pipes->awaited.at(index)) return;
    pipes->awaited.at(index) = true;
    world->at(at - world->clock().now(), [world, pipes, index] {
      pipes->awaited.at(index) = false;
      const auto next = pipes->pipe.at(index).arrive(world->clock().now());
      if (next) schedule(world, pipes, index, *next);
    });
  }

  void spot(Bytes bytes) {
    for (const std::int16_t api_key : pipes_->spotter.spot(bytes)) {
      const Duration hold = fabric_->take_hold(api_key);
      if (hold > Duration{0}) pipes_->held_until = std::max(pipes_->held_until, now() + hold);
    }
  }

  void put(MemoryPipe& pipe, Bytes bytes) {
    if (!is_server_) spot(bytes);
    if (pipe.swallows) return;
    pipe.put(bytes, now(), arrival());
    await_arrival();
  }

  Task<Result<>> write_bytes(Bytes bytes) {
    MemoryPipe& pipe = out();
    while (!bytes.empty()) {
      while (pipe.held() >= pipe.limit && writable(pipe)) co_await pipe.writer.wait();
      if (!writable(pipe)) co_return fail(Errc::kClosed, "connection closed");
      const std::size_t count = std::min(bytes.size(), pipe.limit - pipe.held());
      put(pipe, bytes.first(count));
      bytes = bytes.subspan(count);
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
  std::shared_ptr<MemoryPipes> pipes_;
  bool is_server_;
  bool closed_ = false;
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
  MemoryListener(MemoryFabric& fabric, MemoryFabric::Place place) : fabric_(&fabric), place_(std::move(place)) {
    fabric_->listeners_.emplace(place_, this);
  }
  ~MemoryListener() override { close(); }

  [[nodiscard]] Task<Result<std::unique_ptr<AcceptedPeer>>> accept() override {
    while (queue_.empty() && !closed_) co_await waiter_.wait();
    if (closed_) co_return fail(Errc::kClosed, "listener closed");
    auto peer = std::move(queue_.front());
    queue_.pop_front();
    co_return Result<std::unique_ptr<AcceptedPeer>>(std::move(peer));
  }
  [[nodiscard]] std::uint16_t port() const override { return place_.second; }
  void close() override {
    if (std::exchange(closed_, true)) return;
    const auto at = fabric_->listeners_.find(place_);
    if (at != fabric_->listeners_.end() && at->second == this) fabric_->listeners_.erase(at);
    queue_.clear();
    waiter_.wake();
  }

  void enqueue(std::unique_ptr<AcceptedPeer> peer) {
    queue_.push_back(std::move(peer));
    waiter_.wake();
  }

 private:
  MemoryFabric* fabric_;
  MemoryFabric::Place place_;
  bool closed_ = false;
  std::deque<std::unique_ptr<AcceptedPeer>> queue_;
  MemoryWaiter waiter_;
};

Result<std::unique_ptr<Listener>> MemoryNetwork::listen_with(const Endpoint& endpoint, int, SocketBuffers) {
  MemoryFabric::Place place(machine_, endpoint.port);
  if (place.second == 0) {
    do {
      place.second = fabric_->next_port_++;
    } while (fabric_->listeners_.contains(place));
  }
  if (fabric_->listeners_.contains(place)) return fail(Errc::kAddressInUse, endpoint.to_string() + " is in use");
  return std::make_unique<MemoryListener>(*fabric_, std::move(place));
}

Result<std::unique_ptr<Connection>> MemoryNetwork::attach(std::unique_ptr<AcceptedPeer> peer) {
  auto* accepted = dynamic_cast<MemoryAcceptedPeer*>(peer.get());
  DOHLE_CHECK(accepted != nullptr);
  return std::move(accepted->connection);
}

Task<Result<std::unique_ptr<Connection>>> MemoryNetwork::connect(Endpoint endpoint, Duration timeout) {
  const Endpoint target = std::move(endpoint);
  if (target.host == "unknown.invalid") co_return fail(Errc::kNotFound, "unknown host " + target.host);
  if (const Duration there = fabric_->draw_latency(); there > Duration{0}) co_await sleep_for(there);
  auto listener = fabric_->listeners_.find({target.host, target.port});
  if (listener == fabric_->listeners_.end()) listener = fabric_->listeners_.find({machine_, target.port});
  const auto silent = fabric_->silent_.find(target.port);
  if ((silent != fabric_->silent_.end() && silent->second) || fabric_->reach(target.host) == Reach::kSilent ||
      fabric_->reach(machine_) == Reach::kSilent) {
    co_await sleep_for(timeout);
    co_return fail(Errc::kTimedOut, "no answer from " + target.to_string());
  }
  if (listener == fabric_->listeners_.end() || fabric_->reach(target.host) == Reach::kRefused ||
      fabric_->reach(machine_) == Reach::kRefused) {
    co_return fail(Errc::kClosed, "connection refused by " + target.to_string());
  }
  auto pipes = std::make_shared<MemoryPipes>();
  for (auto& pipe : pipes->pipe) pipe.limit = fabric_->pipe_bytes_;
  pipes->machine = {machine_, listener->first.first};
  pipes->client = {machine_, fabric_->next_port_++};
  pipes->server = target;
  fabric_->connections_.push_back(pipes);
  auto server = std::make_unique<MemoryConnection>(*fabric_, pipes, true);
  listener->second->enqueue(std::make_unique<MemoryAcceptedPeer>(std::move(server)));
  co_return std::make_unique<MemoryConnection>(*fabric_, pipes, false);
}

}  // namespace dohle::runtime

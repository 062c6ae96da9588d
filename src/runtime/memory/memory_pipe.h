// What a connection of the MemoryNetwork is made of: two pipes, and whoever waits at them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <runtime/future.h>
#include <runtime/memory/memory_world.h>
#include <runtime/network.h>

namespace dohle::runtime {

// Someone on some shard who waits for something to change.
class MemoryWaiter {
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

// Finds out where requests begin in what a client writes.
class RequestSpotter {
 public:
  // Takes in written bytes; the API keys of the requests whose headers they complete.
  [[nodiscard]] std::vector<std::int16_t> spot(Bytes bytes);

 private:
  std::array<std::uint8_t, 6> header_{};  // size and API key
  std::size_t header_bytes_ = 0;
  std::uint64_t rest_ = 0;  // of the request, after its header
};

// One direction of a connection: bytes on their way, then bytes that have arrived.
struct MemoryPipe {
  std::size_t limit = 0;
  bool writer_closed = false;  // and the end has arrived
  bool reader_closed = false;
  bool swallows = false;
  MemoryWaiter reader;
  MemoryWaiter writer;

  [[nodiscard]] std::size_t arrived() const { return bytes.size() - taken; }
  [[nodiscard]] std::size_t held() const { return arrived() + on_the_way_bytes; }
  std::size_t take(MutableBytes into);
  // Bytes that arrive at `at`, if all before them have.
  void put(Bytes piece, MonotonicTime now, MonotonicTime at);
  void put_end(MonotonicTime now, MonotonicTime at);
  // What has arrived by now. The time of the next arrival, if something is on its way.
  [[nodiscard]] std::optional<MonotonicTime> arrive(MonotonicTime now);

 private:
  struct Piece {
    MonotonicTime at;
    std::vector<std::uint8_t> bytes;
    bool end = false;
  };
  std::vector<std::uint8_t> bytes;
  std::size_t taken = 0;
  std::deque<Piece> on_the_way;
  std::size_t on_the_way_bytes = 0;
};

struct MemoryPipes {
  std::array<MemoryPipe, 2> pipe;  // [0] client to server, [1] server to client
  std::array<bool, 2> awaited{};   // an arrival is scheduled
  std::array<std::string, 2> machine;
  Endpoint client;
  Endpoint server;
  RequestSpotter spotter;
  MonotonicTime held_until{};  // client to server
  bool reset = false;

  [[nodiscard]] bool is_open() const { return !reset && !pipe[0].reader_closed && !pipe[1].reader_closed; }
};

}  // namespace dohle::runtime

// LiveShards: the shards of a real process, one thread each, on epoll.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::runtime {

class LiveShard;

struct LiveOptions {
  std::size_t shards = 1;
  // How long a shard that has just exchanged messages with another looks at its queue before it sleeps.
  Duration spin = std::chrono::microseconds(5);
  // Runs on shard 0 for SIGTERM and SIGINT, with the number of the signal. Without it signals keep their default
  // effect. SIGPIPE is always ignored.
  std::function<void(int)> on_signal;
};

// System calls and wake-ups since the start, of one shard or of all.
struct LiveCounters {
  std::uint64_t polls = 0;   // epoll_wait
  std::uint64_t reads = 0;   // recv
  std::uint64_t writes = 0;  // send, sendmsg and sendfile
  std::uint64_t wakes = 0;   // eventfd writes to a sleeping shard
};

class LiveShards final : public Shards {
 public:
  explicit LiveShards(LiveOptions options = {});
  ~LiveShards() override;
  LiveShards(const LiveShards&) = delete;
  LiveShards& operator=(const LiveShards&) = delete;

  // Runs `main` on shard 0, which is the calling thread, and the other shards in threads of their own; returns what
  // `main` returns, after all shards have stopped. `main` first ends what it started. Once per object.
  int run(std::move_only_function<Task<int>()> main);

  [[nodiscard]] std::size_t size() const override { return shards_.size(); }
  [[nodiscard]] Shard& at(std::size_t id) override;
  [[nodiscard]] std::unique_ptr<IoThread> make_io_thread(std::string name) override;
  [[nodiscard]] LiveCounters counters() const;

 private:
  class Signals;
  Task<void> run_main(std::move_only_function<Task<int>()>* main, int* result);
  LiveOptions options_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<IoThread> resolver_;  // for names of hosts
  std::vector<std::unique_ptr<LiveShard>> shards_;
  std::unique_ptr<Signals> signals_;
};

}  // namespace dohle::runtime

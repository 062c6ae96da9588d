#include <runtime/live/live_shards.h>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <thread>

#include <base/check.h>
#include <runtime/sync.h>

#include "live_io_thread.h"
#include "live_shard.h"

namespace dohle::runtime {

// SIGTERM and SIGINT as something shard 0 reads.
class LiveShards::Signals {
 public:
  // Before any thread is made: they inherit that these signals are blocked.
  explicit Signals(std::function<void(int)> callback) : callback_(std::move(callback)) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    DOHLE_CHECK(pthread_sigmask(SIG_BLOCK, &set, &before_) == 0);
    descriptor_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    DOHLE_CHECK(descriptor_ >= 0);
  }
  ~Signals() {
    ::close(descriptor_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // On shard 0.
  void start(EventLoop& loop) {
    loop_ = &loop;
    loop_->add(descriptor_, watch_);
    spawn(deliver(gate_.enter()));
  }
  Task<void> stop() {
    stopped_ = true;
    loop_->wake(watch_);
    co_await gate_.wait_empty();
  }

 private:
  Task<void> deliver(Gate::Pass pass) {
    const auto inside = std::move(pass);
    while (!stopped_) {
      signalfd_siginfo info{};
      if (::read(descriptor_, &info, sizeof(info)) == sizeof(info)) {
        callback_(static_cast<int>(info.ssi_signo));
        continue;
      }
      watch_.readable.ready = false;
      co_await Until{&watch_.readable};
    }
  }

  EventLoop* loop_ = nullptr;
  std::function<void(int)> callback_;
  Gate gate_;
  sigset_t before_{};
  int descriptor_ = -1;
  bool stopped_ = false;
  Watch watch_;
};

namespace {

// A log is a handful of files, and a client a socket: the soft limit of old, 1024, is for programs that select().
void raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

LiveShards::LiveShards(LiveOptions options) : options_(std::move(options)), files_(make_system_files()) {
  DOHLE_CHECK(options_.shards > 0);
  raise_open_file_limit();
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT: a broken connection is an error of its write
  if (options_.on_signal) signals_ = std::make_unique<Signals>(options_.on_signal);
  resolver_ = std::make_unique<LiveIoThread>("resolver");
  for (std::size_t id = 0; id < options_.shards; ++id) {
    shards_.push_back(std::make_unique<LiveShard>(id, options_, *files_, *resolver_));
  }
}

LiveShards::~LiveShards() {
  resolver_.reset();
  signals_.reset();
  // What is still queued dies on its own shard, since it may hold slices of it.
  for (int round = 0; round < 2; ++round) {
    for (auto& shard : shards_) {
      shard->executor().enter();
      BufferHome::set_current(&shard->buffers());
      shard->executor().clear();
      BufferHome::set_current(nullptr);
      EventLoop::leave();
    }
  }
}

Shard& LiveShards::at(std::size_t id) { return *shards_.at(id); }

std::unique_ptr<IoThread> LiveShards::make_io_thread(std::string name) {
  return std::make_unique<LiveIoThread>(std::move(name));
}

LiveCounters LiveShards::counters() const {
  LiveCounters sum;
  for (const auto& shard : shards_) {
    const auto& counters = shard->executor().counters();
    sum.polls += counters.polls.load(std::memory_order_relaxed);
    sum.reads += counters.reads.load(std::memory_order_relaxed);
    sum.writes += counters.writes.load(std::memory_order_relaxed);
    sum.wakes += counters.wakes.load(std::memory_order_relaxed);
  }
  return sum;
}

namespace {

void run_shard(LiveShard& shard) {
  BufferHome::set_current(&shard.buffers());
  shard.executor().run();
  BufferHome::set_current(nullptr);
}

}  // namespace

Task<void> LiveShards::run_main(std::move_only_function<Task<int>()>* main, int* result) {
  if (signals_) signals_->start(shards_[0]->executor());
  *result = co_await (*main)();
  if (signals_) co_await signals_->stop();
  shards_[0]->executor().stop();
}

int LiveShards::run(std::move_only_function<Task<int>()> main) {
  std::vector<std::thread> threads;
  for (std::size_t id = 1; id < shards_.size(); ++id) {
    threads.emplace_back([shard = shards_[id].get(), id] {
      pthread_setname_np(pthread_self(), ("shard-" + std::to_string(id)).c_str());
      run_shard(*shard);
    });
  }
  int result = 0;
  spawn_on(shards_[0]->executor(), run_main(&main, &result));
  run_shard(*shards_[0]);
  for (std::size_t id = 1; id < shards_.size(); ++id) shards_[id]->executor().stop();
  for (auto& thread : threads) thread.join();
  return result;
}

}  // namespace dohle::runtime

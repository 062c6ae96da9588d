// MemoryShards: the shards of a node in the thread of a test. Which shard runs next is drawn from a seed; time passes
// only by advance(). The same seed gives the same run.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <runtime/memory/manual_clock.h>
#include <runtime/memory/memory_file_system.h>
#include <runtime/memory/memory_network.h>
#include <runtime/memory/seeded_random.h>
#include <runtime/shard.h>

namespace dohle::runtime {

class MemoryShard;
class MemoryIoThread;

class MemoryShards final : public Shards {
 public:
  // A world of its own: clock, files and network are made here.
  explicit MemoryShards(std::size_t size, std::uint64_t seed = 1);
  ~MemoryShards() override;
  MemoryShards(const MemoryShards&) = delete;
  MemoryShards& operator=(const MemoryShards&) = delete;

  [[nodiscard]] std::size_t size() const override { return shards_.size(); }
  [[nodiscard]] Shard& at(std::size_t id) override;
  // Work posted to it runs when its turn is drawn, after the delay of set_io_delay.
  [[nodiscard]] std::unique_ptr<IoThread> make_io_thread(std::string name) override;

  // Runs until nothing is left to do now. Timers wait for advance().
  void run_until_idle();
  // Lets time pass on both clocks: timers fire in order, each at its own time, and their consequences run.
  void advance(Duration by);
  // Advances to the next timer, if there is one within `limit`.
  bool advance_to_next_timer(Duration limit);

  // While it lives, the calling code is shard `id`: what it allocates and awaits belongs there.
  class Scope {
   public:
    explicit Scope(MemoryShard& shard);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class MemoryShards;
    Executor* executor_before_;
    BufferHome* home_before_;
  };
  [[nodiscard]] Scope enter(std::size_t id) { return Scope(*shards_.at(id)); }

  // Runs `work` (() -> Task<R>) on shard `id` to its end, letting time pass when nothing else can happen, at most
  // `limit`; a task that does not end fails the test.
  template <typename F>
  auto run(std::size_t id, F work, Duration limit = std::chrono::hours(1)) {
    using R = typename detail::TaskValue<std::invoke_result_t<F&>>::Type;
    auto end = std::make_shared<std::conditional_t<std::is_void_v<R>, bool, std::optional<R>>>();
    {
      const Scope scope = enter(id);
      spawn(finish(&work, end));
    }
    run_until([&end] { return static_cast<bool>(*end); }, limit);
    if constexpr (!std::is_void_v<R>) {
      const Scope scope = enter(id);
      return std::move(**end);
    }
  }
  // Runs until `done`, letting time pass when nothing else can happen; fails the test after `limit`.
  void run_until(const std::function<bool()>& done, Duration limit = std::chrono::hours(1));

  [[nodiscard]] ManualClock& clock() { return clock_; }
  [[nodiscard]] MemoryFileSystem& files() { return files_; }
  [[nodiscard]] MemoryFabric& fabric() { return fabric_; }
  [[nodiscard]] SeededRandom& random() { return random_; }
  // A slow disk: work on IoThreads takes this long, one after the other.
  void set_io_delay(Duration delay) { io_delay_ = delay; }

 private:
  friend class MemoryShard;
  friend class MemoryExecutor;
  friend class MemoryIoThread;
  struct Timer {
    MemoryShard* shard;
    Work work;
  };
  using TimerKey = std::pair<Duration, TimerId>;

  template <typename F, typename E>
  static Task<void> finish(F* work, std::shared_ptr<E> end) {
    if constexpr (std::is_same_v<E, bool>) {
      co_await (*work)();
      *end = true;
    } else {
      end->emplace(co_await (*work)());
    }
  }
  bool run_one();
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;
  void fire_due();

  SeededRandom random_;
  ManualClock clock_;
  MemoryFileSystem files_;
  MemoryFabric fabric_;
  Duration io_delay_{0};
  TimerId next_timer_ = 1;
  std::map<TimerKey, Timer> timers_;
  std::map<TimerId, Duration> timer_deadlines_;
  std::vector<std::unique_ptr<MemoryShard>> shards_;
  std::vector<MemoryIoThread*> io_threads_;
};

}  // namespace dohle::runtime

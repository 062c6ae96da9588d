// MemoryWorld: what all machines of a test have in common: time, the network between them, and the choice of who runs
// next. One thread. Which shard runs next is drawn from a seed; time passes only when nothing else can happen, or by
// advance(). The same seed gives the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <runtime/executor.h>
#include <runtime/memory/manual_clock.h>
#include <runtime/memory/memory_network.h>
#include <runtime/memory/seeded_random.h>

namespace dohle::runtime {

class MemoryExecutor;

// Whatever can take a turn: a shard, or a thread for blocking file work.
class MemoryRunnable {
 public:
  MemoryRunnable() = default;
  MemoryRunnable(const MemoryRunnable&) = delete;
  MemoryRunnable& operator=(const MemoryRunnable&) = delete;
  virtual ~MemoryRunnable() = default;
  // Runs one piece of what is ready.
  virtual void run_one(Random& random) = 0;

 private:
  friend class MemoryWorld;
  static constexpr std::size_t kNotReady = SIZE_MAX;
  std::size_t ready_at_ = kNotReady;  // its place among those that are ready
};

class MemoryWorld {
 public:
  explicit MemoryWorld(std::uint64_t seed);
  ~MemoryWorld();
  MemoryWorld(const MemoryWorld&) = delete;
  MemoryWorld& operator=(const MemoryWorld&) = delete;

  // Runs until nothing is left to do now. Timers wait for advance().
  void run_until_idle();
  // Lets time pass on both clocks: timers fire in order, each at its own time, and their consequences run.
  void advance(Duration by);
  // Advances to the next timer, if there is one within `limit`.
  bool advance_to_next_timer(Duration limit);
  // Runs until `done`, letting time pass when nothing else can happen. False when that does not happen within `limit`.
  bool try_run_until(const std::function<bool()>& done, Duration limit);
  // The same; fails the test instead.
  void run_until(const std::function<bool()>& done, Duration limit);

  // Something that happens to the world: runs outside of any shard, once `after` has passed.
  TimerId at(Duration after, Work work) { return add_timer(after, nullptr, std::move(work)); }
  void cancel(TimerId id);

  [[nodiscard]] ManualClock& clock() { return clock_; }
  [[nodiscard]] MemoryFabric& fabric() { return fabric_; }
  [[nodiscard]] SeededRandom& random() { return random_; }
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }
  // Pieces of work done so far.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  // For the shards and threads of this world.
  void set_ready(MemoryRunnable& who, bool ready);
  TimerId add_timer(Duration after, MemoryExecutor* target, Work work);
  // Takes out what is to run on `target`.
  [[nodiscard]] std::vector<Work> take_timers(const MemoryExecutor& target);

 private:
  struct Timer {
    MemoryExecutor* target;  // null: the world itself
    Work work;
  };
  using TimerKey = std::pair<Duration, TimerId>;
  bool run_one();
  void fire_due();

  SeededRandom random_;
  ManualClock clock_;
  MemoryFabric fabric_;
  std::uint64_t steps_ = 0;
  TimerId next_timer_ = 1;
  std::map<TimerKey, Timer> timers_;
  std::map<TimerId, Duration> timer_deadlines_;
  std::vector<MemoryRunnable*> ready_;
};

}  // namespace dohle::runtime

// Waiting and stopping inside one shard.
#pragma once

#include <coroutine>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>

#include <base/result.h>
#include <runtime/executor.h>
#include <runtime/future.h>
#include <runtime/task.h>

namespace dohle::runtime {

// Cancellation: a source is stopped once; callbacks registered on it run then, in order of registration.
class StopSource {
 public:
  StopSource() = default;
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;
  [[nodiscard]] bool stopped() const { return stopped_; }
  void stop();
  // Runs `callback` at stop(), or at once when already stopped. Returns a handle for remove().
  std::uint64_t on_stop(Work callback);
  void remove(std::uint64_t handle) { callbacks_.erase(handle); }

 private:
  bool stopped_ = false;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Work> callbacks_;
};

// Sleeps on the calling shard. True when the time passed, false when `stop` (may be null) came first.
[[nodiscard]] Task<bool> sleep_for(Duration duration, StopSource* stop = nullptr);

// co_await yield(): lets everything that is queued on this shard run first.
struct Yield {
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const { Executor::current()->resume_later(waiter); }
  void await_resume() const noexcept {}
};
[[nodiscard]] inline Yield yield() { return {}; }

// Gate: counts what is in flight so that an owner can wait for it before it dies.
class Gate {
 public:
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(&gate) { ++gate.count_; }
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    Gate* gate_;
  };
  [[nodiscard]] Pass enter() { return Pass(*this); }
  [[nodiscard]] std::size_t count() const { return count_; }
  // Completes when nothing is inside. One waiter.
  [[nodiscard]] Task<void> wait_empty();

 private:
  void leave();
  std::size_t count_ = 0;
  Promise<>* waiter_ = nullptr;
};

// Event: many waiters, woken together; set() latches until reset().
class Event {
 public:
  void set();
  void reset() { set_ = false; }
  [[nodiscard]] bool is_set() const { return set_; }
  [[nodiscard]] Task<void> wait();

 private:
  bool set_ = false;
  std::deque<Promise<>> waiters_;
};

// Mutex: coroutines take turns, first come first served.
class Mutex {
 public:
  class Hold {
   public:
    explicit Hold(Mutex& mutex) : mutex_(&mutex) {}
    Hold(Hold&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (mutex_ != nullptr) mutex_->unlock();
    }

   private:
    Mutex* mutex_;
  };
  [[nodiscard]] Task<Hold> lock();
  [[nodiscard]] bool is_held() const { return held_; }

 private:
  void unlock();
  bool held_ = false;
  std::deque<Promise<>> waiters_;
};

}  // namespace dohle::runtime

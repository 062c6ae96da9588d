// Executor: one shard's run queue and timers. Everything that belongs to a shard runs here, one piece at a time.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>

#include <runtime/clock.h>

namespace dohle::runtime {

using Work = std::move_only_function<void()>;
using TimerId = std::uint64_t;
inline constexpr TimerId kNoTimer = 0;

class Executor {
 public:
  virtual ~Executor() = default;

  // From any thread: run `work` on this shard. Work posted by one thread runs in the order it was posted. The executor
  // has to outlive the call, whose work may run, and end everything, before it returns.
  virtual void post(Work work) = 0;
  // From this shard only: resume soon, without a wake-up.
  virtual void resume_later(std::coroutine_handle<> handle) = 0;

  // From this shard only. `work` runs once `after` has passed, unless cancelled first. Cancelling a timer that has
  // fired is harmless.
  virtual TimerId start_timer(Duration after, Work work) = 0;
  virtual void cancel_timer(TimerId id) = 0;

  // The executor that runs the caller; null outside any shard.
  [[nodiscard]] static Executor* current();
  [[nodiscard]] bool is_current() const { return current() == this; }

 protected:
  static void set_current(Executor* executor);
};

}  // namespace dohle::runtime

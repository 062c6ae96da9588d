// Baton: one coroutine of a shard waits, another passes it on. A pass without a waiter is forgotten.
#pragma once

#include <coroutine>
#include <utility>

#include <base/check.h>
#include <runtime/executor.h>

namespace dohle::transport {

class Baton {
 public:
  // co_await baton.wait(): until the next pass(). The waiter checks its condition again.
  [[nodiscard]] auto wait() {
    struct Awaiter {
      Baton* baton;
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiter) const {
        DOHLE_CHECK(!baton->waiter_);
        baton->waiter_ = waiter;
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{this};
  }
  void pass() {
    if (waiter_) runtime::Executor::current()->resume_later(std::exchange(waiter_, nullptr));
  }

 private:
  std::coroutine_handle<> waiter_;
};

}  // namespace dohle::transport

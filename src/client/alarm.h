// Alarm: lets one coroutine sleep until something happens or time is up. A ring while nobody waits is kept.
#pragma once

#include <utility>

#include <runtime/executor.h>
#include <runtime/future.h>
#include <runtime/task.h>

namespace dohle::client {

class Alarm {
 public:
  void ring() {
    if (waiter_ == nullptr) {
      rung_ = true;
    } else {
      std::exchange(waiter_, nullptr)->set();
    }
  }
  // One waiter at a time.
  runtime::Task<void> wait(runtime::Executor& executor, runtime::Duration at_most) {
    if (std::exchange(rung_, false)) co_return;
    runtime::Promise<> promise;
    auto future = promise.future();
    waiter_ = &promise;
    const auto timer = executor.start_timer(at_most, [this] {
      if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->set();
    });
    co_await future;
    executor.cancel_timer(timer);
  }

 private:
  bool rung_ = false;
  runtime::Promise<>* waiter_ = nullptr;
};

}  // namespace dohle::client

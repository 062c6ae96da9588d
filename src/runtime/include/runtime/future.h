// Promise and Future: a value that one piece of a shard hands to another, once. Both ends live on the same shard.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include <base/check.h>
#include <runtime/executor.h>

namespace dohle::runtime {

struct Unit {};

template <typename T>
class Future;

template <typename T = Unit>
class Promise {
 public:
  Promise() : state_(std::make_shared<State>()) { state_->executor = Executor::current(); }

  // At most one Future per Promise.
  [[nodiscard]] Future<T> future() { return Future<T>(state_); }
  [[nodiscard]] bool is_set() const { return state_->value.has_value(); }
  // Sets the value; the waiter is resumed from the run queue, never from inside this call.
  void set(T value = T{}) {
    DOHLE_CHECK(!state_->value);
    state_->value.emplace(std::move(value));
    if (state_->waiter) state_->executor->resume_later(std::exchange(state_->waiter, nullptr));
  }
  // For races (time-out against event): sets unless already set.
  bool try_set(T value = T{}) {
    if (is_set()) return false;
    set(std::move(value));
    return true;
  }

 private:
  friend class Future<T>;
  struct State {
    Executor* executor = nullptr;
    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };
  std::shared_ptr<State> state_;
};

template <typename T = Unit>
class [[nodiscard]] Future {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return state_->value.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { state_->waiter = waiter; }
  T await_resume() { return std::move(*state_->value); }

 private:
  friend class Promise<T>;
  explicit Future(std::shared_ptr<typename Promise<T>::State> state) : state_(std::move(state)) {}
  std::shared_ptr<typename Promise<T>::State> state_;
};

}  // namespace dohle::runtime

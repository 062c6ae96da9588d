// Task<T>: a lazy coroutine. It starts when awaited, runs on the shard that awaits it and resumes its awaiter directly.
//
// Rules. A Task is awaited at most once. A lambda coroutine may not capture (pass arguments instead): the captures die
// with the lambda, not with the frame. Failures travel as Result; an exception that leaves a Task ends the process.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <base/check.h>
#include <runtime/executor.h>
#include <runtime/frame_pool.h>

namespace dohle::runtime {

template <typename T = void>
class Task;

// Starts `task` on the calling shard now, without waiting for it. Who needs to know its end holds a Gate.
void spawn(Task<void> task);

namespace detail {

// A coroutine whose frame comes from the pool of its thread.
struct PooledFrame {
  static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) { FramePool::release(frame, bytes); }
};

struct FinalAwaiter {
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    if (const auto next = self.promise().continuation) return next;
    if (self.promise().owns_itself) self.destroy();  // and this awaiter with it
    return std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

struct PromiseBase : PooledFrame {
  std::coroutine_handle<> continuation;
  bool owns_itself = false;  // spawned: nobody waits
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) { value.emplace(std::forward<U>(result)); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() noexcept {}
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && {
    struct Awaiter {
      Handle handle;
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T await_resume() {
        if constexpr (!std::is_void_v<T>) return std::move(*handle.promise().value);
      }
    };
    DOHLE_CHECK(handle_);
    return Awaiter{handle_};
  }

 private:
  friend struct detail::Promise<T>;
  friend void spawn(Task<void> task);
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

namespace detail {

template <typename T>
Task<T> Promise<T>::get_return_object() { return Task<T>(std::coroutine_handle<Promise>::from_promise(*this)); }
inline Task<void> Promise<void>::get_return_object() { return Task<void>(std::coroutine_handle<Promise>::from_promise(*this)); }

}  // namespace detail

// A value that is known already, or the task that will bring it: of functions that seldom have to wait.
template <typename T>
class [[nodiscard]] ValueTask {
 public:
  using value_type = T;
  ValueTask(T value) : state_(std::move(value)) {}
  ValueTask(Task<T> task) : state_(std::move(task)) {}
  [[nodiscard]] bool is_ready() const { return std::holds_alternative<T>(state_); }
  // Where it is ready, and where it is not.
  [[nodiscard]] T take_value() { return std::move(std::get<T>(state_)); }
  [[nodiscard]] Task<T> take_task() { return std::move(std::get<Task<T>>(state_)); }

 private:
  std::variant<T, Task<T>> state_;
};

inline void spawn(Task<void> task) {
  const auto handle = std::exchange(task.handle_, nullptr);
  DOHLE_CHECK(handle);
  handle.promise().owns_itself = true;
  handle.resume();
}

// Starts `task` on the shard of `executor`; callable from any thread.
inline void spawn_on(Executor& executor, Task<void> task) {
  executor.post([task = std::move(task)]() mutable { spawn(std::move(task)); });
}

}  // namespace dohle::runtime

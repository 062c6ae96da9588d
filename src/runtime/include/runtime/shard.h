// Shard: one thread's world, and the group of all of them. Crossing from one to another is a message.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <runtime/clock.h>
#include <runtime/executor.h>
#include <runtime/file_system.h>
#include <runtime/future.h>
#include <runtime/io_thread.h>
#include <runtime/network.h>
#include <runtime/random.h>
#include <runtime/task.h>

namespace dohle::runtime {

class Shard {
 public:
  virtual ~Shard() = default;
  [[nodiscard]] virtual std::size_t id() const = 0;
  [[nodiscard]] virtual Executor& executor() = 0;
  [[nodiscard]] virtual Clock& clock() = 0;
  [[nodiscard]] virtual Random& random() = 0;
  [[nodiscard]] virtual Network& network() = 0;
  [[nodiscard]] virtual FileSystem& files() = 0;
  [[nodiscard]] virtual BufferHome& buffers() = 0;
};

// All shards of a node. Live: one thread each. In memory: all in the thread of the test.
class Shards {
 public:
  virtual ~Shards() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual Shard& at(std::size_t id) = 0;
  // A new thread for blocking file work, e.g. one per log directory.
  [[nodiscard]] virtual std::unique_ptr<IoThread> make_io_thread(std::string name) = 0;
};

namespace detail {
template <typename T>
struct TaskValue;
template <typename T>
struct TaskValue<Task<T>> { using Type = T; };

template <typename F, typename R>
Task<void> run_and_answer(F work, runtime::Promise<R> promise, Executor* home) {
  R value = co_await work();
  home->post([value = std::move(value), promise = std::move(promise)]() mutable { promise.set(std::move(value)); });
}
}  // namespace detail

// Runs the coroutine function `work` (() -> Task<R>, R not void) on `target` and brings its value back. On the own shard
// it is a plain call. What `work` captures and returns is moved between threads: no Slice may be in it (see
// ForeignSlice).
template <typename F>
Task<typename detail::TaskValue<std::invoke_result_t<F&>>::Type> submit_to(Shard& target, F work) {
  using R = typename detail::TaskValue<std::invoke_result_t<F&>>::Type;
  if (target.executor().is_current()) co_return co_await work();
  Promise<R> promise;
  auto future = promise.future();
  target.executor().post([work = std::move(work), promise = std::move(promise), home = Executor::current()]() mutable {
    spawn(detail::run_and_answer<F, R>(std::move(work), std::move(promise), home));
  });
  co_return co_await future;
}

}  // namespace dohle::runtime

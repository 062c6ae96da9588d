// IoThread: where blocking file work goes, in order, off the shards.
#pragma once

#include <type_traits>
#include <utility>

#include <runtime/executor.h>
#include <runtime/future.h>
#include <runtime/task.h>

namespace dohle::runtime {

class IoThread {
 public:
  virtual ~IoThread() = default;  // finishes what was posted
  virtual void post(Work work) = 0;
};

// Runs `work` on `thread` and returns its value (not void) to the calling shard. `work` must touch nothing that the
// shard may change meanwhile.
template <typename F>
Task<std::invoke_result_t<F&>> run_on(IoThread& thread, F work) {
  using R = std::invoke_result_t<F&>;
  static_assert(!std::is_void_v<R>);
  Promise<R> promise;
  auto future = promise.future();
  thread.post([work = std::move(work), promise = std::move(promise), home = Executor::current()]() mutable {
    home->post([value = work(), promise = std::move(promise)]() mutable { promise.set(std::move(value)); });
  });
  co_return co_await future;
}

}  // namespace dohle::runtime

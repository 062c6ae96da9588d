#include <replication/offset_waiters.h>

#include <utility>

namespace dohle::replication {

runtime::Task<Result<>> OffsetWaiters::wait(Offset offset, runtime::Duration timeout) {
  const Key key{offset, arrivals_++};
  auto future = waiting_[key].future();
  runtime::Executor* executor = runtime::Executor::current();
  const auto timer = executor->start_timer(timeout, [this, key] {
    if (auto node = waiting_.extract(key)) node.mapped().set(fail(Errc::kTimedOut));
  });
  Result<> result = co_await future;
  executor->cancel_timer(timer);
  co_return result;
}

void OffsetWaiters::reached(Offset offset) {
  while (!waiting_.empty() && waiting_.begin()->first.first <= offset) {
    auto node = waiting_.extract(waiting_.begin());
    node.mapped().set(Result<>{});
  }
}

void OffsetWaiters::fail_all(const Error& error) {
  for (auto& [key, promise] : std::exchange(waiting_, {})) promise.set(std::unexpected(error));
}

}  // namespace dohle::replication

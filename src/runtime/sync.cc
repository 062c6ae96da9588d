#include <runtime/sync.h>

#include <utility>

namespace dohle::runtime {

void StopSource::stop() {
  if (std::exchange(stopped_, true)) return;
  while (!callbacks_.empty()) {
    auto node = callbacks_.extract(callbacks_.begin());
    node.mapped()();
  }
}

std::uint64_t StopSource::on_stop(Work callback) {
  if (stopped_) {
    callback();
    return 0;
  }
  callbacks_.emplace(next_, std::move(callback));
  return next_++;
}

Task<bool> sleep_for(Duration duration, StopSource* stop) {
  if (stop != nullptr && stop->stopped()) co_return false;
  Promise<bool> promise;
  auto future = promise.future();
  Executor* executor = Executor::current();
  const TimerId timer = executor->start_timer(duration, [promise]() mutable { promise.try_set(true); });
  const std::uint64_t handle = stop == nullptr ? 0 : stop->on_stop([promise]() mutable { promise.try_set(false); });
  const bool passed = co_await future;
  if (!passed) executor->cancel_timer(timer);
  if (passed && stop != nullptr) stop->remove(handle);
  co_return passed;
}

Task<void> Gate::wait_empty() {
  if (count_ == 0) co_return;
  Promise<> promise;
  waiter_ = &promise;
  co_await promise.future();
}

void Gate::leave() {
  if (--count_ == 0 && waiter_ != nullptr) std::exchange(waiter_, nullptr)->set();
}

void Event::set() {
  set_ = true;
  for (auto& waiter : std::exchange(waiters_, {})) waiter.set();
}

Task<void> Event::wait() {
  if (set_) co_return;
  waiters_.emplace_back();
  co_await waiters_.back().future();
}

Task<Mutex::Hold> Mutex::lock() {
  if (held_) {
    waiters_.emplace_back();
    co_await waiters_.back().future();
  }
  held_ = true;
  co_return Hold(*this);
}

void Mutex::unlock() {
  if (waiters_.empty()) {
    held_ = false;
    return;
  }
  Promise<> next = std::move(waiters_.front());
  waiters_.pop_front();
  next.set();  // held_ stays true: the lock is handed over
}

}  // namespace dohle::runtime

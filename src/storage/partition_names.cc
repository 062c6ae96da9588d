#include "partition_names.h"

#include <utility>

namespace dohle::storage {

runtime::Task<bool> PartitionNames::take(TopicPartition partition) {
  return runtime::submit_to(
      *home_, [this, partition = std::move(partition)]() mutable { return take_at_home(std::move(partition)); });
}

void PartitionNames::give_back(const TopicPartition& partition) {
  if (home_->executor().is_current()) return give_back_at_home(partition);
  home_->executor().post([this, partition] { give_back_at_home(partition); });
}

void PartitionNames::close() {
  closed_ = true;
  for (auto& [partition, waiters] : held_) {
    for (auto& waiter : std::exchange(waiters, {})) waiter.set(false);
  }
}

runtime::Task<bool> PartitionNames::take_at_home(TopicPartition partition) {
  if (closed_) co_return false;
  const auto [at, is_free] = held_.try_emplace(std::move(partition));
  if (is_free) co_return true;
  runtime::Promise<bool> promise;
  auto future = promise.future();
  at->second.push_back(std::move(promise));
  co_return co_await future;
}

void PartitionNames::give_back_at_home(const TopicPartition& partition) {
  const auto at = held_.find(partition);
  if (at == held_.end()) return;
  if (at->second.empty()) {
    held_.erase(at);
    return;
  }
  auto next = std::move(at->second.front());
  at->second.pop_front();
  next.set(true);
}

}  // namespace dohle::storage

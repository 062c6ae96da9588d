#include "partition_names.h"

#include <utility>

namespace dohle::storage {

runtime::Task<PartitionNames::Taken> PartitionNames::take(TopicPartition partition, Offset known_at) {
  return runtime::submit_to(*home_, [this, partition = std::move(partition), known_at]() mutable {
    return take_at_home(std::move(partition), known_at);
  });
}

void PartitionNames::give_back(const TopicPartition& partition) {
  if (home_->executor().is_current()) return give_back_at_home(partition);
  home_->executor().post([this, partition] { give_back_at_home(partition); });
}

void PartitionNames::close() {
  closed_ = true;
  for (auto& [partition, name] : held_) {
    if (auto waiter = std::exchange(name.next, std::nullopt)) waiter->promise.set(Taken::kClosed);
  }
}

runtime::Task<PartitionNames::Taken> PartitionNames::take_at_home(TopicPartition partition, Offset known_at) {
  if (closed_) co_return Taken::kClosed;
  const auto [at, is_free] = held_.try_emplace(std::move(partition), Name{.known_at = known_at});
  if (is_free) co_return Taken::kYes;
  Name& name = at->second;
  if (known_at < name.known_at || (name.next && known_at < name.next->known_at)) co_return Taken::kSuperseded;
  runtime::Promise<Taken> promise;
  auto future = promise.future();
  if (auto older = std::exchange(name.next, Waiter{known_at, std::move(promise)})) {
    older->promise.set(Taken::kSuperseded);
  }
  co_return co_await future;
}

void PartitionNames::give_back_at_home(const TopicPartition& partition) {
  const auto at = held_.find(partition);
  if (at == held_.end()) return;
  auto next = std::exchange(at->second.next, std::nullopt);
  if (!next) {
    held_.erase(at);
    return;
  }
  at->second.known_at = next->known_at;
  next->promise.set(Taken::kYes);
}

}  // namespace dohle::storage

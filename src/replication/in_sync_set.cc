#include <replication/in_sync_set.h>

#include <algorithm>
#include <utility>

namespace dohle::replication {

InSyncSet::InSyncSet(BrokerId self, std::vector<BrokerId> replicas, std::vector<BrokerId> isr) : self_(self) {
  set_isr(std::move(isr), std::move(replicas));
}

void InSyncSet::set_leader_end(Offset end) { ends_[self_] = end; }

bool InSyncSet::on_follower_fetch(BrokerId follower, Offset fetch_offset) {
  auto at = ends_.find(follower);
  if (at == ends_.end() || follower == self_) return false;
  at->second = fetch_offset;
  return true;
}

void InSyncSet::set_isr(std::vector<BrokerId> isr, std::vector<BrokerId> replicas) {
  isr_ = std::move(isr);
  std::erase_if(ends_, [&](const auto& entry) { return std::ranges::find(replicas, entry.first) == replicas.end(); });
  for (const BrokerId replica : replicas) ends_.try_emplace(replica, Offset(0));
}

bool InSyncSet::has_enough(std::int32_t min_in_sync_replicas) const {
  const auto needed = std::min<std::size_t>(static_cast<std::size_t>(std::max(min_in_sync_replicas, 0)), ends_.size());
  return isr_.size() >= needed;
}

Offset InSyncSet::advance_high_watermark(Offset current, std::int32_t min_in_sync_replicas) const {
  if (isr_.empty() || !has_enough(min_in_sync_replicas)) return current;
  Offset lowest(INT64_MAX);
  for (const BrokerId replica : isr_) {
    auto at = ends_.find(replica);
    lowest = std::min(lowest, at == ends_.end() ? Offset(0) : at->second);
  }
  return std::max(current, lowest);
}

}  // namespace dohle::replication

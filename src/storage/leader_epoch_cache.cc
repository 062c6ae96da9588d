#include "leader_epoch_cache.h"

namespace dohle::storage {

LeaderEpochCache::LeaderEpochCache(const std::vector<EpochEntry>& entries) {
  for (const auto& entry : entries) assign(entry.epoch, entry.start);
}

bool LeaderEpochCache::assign(LeaderEpoch epoch, Offset start) {
  if (!starts_.empty()) {
    const auto& [last_epoch, last_start] = *starts_.rbegin();
    if (epoch == last_epoch && start >= last_start) return false;
  }
  while (!starts_.empty()) {
    const auto last = std::prev(starts_.end());
    if (last->first < epoch && last->second < start) break;
    starts_.erase(last);
  }
  starts_.emplace(epoch, start);
  return true;
}

std::optional<EpochEntry> LeaderEpochCache::latest() const {
  if (starts_.empty()) return std::nullopt;
  return EpochEntry{starts_.rbegin()->first, starts_.rbegin()->second};
}

std::optional<EpochEntry> LeaderEpochCache::earliest() const {
  if (starts_.empty()) return std::nullopt;
  return EpochEntry{starts_.begin()->first, starts_.begin()->second};
}

std::optional<LeaderEpoch> LeaderEpochCache::epoch_at(Offset offset) const {
  std::optional<LeaderEpoch> found;
  for (const auto& [epoch, start] : starts_) {
    if (start > offset) break;
    found = epoch;
  }
  return found;
}

EpochEndOffset LeaderEpochCache::end_offset_for(LeaderEpoch epoch, Offset log_end) const {
  if (epoch == kNoLeaderEpoch || starts_.empty()) return {};
  if (starts_.rbegin()->first == epoch) return {epoch, log_end};
  const auto higher = starts_.upper_bound(epoch);
  if (higher == starts_.end()) return {};
  // Below the first known epoch: what is asked for was removed already; it ended where ours begins.
  if (higher == starts_.begin()) return {epoch, higher->second};
  return {std::prev(higher)->first, higher->second};
}

bool LeaderEpochCache::truncate_from_end(Offset end) {
  bool changed = false;
  while (!starts_.empty() && starts_.rbegin()->second >= end) {
    starts_.erase(std::prev(starts_.end()));
    changed = true;
  }
  return changed;
}

bool LeaderEpochCache::truncate_from_start(Offset start) {
  std::optional<LeaderEpoch> holder;
  bool changed = false;
  while (!starts_.empty() && starts_.begin()->second <= start) {
    holder = starts_.begin()->first;
    changed = changed || starts_.begin()->second != start;
    starts_.erase(starts_.begin());
  }
  if (holder) starts_.emplace(*holder, start);
  return changed;
}

bool LeaderEpochCache::clear() {
  const bool changed = !starts_.empty();
  starts_.clear();
  return changed;
}

std::vector<EpochEntry> LeaderEpochCache::entries() const {
  std::vector<EpochEntry> out;
  out.reserve(starts_.size());
  for (const auto& [epoch, start] : starts_) out.push_back({epoch, start});
  return out;
}

}  // namespace dohle::storage

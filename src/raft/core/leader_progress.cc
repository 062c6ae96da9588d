#include "core/leader_progress.h"

#include <algorithm>

#include <base/check.h>

namespace dohle::raft {

namespace {

constexpr TimeMs kObserverSessionMs = 300'000;
// Nobody has that many brokers; a peer that invents replica ids gets no more memory.
constexpr std::size_t kMaxObservers = 10'000;

// Kafka's rule: a key without a directory id stands for any directory.
bool matches(const ReplicaKey& known, const ReplicaKey& asked) {
  return known.id == asked.id && (!known.directory || known.directory == asked.directory);
}

}  // namespace

LeaderProgress::LeaderProgress(ReplicaKey self, const VoterSet& voters, Offset epoch_start, TimeMs now,
                               TimeMs check_quorum_ms)
    : self_(self),
      epoch_start_(epoch_start),
      check_quorum_ms_(check_quorum_ms),
      check_quorum_until_(now + check_quorum_ms) {
  adopt_voters(voters);
}

ReplicaProgress* LeaderProgress::voter(const ReplicaKey& key) {
  const auto at = voters_.find(key.id);
  return at != voters_.end() && matches(at->second.key, key) ? &at->second : nullptr;
}

void LeaderProgress::adopt_voters(const VoterSet& voters) {
  std::map<NodeId, ReplicaProgress> old = std::move(voters_);
  voters_.clear();
  for (const auto& [id, info] : voters.voters()) {
    ReplicaProgress progress;
    if (const auto at = old.find(id); at != old.end() && matches(at->second.key, info.key)) {
      progress = std::move(at->second);
      old.erase(at);
    } else if (const auto watched = observers_.find(info.key); watched != observers_.end()) {
      progress = std::move(watched->second);
      observers_.erase(watched);
    }
    progress.key = info.key;
    progress.endpoints = info.endpoints;
    voters_.emplace(id, std::move(progress));
  }
  for (auto& [id, progress] : old) {
    progress.endpoints.clear();
    observers_.try_emplace(progress.key, progress);
  }
}

bool LeaderProgress::update_local(Offset flushed_end, const VoterSet& voters) {
  adopt_voters(voters);
  if (ReplicaProgress* self = voter(self_)) {
    DOHLE_CHECK(!self->end || *self->end <= flushed_end);
    self->end = flushed_end;
  }
  return advance();
}

bool LeaderProgress::update_replica(const ReplicaKey& replica, Offset fetch_offset, Offset leader_end, TimeMs now) {
  if (replica.id < 0 || replica.id == self_.id) return false;
  ReplicaProgress* progress = voter(replica);
  const bool votes = progress != nullptr;
  if (!votes) {
    if (observers_.size() >= kMaxObservers && !observers_.contains(replica)) {
      drop_silent_observers(now);
      if (observers_.size() >= kMaxObservers) return false;
    }
    progress = &observers_.try_emplace(replica).first->second;
    progress->key = replica;
  }
  if (fetch_offset >= leader_end) {
    progress->last_caught_up = std::max(progress->last_caught_up, now);
  } else if (progress->leader_end_at_last_fetch && fetch_offset >= *progress->leader_end_at_last_fetch) {
    progress->last_caught_up = std::max(progress->last_caught_up, progress->last_fetch);
  }
  progress->leader_end_at_last_fetch = leader_end;
  progress->last_fetch = std::max(progress->last_fetch, now);
  progress->end = fetch_offset;
  replica_seen(replica, now);
  return votes && advance();
}

void LeaderProgress::replica_seen(const ReplicaKey& replica, TimeMs now) {
  if (replica.id == self_.id || voter(replica) == nullptr) return;
  fetched_.insert(replica.id);
  std::size_t needed = voters_.size() / 2 + 1;
  if (voters_.contains(self_.id)) --needed;
  if (fetched_.size() >= needed) {
    fetched_.clear();
    check_quorum_until_ = now + check_quorum_ms_;
  }
}

// The offset that a majority holds. It counts only past the start of the epoch: a new leader must not commit records of
// older epochs by counting replicas (Raft, section 5.4.2).
bool LeaderProgress::advance() {
  std::vector<Offset> ends;
  for (const auto& [id, progress] : voters_) ends.push_back(progress.end.value_or(kNoOffset));
  std::ranges::sort(ends, std::greater{});
  if (ends.empty()) return false;
  const Offset held = ends[ends.size() / 2];
  if (held <= epoch_start_) return false;
  if (high_watermark_ && held <= *high_watermark_) return false;
  high_watermark_ = held;
  return true;
}

std::optional<TimeMs> LeaderProgress::check_quorum_deadline() const {
  if (voters_.size() == 1 && voters_.contains(self_.id)) return std::nullopt;
  return check_quorum_until_;
}

std::vector<ReplicaKey> LeaderProgress::successors() const {
  std::vector<const ReplicaProgress*> others;
  for (const auto& [id, progress] : voters_) {
    if (id != self_.id) others.push_back(&progress);
  }
  std::ranges::sort(others, [](const auto* a, const auto* b) {
    return std::pair(b->end.value_or(kNoOffset), a->key) < std::pair(a->end.value_or(kNoOffset), b->key);
  });
  std::vector<ReplicaKey> out;
  for (const auto* progress : others) out.push_back(progress->key);
  return out;
}

std::vector<ReplicaKey> LeaderProgress::quiet_voters(TimeMs now, TimeMs quiet_ms) const {
  std::vector<ReplicaKey> out;
  for (const auto& [id, progress] : voters_) {
    const bool quiet = progress.last_fetch < 0 || now - progress.last_fetch >= quiet_ms;
    if (id != self_.id && quiet) out.push_back(progress.key);
  }
  return out;
}

std::vector<ReplicaProgress> LeaderProgress::voters() const {
  std::vector<ReplicaProgress> out;
  for (const auto& [id, progress] : voters_) out.push_back(progress);
  return out;
}

void LeaderProgress::drop_silent_observers(TimeMs now) {
  std::erase_if(observers_, [now](const auto& entry) { return now - entry.second.last_fetch >= kObserverSessionMs; });
}

std::vector<ReplicaProgress> LeaderProgress::observers(TimeMs now) {
  drop_silent_observers(now);
  std::vector<ReplicaProgress> out;
  for (const auto& [key, progress] : observers_) out.push_back(progress);
  return out;
}

}  // namespace dohle::raft

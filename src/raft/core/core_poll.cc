// What a replica does of its own accord: time-outs and the calls that are due in each role.
#include <algorithm>
#include <limits>

#include <base/check.h>

#include "core/core.h"

namespace dohle::raft {

TimeMs Core::poll(TimeMs now) {
  // Every pass but the last changes the role, and no chain of roles is longer than a few.
  for (int pass = 0; pass < 16; ++pass) {
    wake_ = std::numeric_limits<TimeMs>::max();
    if (std::visit([&](auto& state) { return poll_role(state, now); }, role_)) return wake_;
  }
  return now + 1;
}

bool Core::poll_role(Unattached& state, TimeMs now) {
  if (is_voter() && !shutting_down_) {
    if (now >= state.deadline) {
      become_prospective(now);
      return false;
    }
    wake_at(state.deadline);
  }
  send_fetch_to_bootstrap(now);
  return true;
}

bool Core::poll_role(Prospective& state, TimeMs now) {
  if (now >= state.deadline || state.tally.lost()) {
    lose_pre_election(now);
    return false;
  }
  wake_at(state.deadline);
  send_votes(state.tally, true, now);
  return true;
}

bool Core::poll_role(Candidate& state, TimeMs now) {
  if (now >= state.deadline && !shutting_down_) {
    if (is_voter()) {
      become_prospective(now);
    } else {  // taken out of the voter set meanwhile
      become_unattached(LeaderEpoch(epoch_.value() + 1), std::nullopt, now);
    }
    return false;
  }
  if (!shutting_down_) wake_at(state.deadline);
  send_votes(state.tally, false, now);
  return true;
}

bool Core::poll_role(Leading& state, TimeMs now) {
  const auto check_quorum = state.progress.check_quorum_deadline();
  if (shutting_down_ || state.resign || (check_quorum && now >= *check_quorum)) {
    become_resigned(state.progress.successors(), now);
    return false;
  }
  if (check_quorum) wake_at(*check_quorum);
  const TimeMs announce_every = config_.fetch_timeout_ms / 2;
  if (now >= state.announce_at) {
    for (const ReplicaKey& voter : state.progress.quiet_voters(now, announce_every)) {
      send(voter.id,
           BeginEpochCall{
               .leader = config_.node_id, .epoch = epoch_, .leader_endpoints = config_.endpoints, .voter = voter},
           now);
    }
    state.announce_at = now + announce_every;
  }
  if (history_.voters().size() > 1) wake_at(state.announce_at);
  return true;
}

bool Core::poll_role(Following& state, TimeMs now) {
  if (is_voter() && !shutting_down_) {
    if (now >= state.deadline) {
      become_prospective(now);
      return false;
    }
    wake_at(state.deadline);
  }
  if (!shutting_down_) send_fetch_to_best(state, now);
  return true;
}

bool Core::poll_role(Resigned& state, TimeMs now) {
  for (const NodeId voter : state.unacknowledged) {
    send(voter,
         EndEpochCall{.leader = config_.node_id,
                      .epoch = epoch_,
                      .leader_endpoints = config_.endpoints,
                      .preferred_successors = state.preferred_successors},
         now);
  }
  if (shutting_down_) return true;
  if (now >= state.deadline) {
    // A new epoch, so that nobody takes this replica for the leader of the one it resigned.
    become_unattached(LeaderEpoch(epoch_.value() + 1), std::nullopt, now);
    return false;
  }
  wake_at(state.deadline);
  return true;
}

// ---- calls

void Core::send(NodeId to, Call call, TimeMs now) {
  if (!connections_.ready(to, now)) {
    wake_at(connections_.ready_at(to, now));
    return;
  }
  const std::uint64_t correlation = connections_.sent(to, now);
  outgoing_.push_back({.to = to, .correlation = correlation, .call = std::move(call)});
  wake_at(connections_.ready_at(to, now));
}

void Core::send_votes(const VoteTally& tally, bool pre_vote, TimeMs now) {
  if (tally.lost()) return;
  for (const NodeId id : tally.open()) {
    const Voter* voter = history_.voters().find(id);
    if (voter == nullptr) continue;
    send(id,
         VoteCall{.candidate = self(), .epoch = epoch_, .last = log_.end(), .pre_vote = pre_vote, .voter = voter->key},
         now);
  }
}

void Core::send_fetch(NodeId to, TimeMs now) {
  const OffsetAndEpoch end = log_.end();
  send(to,
       FetchCall{.replica = self(),
                 .epoch = epoch_,
                 .offset = end.offset,
                 .last_fetched_epoch = end.epoch,
                 .high_watermark = follower_high_watermark_.value_or(kNoOffset)},
       now);
}

void Core::send_fetch_to_bootstrap(TimeMs now) {
  if (applying_) return;
  if (connections_.any_in_flight(now)) {
    wake_at(now + config_.retry_backoff_ms);
    return;
  }
  const auto& servers = config_.bootstrap;
  for (std::size_t tried = 0; tried < servers.size(); ++tried) {
    const NodeId to = servers[next_bootstrap_++ % servers.size()];
    if (to == config_.node_id || !connections_.ready(to, now)) continue;
    send_fetch(to, now);
    return;
  }
  if (servers.size() > 1 || (servers.size() == 1 && servers[0] != config_.node_id))
    wake_at(now + config_.retry_backoff_ms);
}

// The leader; while it does not answer, any bootstrap server, which may know of a new one.
void Core::send_fetch_to_best(Following& state, TimeMs now) {
  if (applying_) return;
  if (connections_.timed_out(state.leader, now)) {
    connections_.reset(state.leader);
    send_fetch_to_bootstrap(now);
  } else if (connections_.backing_off(state.leader, now)) {
    send_fetch_to_bootstrap(now);
  } else if (connections_.any_in_flight(now)) {
    wake_at(now + config_.request_timeout_ms);
  } else if (state.fetching_snapshot) {
    send(state.leader,
         FetchSnapshotCall{.replica = self(),
                           .epoch = epoch_,
                           .snapshot = *state.fetching_snapshot,
                           .position = state.snapshot_position},
         now);
  } else {
    send_fetch(state.leader, now);
  }
}

}  // namespace dohle::raft

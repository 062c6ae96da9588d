// Calls of other replicas.
#include <algorithm>

#include "core/core.h"

namespace dohle::raft {

ReplyHead Core::head(ErrorCode error) const {
  return {.error = error, .epoch = epoch_, .leader = leader(), .leader_endpoints = leader_endpoints()};
}

ErrorCode Core::check_from_voter(NodeId from, LeaderEpoch epoch) const {
  if (epoch < epoch_) return ErrorCode::kFencedLeaderEpoch;
  return from < 0 || epoch > kMaxAcceptedEpoch ? ErrorCode::kInvalidRequest : ErrorCode::kNone;
}

ErrorCode Core::check_for_leader(LeaderEpoch epoch) const {
  if (epoch < epoch_) return ErrorCode::kFencedLeaderEpoch;
  if (epoch > epoch_) return ErrorCode::kUnknownLeaderEpoch;
  if (!is_leader()) return ErrorCode::kNotLeaderOrFollower;
  return shutting_down_ ? ErrorCode::kBrokerNotAvailable : ErrorCode::kNone;
}

bool Core::meant_for_us(const std::optional<ReplicaKey>& voter) const {
  if (!voter) return true;
  return voter->id == config_.node_id && (!voter->directory || *voter->directory == config_.directory);
}

bool Core::consistent_leader(LeaderEpoch epoch, std::optional<NodeId> told) const {
  if (told == config_.node_id) return is_leader() || epoch < epoch_ || std::holds_alternative<Resigned>(role_);
  return epoch != epoch_ || !told || !leader() || told == leader();
}

std::vector<VoterEndpoint> Core::endpoints_of(NodeId leader, const std::vector<VoterEndpoint>& told) const {
  if (!told.empty()) return told;
  const Voter* voter = history_.voters().find(leader);
  return voter == nullptr ? std::vector<VoterEndpoint>() : voter->endpoints;
}

// Raft's vote rule: at most one vote an epoch, and only for a log that is at least as long as ours. A pre-vote promises
// nothing, so it may be given by anyone who has not heard from a leader.
bool Core::can_grant(const VoteCall& call) const {
  const bool up_to_date =
      std::pair(call.last.epoch, call.last.offset) >= std::pair(log_.end().epoch, log_.end().offset);
  if (is_leader()) return false;
  if (const auto* state = std::get_if<Following>(&role_)) return call.pre_vote && !state->fetched && up_to_date;
  if (std::holds_alternative<Candidate>(role_) || std::holds_alternative<Resigned>(role_))
    return call.pre_vote && up_to_date;
  if (call.pre_vote) return up_to_date;
  if (const auto key = voted()) {
    return key->id == call.candidate.id && (!key->directory || key->directory == call.candidate.directory);
  }
  return !leader() && up_to_date;
}

VoteReply Core::handle(const VoteCall& call, TimeMs now) {
  const bool bad_epoch = call.pre_vote ? call.last.epoch > call.epoch : call.last.epoch >= call.epoch;
  if (call.last.offset < Offset(0) || call.last.epoch < LeaderEpoch(0) || bad_epoch) {
    return {head(ErrorCode::kInvalidRequest), false};
  }
  if (const ErrorCode error = check_from_voter(call.candidate.id, call.epoch); error != ErrorCode::kNone) {
    return {head(error), false};
  }
  if (call.epoch > epoch_) become_unattached(call.epoch, std::nullopt, now);
  if (!meant_for_us(call.voter)) return {head(ErrorCode::kInvalidVoterKey), false};
  const bool granted = can_grant(call);
  if (granted && !call.pre_vote && !voted()) {
    // The candidate has at least as good a chance as we have: give it a full election time-out.
    if (const auto* state = std::get_if<Unattached>(&role_)) {
      enter(epoch_,
            Unattached{.leader = state->leader, .voted = call.candidate, .deadline = now + random_election_timeout()});
    } else if (const auto* nominee = std::get_if<Prospective>(&role_)) {
      Prospective next = *nominee;
      next.voted = call.candidate;
      next.tally = VoteTally(history_.voters());
      next.tally.record(config_.node_id, true);
      next.deadline = now + random_election_timeout();
      enter(epoch_, std::move(next));
    }
  }
  return {head(ErrorCode::kNone), granted};
}

BeginEpochReply Core::handle(const BeginEpochCall& call, TimeMs now) {
  if (const ErrorCode error = check_from_voter(call.leader, call.epoch); error != ErrorCode::kNone)
    return {head(error)};
  if (!consistent_leader(call.epoch, call.leader)) return {head(ErrorCode::kInvalidRequest)};
  adopt(call.epoch, call.leader, endpoints_of(call.leader, call.leader_endpoints), now);
  return {head(meant_for_us(call.voter) ? ErrorCode::kNone : ErrorCode::kInvalidVoterKey)};
}

EndEpochReply Core::handle(const EndEpochCall& call, TimeMs now) {
  if (const ErrorCode error = check_from_voter(call.leader, call.epoch); error != ErrorCode::kNone)
    return {head(error)};
  if (!consistent_leader(call.epoch, call.leader)) return {head(ErrorCode::kInvalidRequest)};
  adopt(call.epoch, call.leader, endpoints_of(call.leader, call.leader_endpoints), now);
  if (auto* state = std::get_if<Following>(&role_); state != nullptr && state->leader == call.leader) {
    state->deadline = now + successor_backoff(call.preferred_successors);
  }
  return {head(ErrorCode::kNone)};
}

// The most caught-up voter goes first; each later one waits twice as long.
TimeMs Core::successor_backoff(const std::vector<ReplicaKey>& successors) const {
  const auto at = std::ranges::find_if(successors, [this](const ReplicaKey& key) { return meant_for_us(key); });
  const auto position = at - successors.begin();
  const auto count = static_cast<std::ptrdiff_t>(successors.size());
  if (position == 0 && count > 0) return 0;
  if (position >= count) return config_.election_backoff_max_ms;
  const int shift = static_cast<int>(std::min<std::ptrdiff_t>(count - 1, 30));
  const TimeMs base = config_.election_backoff_max_ms >> shift;
  return std::min(config_.election_backoff_max_ms, base << std::min<std::ptrdiff_t>(position - 1, 30));
}

FetchReply Core::handle(const FetchCall& call, TimeMs now) {
  if (call.offset < Offset(0) || call.last_fetched_epoch < LeaderEpoch(0) || call.last_fetched_epoch > call.epoch) {
    return {.head = head(ErrorCode::kInvalidRequest)};
  }
  if (const ErrorCode error = check_for_leader(call.epoch); error != ErrorCode::kNone) return {.head = head(error)};
  auto& leading = std::get<Leading>(role_);
  FetchReply reply{.head = head(ErrorCode::kNone)};
  const auto latest = log_.latest_snapshot();
  if (call.offset == Offset(0) && latest && *latest != kBootstrapSnapshotId) {
    reply.snapshot = latest;  // an empty replica is quicker with the snapshot than with the log
  } else {
    const PositionCheck check = check_position(log_, call.offset, call.last_fetched_epoch);
    if (check.kind == PositionCheck::Kind::kDiverging) reply.diverging = check.point;
    if (check.kind == PositionCheck::Kind::kSnapshot) reply.snapshot = check.point;
    if (check.kind == PositionCheck::Kind::kValid) {
      leading.progress.update_replica(call.replica, call.offset, log_.end().offset, now);
    }
  }
  reply.high_watermark = leading.progress.high_watermark().value_or(kNoOffset);
  return reply;
}

FetchSnapshotReply Core::handle(const FetchSnapshotCall& call, std::int64_t snapshot_size, TimeMs now) {
  if (const ErrorCode error = check_for_leader(call.epoch); error != ErrorCode::kNone) return {.head = head(error)};
  // The bootstrap snapshot is never replicated: its records are in the log.
  if (call.snapshot == kBootstrapSnapshotId || !log_.has_snapshot(call.snapshot)) {
    return {.head = head(ErrorCode::kSnapshotNotFound)};
  }
  if (call.position < 0 || call.position >= snapshot_size) return {.head = head(ErrorCode::kPositionOutOfRange)};
  std::get<Leading>(role_).progress.replica_seen(call.replica, now);
  return {.head = head(ErrorCode::kNone), .snapshot = call.snapshot, .size = snapshot_size, .position = call.position};
}

}  // namespace dohle::raft

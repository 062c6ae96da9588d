// Replies of other replicas to calls of ours.
#include <algorithm>

#include "core/core.h"

namespace dohle::raft {

Core::Common Core::handle_common(const ReplyHead& reply, TimeMs now) {
  if (reply.epoch < epoch_ || reply.error == ErrorCode::kUnknownLeaderEpoch) return Common::kHandled;
  if (reply.epoch > kMaxAcceptedEpoch || !consistent_leader(reply.epoch, reply.leader)) return Common::kFailed;
  std::vector<VoterEndpoint> endpoints;
  if (reply.leader) endpoints = endpoints_of(*reply.leader, reply.leader_endpoints);
  const bool stale = reply.epoch > epoch_ || reply.error == ErrorCode::kFencedLeaderEpoch ||
                     reply.error == ErrorCode::kNotLeaderOrFollower;
  if (stale) {
    adopt(reply.epoch, reply.leader, std::move(endpoints), now);
    return Common::kHandled;
  }
  if (reply.leader && *reply.leader != config_.node_id && !leader()) {
    adopt(reply.epoch, reply.leader, std::move(endpoints), now);
    return reply.error == ErrorCode::kNone ? Common::kGoOn : Common::kHandled;
  }
  if (reply.error == ErrorCode::kInvalidVoterKey) return Common::kHandled;
  return reply.error == ErrorCode::kNone ? Common::kGoOn : Common::kFailed;
}

void Core::on_failure(NodeId from, std::uint64_t correlation, TimeMs now) {
  connections_.failed(from, correlation, now);
}

void Core::on_pre_vote_unsupported(NodeId from, std::uint64_t correlation, TimeMs now) {
  if (connections_.answered(from, correlation) && std::holds_alternative<Prospective>(role_)) become_candidate(now);
}

void Core::on_reply(NodeId from, std::uint64_t correlation, const VoteReply& reply, TimeMs now) {
  if (!connections_.answered(from, correlation)) return;
  if (handle_common(reply.head, now) != Common::kGoOn) return;
  if (auto* state = std::get_if<Prospective>(&role_)) {
    state->tally.record(from, reply.granted);
    if (state->tally.lost()) return lose_pre_election(now);
  } else if (auto* candidate = std::get_if<Candidate>(&role_)) {
    candidate->tally.record(from, reply.granted);
  }
  advance_election(now);
}

void Core::on_reply(NodeId from, std::uint64_t correlation, const BeginEpochReply& reply, TimeMs now) {
  if (connections_.answered(from, correlation)) static_cast<void>(handle_common(reply.head, now));
}

void Core::on_reply(NodeId from, std::uint64_t correlation, const EndEpochReply& reply, TimeMs now) {
  if (!connections_.answered(from, correlation)) return;
  if (handle_common(reply.head, now) != Common::kGoOn) return;
  if (auto* state = std::get_if<Resigned>(&role_)) std::erase(state->unacknowledged, from);
}

FollowerStep Core::on_reply(NodeId from, std::uint64_t correlation, const FetchReply& reply, TimeMs now) {
  if (!connections_.answered(from, correlation)) return {};
  if (handle_common(reply.head, now) != Common::kGoOn) return {};
  auto* state = std::get_if<Following>(&role_);
  if (state == nullptr || reply.head.epoch != epoch_) return {};
  state->deadline = now + config_.fetch_timeout_ms;
  state->fetched = true;
  if (reply.diverging) {
    // A leader that wants committed records away is not one to follow.
    if (follower_high_watermark_ && truncation_point(log_, *reply.diverging) < *follower_high_watermark_) return {};
    applying_ = true;
    return {FollowerStep::Kind::kTruncate, *reply.diverging};
  }
  if (reply.snapshot) {
    if (log_.has_snapshot(*reply.snapshot)) return {};
    state->fetching_snapshot = reply.snapshot;
    state->snapshot_position = 0;
    applying_ = true;
    return {FollowerStep::Kind::kFetchSnapshot, *reply.snapshot};
  }
  applying_ = true;
  return {FollowerStep::Kind::kAppend, {}};
}

bool Core::on_reply(NodeId from, std::uint64_t correlation, const FetchSnapshotReply& reply, TimeMs now) {
  if (!connections_.answered(from, correlation)) return false;
  const bool gone =
      reply.head.error == ErrorCode::kSnapshotNotFound || reply.head.error == ErrorCode::kPositionOutOfRange;
  auto* state = std::get_if<Following>(&role_);
  if (gone && state != nullptr && reply.head.epoch == epoch_) {  // ask with Fetch which one there is now
    state->fetching_snapshot.reset();
    return false;
  }
  if (handle_common(reply.head, now) != Common::kGoOn) return false;
  state = std::get_if<Following>(&role_);
  if (state == nullptr || state->fetching_snapshot != reply.snapshot) return false;
  applying_ = state->snapshot_position == reply.position;
  return applying_;
}

}  // namespace dohle::raft

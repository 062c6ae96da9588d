#include "core/core.h"

#include <algorithm>
#include <limits>

#include <base/check.h>

namespace dohle::raft {

namespace {
// Overloads for std::visit.
template <class... Ts>
struct Match : Ts... {
  using Ts::operator()...;
};
}  // namespace

Core::Core(CoreConfig config, const LogView& log, runtime::Random& random, VoterHistory history)
    : config_(std::move(config)),
      log_(log),
      random_(random),
      history_(std::move(history)),
      connections_(config_.request_timeout_ms, config_.retry_backoff_ms) {}

void Core::initialize(std::optional<ElectionState> saved, TimeMs now) {
  restore(saved.value_or(ElectionState{}), now);
  unsaved_ = election();
  const bool undecided = !std::holds_alternative<Candidate>(role_);
  if (history_.voters().is_only_voter(self()) && undecided) {
    become_prospective(now);
  } else {
    advance_election(now);
  }
}

void Core::restore(const ElectionState& saved, TimeMs now) {
  const TimeMs deadline = now + random_election_timeout();
  const ReplicaKey me = self();
  epoch_ = std::max(saved.epoch, log_.end().epoch);
  if (saved.epoch < log_.end().epoch) {
    role_ = Unattached{.leader = std::nullopt, .voted = std::nullopt, .deadline = deadline};
  } else if (saved.leader == config_.node_id) {
    // A leader of the last run may not lead or vote in the same epoch again: unflushed records of it may be lost.
    Resigned resigned{.deadline = deadline};
    for (const auto& [id, voter] : history_.voters().voters()) {
      if (id != config_.node_id) resigned.unacknowledged.push_back(id);
    }
    role_ = std::move(resigned);
  } else if (saved.voted && saved.voted->id == me.id &&
             (!saved.voted->directory || saved.voted->directory == me.directory)) {
    Candidate candidate{.tally = VoteTally(history_.voters()), .deadline = deadline};
    candidate.tally.record(config_.node_id, true);
    role_ = std::move(candidate);
  } else if (const Voter* leader = saved.leader ? history_.voters().find(*saved.leader) : nullptr;
             leader != nullptr && !leader->endpoints.empty()) {
    role_ = Following{.leader = *saved.leader,
                      .leader_endpoints = leader->endpoints,
                      .voted = saved.voted,
                      .deadline = now + config_.fetch_timeout_ms};
  } else {
    role_ = Unattached{.leader = saved.leader, .voted = saved.voted, .deadline = deadline};
  }
}

// ---- transitions

void Core::enter(LeaderEpoch epoch, Role role) {
  DOHLE_CHECK(epoch >= epoch_);
  const ElectionState before = election();
  if (const auto known = leading() != nullptr ? high_watermark() : std::nullopt) {
    follower_high_watermark_ = std::max(follower_high_watermark_.value_or(kNoOffset), *known);
  }
  epoch_ = epoch;
  role_ = std::move(role);
  if (ElectionState after = election(); after != before || unsaved_) unsaved_ = std::move(after);
}

void Core::become_unattached(LeaderEpoch epoch, std::optional<NodeId> leader, TimeMs now) {
  TimeMs deadline = now + random_election_timeout();
  if (const auto* state = std::get_if<Candidate>(&role_)) deadline = state->deadline;
  if (const auto* state = std::get_if<Unattached>(&role_)) deadline = state->deadline;
  if (const auto* state = std::get_if<Resigned>(&role_)) deadline = state->deadline;
  if (const auto* state = std::get_if<Prospective>(&role_); state != nullptr && !state->tally.lost()) {
    deadline = state->deadline;
  }
  Unattached next{.leader = leader, .voted = epoch == epoch_ ? voted() : std::nullopt, .deadline = deadline};
  enter(epoch, std::move(next));
  connections_.reset_all();
}

void Core::become_prospective(TimeMs now) {
  DOHLE_CHECK(is_voter());
  Prospective next{.leader = leader(),
                   .leader_endpoints = leader_endpoints(),
                   .voted = voted(),
                   .tally = VoteTally(history_.voters()),
                   .deadline = now + random_election_timeout()};
  if (next.leader == config_.node_id) next.leader.reset();  // our own resigned epoch
  next.tally.record(config_.node_id, true);
  enter(epoch_, std::move(next));
  connections_.reset_all();
  advance_election(now);
}

void Core::become_candidate(TimeMs now) {
  DOHLE_CHECK(is_voter() && std::holds_alternative<Prospective>(role_));
  Candidate next{.tally = VoteTally(history_.voters()), .deadline = now + random_election_timeout()};
  next.tally.record(config_.node_id, true);
  DOHLE_CHECK(epoch_.value() < std::numeric_limits<std::int32_t>::max());
  enter(LeaderEpoch(epoch_.value() + 1), std::move(next));
  connections_.reset_all();
  advance_election(now);
}

void Core::become_leader(TimeMs now) {
  const Candidate& candidate = std::get<Candidate>(role_);
  DOHLE_CHECK(is_voter() && candidate.tally.won());
  // Kafka's 1.5: a request on its way is not a silent voter.
  const TimeMs check_quorum_ms = config_.fetch_timeout_ms * 3 / 2;
  Leading next{.progress = LeaderProgress(self(), history_.voters(), log_.end().offset, now, check_quorum_ms),
               .granting = candidate.tally.granting(),
               .announce_at = now};
  enter(epoch_, std::move(next));
  connections_.reset_all();
}

void Core::become_follower(LeaderEpoch epoch, NodeId leader, std::vector<VoterEndpoint> endpoints, TimeMs now) {
  DOHLE_CHECK(leader != config_.node_id);
  if (endpoints.empty()) {  // nobody knows where it listens: find out by fetching from the bootstrap servers
    if (epoch > epoch_) become_unattached(epoch, leader, now);
    return;
  }
  Following next{.leader = leader,
                 .leader_endpoints = std::move(endpoints),
                 .voted = epoch == epoch_ ? voted() : std::nullopt,
                 .deadline = now + config_.fetch_timeout_ms};
  enter(epoch, std::move(next));
  connections_.reset_all();
}

void Core::become_resigned(std::vector<ReplicaKey> successors, TimeMs now) {
  Resigned next{.preferred_successors = std::move(successors), .deadline = now + random_election_timeout()};
  for (const auto& [id, voter] : history_.voters().voters()) {
    if (id != config_.node_id) next.unacknowledged.push_back(id);
  }
  enter(epoch_, std::move(next));
  connections_.reset_all();
}

void Core::advance_election(TimeMs now) {
  const auto* prospective = std::get_if<Prospective>(&role_);
  const auto* candidate = std::get_if<Candidate>(&role_);
  if (prospective != nullptr && prospective->tally.won()) become_candidate(now);
  if (candidate != nullptr && candidate->tally.won()) become_leader(now);
}

void Core::lose_pre_election(TimeMs now) {
  const Prospective state = std::get<Prospective>(role_);
  if (state.leader && !state.leader_endpoints.empty()) {
    become_follower(epoch_, *state.leader, state.leader_endpoints, now);
  } else {
    become_unattached(epoch_, state.leader, now);
  }
}

// Takes over a newer epoch, or the leader of the present one when it was not known.
void Core::adopt(LeaderEpoch epoch, std::optional<NodeId> told, std::vector<VoterEndpoint> endpoints, TimeMs now) {
  if (told == config_.node_id) told.reset();
  if (epoch > epoch_) {
    if (told) {
      become_follower(epoch, *told, std::move(endpoints), now);
    } else {
      become_unattached(epoch, std::nullopt, now);
    }
  } else if (epoch == epoch_ && told && (!leader() || endpoints.size() > leader_endpoints().size())) {
    become_follower(epoch, *told, std::move(endpoints), now);
  }
}

// ---- state

std::string_view Core::role_name() const {
  return std::visit(
      Match{[](const Unattached&) { return "unattached"; }, [](const Prospective&) { return "prospective"; },
            [](const Candidate&) { return "candidate"; }, [](const Leading&) { return "leader"; },
            [](const Following&) { return "follower"; }, [](const Resigned&) { return "resigned"; }},
      role_);
}

std::optional<NodeId> Core::leader() const {
  using Id = std::optional<NodeId>;
  return std::visit(
      Match{[](const Unattached& s) { return s.leader; }, [](const Prospective& s) { return s.leader; },
            [](const Candidate&) { return Id(); }, [this](const Leading&) { return Id(config_.node_id); },
            [](const Following& s) { return Id(s.leader); }, [this](const Resigned&) { return Id(config_.node_id); }},
      role_);
}

std::vector<VoterEndpoint> Core::leader_endpoints() const {
  using List = std::vector<VoterEndpoint>;
  return std::visit(
      Match{[](const Unattached&) { return List(); }, [](const Prospective& s) { return s.leader_endpoints; },
            [](const Candidate&) { return List(); }, [this](const Leading&) { return config_.endpoints; },
            [](const Following& s) { return s.leader_endpoints; },
            [this](const Resigned&) { return config_.endpoints; }},
      role_);
}

std::optional<ReplicaKey> Core::voted() const {
  using Key = std::optional<ReplicaKey>;
  return std::visit(Match{[](const Unattached& s) { return s.voted; }, [](const Prospective& s) { return s.voted; },
                          [this](const Candidate&) { return Key(self()); }, [](const Leading&) { return Key(); },
                          [](const Following& s) { return s.voted; }, [](const Resigned&) { return Key(); }},
                    role_);
}

ElectionState Core::election() const {
  ElectionState out{.epoch = epoch_, .leader = leader(), .voted = voted()};
  for (const auto& [id, voter] : history_.voters().voters()) out.voters.push_back(id);
  return out;
}

// A resigned leader is no leader to its own state machine, although voters are still told who it was.
LeaderAndEpoch Core::leader_and_epoch() const {
  if (std::holds_alternative<Resigned>(role_)) return {std::nullopt, epoch_};
  return {leader(), epoch_};
}

std::optional<Offset> Core::high_watermark() const {
  if (const Leading* leading = this->leading()) return leading->progress.high_watermark();
  return follower_high_watermark_;
}

Voter Core::self_as_voter() const {
  return {.key = self(),
          .endpoints = config_.endpoints,
          .min_kraft_version = 0,
          .max_kraft_version = config_.max_kraft_version};
}

std::vector<ReplicaProgress> Core::observers(TimeMs now) {
  auto* leading = std::get_if<Leading>(&role_);
  return leading == nullptr ? std::vector<ReplicaProgress>() : leading->progress.observers(now);
}

TimeMs Core::random_election_timeout() {
  const TimeMs base = std::max<TimeMs>(config_.election_timeout_ms, 1);
  return base + static_cast<TimeMs>(random_.below(static_cast<std::uint64_t>(base)));
}

void Core::resign(LeaderEpoch epoch) {
  if (auto* leading = std::get_if<Leading>(&role_); leading != nullptr && epoch == epoch_) leading->resign = true;
}

void Core::on_flushed(TimeMs) {
  if (auto* leading = std::get_if<Leading>(&role_)) leading->progress.update_local(log_.flushed(), history_.voters());
}

void Core::on_follower_appended(Offset leader_high_watermark) {
  if (is_leader() || leader_high_watermark < Offset(0)) return;
  const Offset known = std::min(leader_high_watermark, log_.end().offset);
  if (!follower_high_watermark_ || known > *follower_high_watermark_) follower_high_watermark_ = known;
}

void Core::on_snapshot_progress(std::int64_t position, bool complete, TimeMs now) {
  auto* state = std::get_if<Following>(&role_);
  if (state == nullptr || !state->fetching_snapshot) return;
  state->snapshot_position = position;
  state->deadline = now + config_.fetch_timeout_ms;
  if (!complete) return;
  const SnapshotId id = *std::exchange(state->fetching_snapshot, std::nullopt);
  if (!follower_high_watermark_ || id.offset > *follower_high_watermark_) follower_high_watermark_ = id.offset;
}

}  // namespace dohle::raft

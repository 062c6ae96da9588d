// Core: the decisions of KRaft (KIP-595, 853, 996), without clock, disk or network. Calls and time come in; replies,
// calls to others and an election state that must be written come out.
//
// The contract with whoever drives it:
//  - after every call, if `unsaved()` is set, the state is written durably before any reply or outgoing call leaves;
//  - `poll(now)` is called after every input and when the time it returned has come;
//  - LogView shows the log as it is at the call; appends, flushes and truncations are reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <runtime/random.h>

#include "core/connections.h"
#include "core/election_state.h"
#include "core/leader_progress.h"
#include "core/log_view.h"
#include "core/messages.h"
#include "core/vote_tally.h"
#include "core/voter_history.h"

namespace dohle::raft {

struct CoreConfig {
  NodeId node_id = -1;
  Uuid directory;
  std::vector<VoterEndpoint> endpoints;  // own
  std::vector<NodeId> bootstrap;         // whom to ask for the leader: voter ids, or -2, -3 ... for bootstrap servers
  TimeMs election_timeout_ms = 1000;
  TimeMs fetch_timeout_ms = 2000;
  TimeMs request_timeout_ms = 2000;
  TimeMs retry_backoff_ms = 20;
  TimeMs election_backoff_max_ms = 1000;
  std::int16_t max_kraft_version = 1;
};

struct Unattached {
  std::optional<NodeId> leader;
  std::optional<ReplicaKey> voted;
  TimeMs deadline = 0;
};
struct Prospective {  // asks whether an election could be won, without a new epoch (KIP-996)
  std::optional<NodeId> leader;
  std::vector<VoterEndpoint> leader_endpoints;
  std::optional<ReplicaKey> voted;
  VoteTally tally;
  TimeMs deadline = 0;
};
struct Candidate {
  VoteTally tally;
  TimeMs deadline = 0;
};
struct Leading {
  LeaderProgress progress;
  std::vector<NodeId> granting;
  bool resign = false;
  TimeMs announce_at = 0;  // next BeginQuorumEpoch round
};
struct Following {
  NodeId leader = -1;
  std::vector<VoterEndpoint> leader_endpoints;
  std::optional<ReplicaKey> voted;
  TimeMs deadline = 0;
  bool fetched = false;  // at least once since becoming a follower
  std::optional<SnapshotId> fetching_snapshot;
  std::int64_t snapshot_position = 0;
};
struct Resigned {
  std::vector<NodeId> unacknowledged;
  std::vector<ReplicaKey> preferred_successors;
  TimeMs deadline = 0;
};
using Role = std::variant<Unattached, Prospective, Candidate, Leading, Following, Resigned>;

// What a follower has to do with the reply to its fetch.
struct FollowerStep {
  enum class Kind : std::uint8_t { kNothing, kAppend, kTruncate, kFetchSnapshot } kind = Kind::kNothing;
  OffsetAndEpoch point;  // truncate: the leader's end of that epoch; fetch snapshot: its id
};

class Core {
 public:
  Core(CoreConfig config, const LogView& log, runtime::Random& random, VoterHistory history);

  // Takes up the epoch of the last run. `saved` is the content of quorum-state, empty when there is none.
  void initialize(std::optional<ElectionState> saved, TimeMs now);

  // Does what is due; returns when it is to be called next.
  TimeMs poll(TimeMs now);

  // Requests of others.
  VoteReply handle(const VoteCall& call, TimeMs now);
  BeginEpochReply handle(const BeginEpochCall& call, TimeMs now);
  EndEpochReply handle(const EndEpochCall& call, TimeMs now);
  // Without an error, a divergence or a snapshot, records from `call.offset` may be sent along.
  FetchReply handle(const FetchCall& call, TimeMs now);
  FetchSnapshotReply handle(const FetchSnapshotCall& call, std::int64_t snapshot_size, TimeMs now);

  // Replies of others to calls of ours. Late and foreign ones are ignored.
  void on_reply(NodeId from, std::uint64_t correlation, const VoteReply& reply, TimeMs now);
  void on_reply(NodeId from, std::uint64_t correlation, const BeginEpochReply& reply, TimeMs now);
  void on_reply(NodeId from, std::uint64_t correlation, const EndEpochReply& reply, TimeMs now);
  [[nodiscard]] FollowerStep on_reply(NodeId from, std::uint64_t correlation, const FetchReply& reply, TimeMs now);
  // True when the bytes at `reply.position` are the ones wanted next.
  [[nodiscard]] bool on_reply(NodeId from, std::uint64_t correlation, const FetchSnapshotReply& reply, TimeMs now);
  // No reply, or one that cannot be used.
  void on_failure(NodeId from, std::uint64_t correlation, TimeMs now);
  // A voter that knows no pre-vote: go on to a real election at once, as Kafka does.
  void on_pre_vote_unsupported(NodeId from, std::uint64_t correlation, TimeMs now);

  // What happened to the log.
  void on_flushed(TimeMs now);  // LogView::flushed() may have moved
  void on_follower_appended(Offset leader_high_watermark);
  // A FollowerStep, or the bytes of a snapshot, have been dealt with: the next fetch may go out.
  void on_applied() { applying_ = false; }
  void on_snapshot_progress(std::int64_t position, bool complete, TimeMs now);
  VoterHistory& history() { return history_; }  // control records that were read from or written to the log
  [[nodiscard]] const VoterHistory& history() const { return history_; }

  // Leader: give up the epoch at the next poll.
  void resign(LeaderEpoch epoch);
  void begin_shutdown() { shutting_down_ = true; }

  // Outputs.
  [[nodiscard]] std::optional<ElectionState> take_unsaved() { return std::exchange(unsaved_, std::nullopt); }
  [[nodiscard]] bool unsaved() const { return unsaved_.has_value(); }
  [[nodiscard]] std::vector<Outgoing> take_outgoing() { return std::exchange(outgoing_, {}); }

  // State.
  [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }
  [[nodiscard]] const Role& role() const { return role_; }
  [[nodiscard]] std::string_view role_name() const;
  [[nodiscard]] bool is_leader() const { return std::holds_alternative<Leading>(role_); }
  [[nodiscard]] const Leading* leading() const { return std::get_if<Leading>(&role_); }
  [[nodiscard]] std::optional<NodeId> leader() const;
  [[nodiscard]] std::vector<VoterEndpoint> leader_endpoints() const;
  [[nodiscard]] LeaderAndEpoch leader_and_epoch() const;
  [[nodiscard]] std::optional<Offset> high_watermark() const;
  [[nodiscard]] bool is_voter() const { return history_.voters().is_voter(self()); }
  [[nodiscard]] ReplicaKey self() const { return {config_.node_id, config_.directory}; }
  [[nodiscard]] Voter self_as_voter() const;
  [[nodiscard]] std::vector<ReplicaProgress> observers(TimeMs now);

 private:
  // Transitions.
  void become_unattached(LeaderEpoch epoch, std::optional<NodeId> leader, TimeMs now);
  void become_prospective(TimeMs now);
  void become_candidate(TimeMs now);
  void become_leader(TimeMs now);
  void become_follower(LeaderEpoch epoch, NodeId leader, std::vector<VoterEndpoint> endpoints, TimeMs now);
  void become_resigned(std::vector<ReplicaKey> successors, TimeMs now);
  void enter(LeaderEpoch epoch, Role role);
  void lose_pre_election(TimeMs now);
  void advance_election(TimeMs now);
  void restore(const ElectionState& saved, TimeMs now);
  void adopt(LeaderEpoch epoch, std::optional<NodeId> told, std::vector<VoterEndpoint> endpoints, TimeMs now);

  // One role's part of poll; false when the role changed and poll must look again.
  bool poll_role(Unattached& state, TimeMs now);
  bool poll_role(Prospective& state, TimeMs now);
  bool poll_role(Candidate& state, TimeMs now);
  bool poll_role(Leading& state, TimeMs now);
  bool poll_role(Following& state, TimeMs now);
  bool poll_role(Resigned& state, TimeMs now);
  void wake_at(TimeMs time) { wake_ = std::min(wake_, time); }

  // Outgoing calls.
  void send(NodeId to, Call call, TimeMs now);
  void send_votes(const VoteTally& tally, bool pre_vote, TimeMs now);
  void send_fetch(NodeId to, TimeMs now);
  void send_fetch_to_bootstrap(TimeMs now);
  void send_fetch_to_best(Following& state, TimeMs now);

  [[nodiscard]] ReplyHead head(ErrorCode error) const;
  [[nodiscard]] ErrorCode check_from_voter(NodeId from, LeaderEpoch epoch) const;
  [[nodiscard]] ErrorCode check_for_leader(LeaderEpoch epoch) const;
  [[nodiscard]] bool meant_for_us(const std::optional<ReplicaKey>& voter) const;
  [[nodiscard]] bool consistent_leader(LeaderEpoch epoch, std::optional<NodeId> leader) const;
  [[nodiscard]] bool can_grant(const VoteCall& call) const;
  [[nodiscard]] std::optional<ReplicaKey> voted() const;
  [[nodiscard]] ElectionState election() const;
  [[nodiscard]] std::vector<VoterEndpoint> endpoints_of(NodeId leader, const std::vector<VoterEndpoint>& told) const;
  [[nodiscard]] TimeMs random_election_timeout();
  [[nodiscard]] TimeMs successor_backoff(const std::vector<ReplicaKey>& successors) const;
  // nullopt: the reply is about the present epoch and free of errors that concern it.
  enum class Common : std::uint8_t { kGoOn, kHandled, kFailed };
  [[nodiscard]] Common handle_common(const ReplyHead& reply, TimeMs now);

  CoreConfig config_;
  const LogView& log_;
  runtime::Random& random_;
  VoterHistory history_;
  Connections connections_;
  LeaderEpoch epoch_{0};
  Role role_{Unattached{}};
  std::optional<Offset> follower_high_watermark_;  // kept over epochs while not leading
  bool applying_ = false;  // a fetched reply is being written: what is fetched next would not be on disk
  bool shutting_down_ = false;
  std::size_t next_bootstrap_ = 0;
  TimeMs wake_ = 0;
  std::optional<ElectionState> unsaved_;
  std::vector<Outgoing> outgoing_;
};

}  // namespace dohle::raft

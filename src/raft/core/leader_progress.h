// LeaderProgress: what the leader of an epoch knows of every replica, and the high watermark that follows from it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/messages.h"

namespace dohle::raft {

struct ReplicaProgress {
  ReplicaKey key;
  std::vector<VoterEndpoint> endpoints;
  std::optional<Offset> end;  // the leader: its flushed end; others: their last fetch offset
  TimeMs last_fetch = -1;
  TimeMs last_caught_up = -1;
  std::optional<Offset> leader_end_at_last_fetch;
};

class LeaderProgress {
 public:
  LeaderProgress(ReplicaKey self, const VoterSet& voters, Offset epoch_start, TimeMs now, TimeMs check_quorum_ms);

  // Both return true when the high watermark moved.
  bool update_local(Offset flushed_end, const VoterSet& voters);
  bool update_replica(const ReplicaKey& replica, Offset fetch_offset, Offset leader_end, TimeMs now);
  // A replica that is loading a snapshot is alive as well.
  void replica_seen(const ReplicaKey& replica, TimeMs now);

  // Known only once a record of this epoch is held by a majority: before that it could go back.
  [[nodiscard]] std::optional<Offset> high_watermark() const { return high_watermark_; }
  [[nodiscard]] Offset epoch_start() const { return epoch_start_; }
  // When the leader must give up because too few voters fetch; empty with one voter.
  [[nodiscard]] std::optional<TimeMs> check_quorum_deadline() const;
  // Other voters, most caught up first.
  [[nodiscard]] std::vector<ReplicaKey> successors() const;
  // Voters that have not fetched for `quiet_ms`, and so may not know of this leader.
  [[nodiscard]] std::vector<ReplicaKey> quiet_voters(TimeMs now, TimeMs quiet_ms) const;
  [[nodiscard]] std::vector<ReplicaProgress> voters() const;
  // Those that fetched in the last five minutes.
  [[nodiscard]] std::vector<ReplicaProgress> observers(TimeMs now);

 private:
  [[nodiscard]] ReplicaProgress* voter(const ReplicaKey& key);
  void adopt_voters(const VoterSet& voters);
  void drop_silent_observers(TimeMs now);
  bool advance();

  ReplicaKey self_;
  Offset epoch_start_;
  TimeMs check_quorum_ms_;
  TimeMs check_quorum_until_;
  std::optional<Offset> high_watermark_;
  std::map<NodeId, ReplicaProgress> voters_;
  std::map<ReplicaKey, ReplicaProgress> observers_;
  std::set<NodeId> fetched_;  // voters heard from in this round of the quorum check
};

}  // namespace dohle::raft

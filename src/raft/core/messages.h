// What voters say to each other, as the core sees it: KRaft's requests without topics, partitions and wire versions.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <protocol/error_code.h>
#include <raft/replica_key.h>
#include <raft/voter_set.h>

namespace dohle::raft {

using protocol::ErrorCode;
using NodeId = std::int32_t;
using TimeMs = std::int64_t;  // monotonic, handed in

// Epochs beyond are not taken from anyone: a peer that sends the largest number must not leave none to elect in.
inline constexpr LeaderEpoch kMaxAcceptedEpoch{0x7fff'0000};

// In every reply: the error, and who leads as far as the replier knows.
struct ReplyHead {
  ErrorCode error = ErrorCode::kNone;
  LeaderEpoch epoch{0};
  std::optional<NodeId> leader;
  std::vector<VoterEndpoint> leader_endpoints;
};

struct VoteCall {
  ReplicaKey candidate;
  LeaderEpoch epoch{0};
  OffsetAndEpoch last;              // the candidate's log end
  bool pre_vote = false;            // KIP-996
  std::optional<ReplicaKey> voter;  // whom it is meant for
};
struct VoteReply {
  ReplyHead head;
  bool granted = false;
};

struct BeginEpochCall {
  NodeId leader = -1;
  LeaderEpoch epoch{0};
  std::vector<VoterEndpoint> leader_endpoints;
  std::optional<ReplicaKey> voter;
};
struct BeginEpochReply {
  ReplyHead head;
};

struct EndEpochCall {
  NodeId leader = -1;
  LeaderEpoch epoch{0};
  std::vector<VoterEndpoint> leader_endpoints;
  std::vector<ReplicaKey> preferred_successors;
};
struct EndEpochReply {
  ReplyHead head;
};

struct FetchCall {
  ReplicaKey replica;  // id -1: not a replica, e.g. a consumer
  LeaderEpoch epoch{0};
  Offset offset{0};
  LeaderEpoch last_fetched_epoch{0};
  Offset high_watermark{-1};  // what the replica knows
};
struct FetchReply {
  ReplyHead head;
  Offset high_watermark{-1};
  std::optional<OffsetAndEpoch> diverging;  // truncate to this first
  std::optional<SnapshotId> snapshot;       // fetch this instead
};

struct FetchSnapshotCall {
  ReplicaKey replica;
  LeaderEpoch epoch{0};
  SnapshotId snapshot;
  std::int64_t position = 0;
};
struct FetchSnapshotReply {
  ReplyHead head;
  SnapshotId snapshot;
  std::int64_t size = 0;
  std::int64_t position = 0;
};

using Call = std::variant<VoteCall, BeginEpochCall, EndEpochCall, FetchCall, FetchSnapshotCall>;

// Ids below -1 name bootstrap servers: -2 is the first of them.
struct Outgoing {
  NodeId to = -1;
  std::uint64_t correlation = 0;
  Call call;
};

}  // namespace dohle::raft

// Listener: the state machine on top of the log. Sees what is committed, in order, exactly once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <base/bytes.h>
#include <raft/replica_key.h>

namespace dohle::raft {

class SnapshotReader;

// One committed record batch. The bytes are valid only during the call that brings them.
struct CommittedBatch {
  Offset base_offset{0};
  Offset last_offset{0};
  LeaderEpoch epoch{0};
  std::int64_t append_timestamp_ms = 0;
  std::size_t size_bytes = 0;  // in the log
  bool control = false;        // raft's own records: `records` is empty, the offsets still count
  std::vector<Bytes> records;  // framed payloads, one each from base_offset on
};

// Called on the raft shard, never from inside a call into RaftNode.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_commit(const CommittedBatch& batch) = 0;
  // Drop all state and load this instead. The reader is positioned before the first batch. Also called with the
  // bootstrap snapshot 0-0 when there is one.
  virtual void on_load_snapshot(SnapshotReader& snapshot) = 0;
  // The leader of a new epoch, or that there is none. When this node leads, it comes only after every record before
  // the epoch has been handed to on_commit.
  virtual void on_leader_change(const LeaderAndEpoch& leader) = 0;
};

}  // namespace dohle::raft

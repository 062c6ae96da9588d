// RaftNode: one node's part in the metadata quorum (KIP-595, 630, 853, 996): the core's decisions carried out over the
// real log, the quorum-state file, snapshots and other voters. Everything here belongs to one shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <raft/listener.h>
#include <raft/replica_key.h>
#include <raft/snapshot_reader.h>
#include <raft/snapshot_writer.h>
#include <raft/voter_set.h>
#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::protocol {
struct FetchRequest;
struct FetchResponse;
struct FetchSnapshotRequest;
struct FetchSnapshotResponse;
struct VoteRequest;
struct VoteResponse;
struct BeginQuorumEpochRequest;
struct BeginQuorumEpochResponse;
struct EndQuorumEpochRequest;
struct EndQuorumEpochResponse;
struct DescribeQuorumRequest;
struct DescribeQuorumResponse;
struct AddRaftVoterRequest;
struct AddRaftVoterResponse;
struct RemoveRaftVoterRequest;
struct RemoveRaftVoterResponse;
struct UpdateRaftVoterRequest;
struct UpdateRaftVoterResponse;
}  // namespace dohle::protocol

namespace dohle::storage {
class LogDirectory;
class ShardLogs;
}  // namespace dohle::storage

namespace dohle::raft {

class Outbound;

struct RaftConfig {
  std::int32_t node_id = -1;
  std::string cluster_id;
  bool can_vote = true;                  // process.roles has "controller"
  std::string listener = "CONTROLLER";   // the first of controller.listener.names: voters talk over it
  std::vector<VoterEndpoint> endpoints;  // this controller's listeners, as advertised; none: as the voter set has them
  std::vector<runtime::Endpoint> bootstrap_servers;    // controller.quorum.bootstrap.servers
  std::optional<VoterSet> static_voters;               // controller.quorum.voters; unset with bootstrap servers
  std::int32_t election_timeout_ms = 1000;             // controller.quorum.election.timeout.ms
  std::int32_t fetch_timeout_ms = 2000;                // controller.quorum.fetch.timeout.ms
  std::int32_t request_timeout_ms = 2000;              // controller.quorum.request.timeout.ms
  std::int32_t retry_backoff_ms = 20;                  // controller.quorum.retry.backoff.ms
  std::int64_t segment_bytes = 1LL << 30;              // metadata.log.segment.bytes
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;    // metadata.log.segment.ms
  std::int64_t retention_bytes = 100LL << 20;          // metadata.max.retention.bytes
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;  // metadata.max.retention.ms
};

// A request's surroundings that matter here.
struct RequestContext {
  std::int16_t version = 0;
  std::string listener;  // the name of the listener it came in by
};

class RaftNode {
 public:
  // `shard` runs it, `logs` are that shard's. `directory` is metadata.log.dir: it holds __cluster_metadata-0/, its id
  // is this voter's directory id, and all syncs go through its commit door. `outbound` may be null while there is no
  // other voter. All must outlive the node.
  struct Surroundings {
    runtime::Shard& shard;
    storage::LogDirectory& directory;
    storage::ShardLogs& logs;
    Outbound* outbound = nullptr;
  };

  // Opens (creating when absent) the log, snapshots and quorum-state, and recovers the voter set. May block: start-up
  // only, on `shard`. Fails with one sentence when the directory belongs to another voter or cluster or is damaged.
  [[nodiscard]] static runtime::Task<Result<std::unique_ptr<RaftNode>>> open(RaftConfig config, Surroundings around);
  virtual ~RaftNode() = default;

  // Begins to take part: elections, commits, callbacks. With one voter it leads within a few loop turns.
  virtual void start() = 0;
  // Resigns when leading, answers waiting requests, flushes and closes the log. The last call.
  [[nodiscard]] virtual runtime::Task<void> shutdown() = 0;

  // A listener first gets the newest snapshot, then every committed batch after it, then the leader. Unregister before
  // it dies.
  virtual void register_listener(Listener& listener) = 0;
  virtual void unregister_listener(Listener& listener) = 0;

  // Appends framed records as the leader of `epoch`, atomically: all of them in one batch, perhaps with others of the
  // same loop turn. Returns at once with the offset of the last record; nothing is committed yet. kNotLeader /
  // kFencedEpoch when this node does not lead `epoch`, kRecordTooLarge when they do not fit a batch (8 MiB).
  [[nodiscard]] virtual Result<Offset> append(LeaderEpoch epoch, std::vector<std::vector<std::uint8_t>> records) = 0;
  // Completes when `offset` is below the high watermark; fails when the epoch ends first.
  [[nodiscard]] virtual runtime::Task<Result<>> wait_committed(LeaderEpoch epoch, Offset offset) = 0;
  // Gives up leadership of `epoch`, e.g. after a failed replay. No effect when it does not lead that epoch.
  virtual void resign(LeaderEpoch epoch) = 0;

  // Starts a snapshot of everything below `id.offset`, which must be committed and end a batch; null result when there
  // is one already. Hand the filled writer to finish_snapshot.
  [[nodiscard]] virtual Result<std::unique_ptr<SnapshotWriter>> create_snapshot(
      SnapshotId id, std::int64_t last_contained_log_timestamp_ms) = 0;
  // Syncs and publishes it, then moves the log start and deletes what retention allows.
  [[nodiscard]] virtual runtime::Task<Result<>> finish_snapshot(std::unique_ptr<SnapshotWriter> snapshot) = 0;
  [[nodiscard]] virtual std::optional<SnapshotId> latest_snapshot() const = 0;

  [[nodiscard]] virtual LeaderAndEpoch leader_and_epoch() const = 0;
  [[nodiscard]] virtual bool is_leader() const = 0;
  // The disk of the metadata log is full, and what is left is for what somebody waits for.
  [[nodiscard]] virtual bool short_of_space() const = 0;
  [[nodiscard]] virtual std::optional<Offset> high_watermark() const = 0;
  [[nodiscard]] virtual Offset log_start() const = 0;
  [[nodiscard]] virtual Offset log_end() const = 0;
  [[nodiscard]] virtual VoterSet voters() const = 0;
  [[nodiscard]] virtual std::int16_t kraft_version() const = 0;  // the finalized level of that feature

  // KRaft's requests. An unknown leader, a stale epoch or a wrong cluster id is answered with Kafka's error code.
  // Fetch waits up to max_wait_ms for new data (KIP-595).
  [[nodiscard]] virtual runtime::Task<protocol::FetchResponse> handle(const protocol::FetchRequest& request,
                                                                      RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::FetchSnapshotResponse> handle(
      const protocol::FetchSnapshotRequest& request, RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::VoteResponse> handle(const protocol::VoteRequest& request,
                                                                     RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::BeginQuorumEpochResponse> handle(
      const protocol::BeginQuorumEpochRequest& request, RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::EndQuorumEpochResponse> handle(
      const protocol::EndQuorumEpochRequest& request, RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::DescribeQuorumResponse> handle(
      const protocol::DescribeQuorumRequest& request, RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::AddRaftVoterResponse> handle(
      const protocol::AddRaftVoterRequest& request, RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::RemoveRaftVoterResponse> handle(
      const protocol::RemoveRaftVoterRequest& request, RequestContext context) = 0;
  [[nodiscard]] virtual runtime::Task<protocol::UpdateRaftVoterResponse> handle(
      const protocol::UpdateRaftVoterRequest& request, RequestContext context) = 0;
};

}  // namespace dohle::raft

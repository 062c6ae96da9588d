// MetadataLoader: stands on the raft log, turns what is committed into images, publishes them to all shards, and writes
// snapshots. Lives on the raft shard. Every node has one; the controller takes its state from it when it becomes
// active.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <base/result.h>
#include <metadata/delta.h>
#include <metadata/publisher.h>
#include <raft/driver.h>
#include <raft/listener.h>
#include <runtime/io_thread.h>
#include <runtime/shard.h>
#include <runtime/sync.h>

namespace dohle::metadata {

struct SnapshotPolicy {
  std::int64_t max_new_bytes = 20LL << 20;                 // metadata.log.max.record.bytes.between.snapshots
  runtime::Duration max_interval = std::chrono::hours(1);  // metadata.log.max.snapshot.interval.ms; 0: never
};

// Told of leadership on the raft shard, after everything before the epoch has been loaded.
class LeadershipListener {
 public:
  virtual ~LeadershipListener() = default;
  virtual void on_leader_change(const raft::LeaderAndEpoch& leader) = 0;
};

class MetadataLoader final : public raft::Listener {
 public:
  // `fault` is called when the log cannot be understood: the process should stop. `io` takes snapshots; it may be the
  // one of the raft node. All must outlive the loader.
  MetadataLoader(runtime::Shard& shard, raft::RaftNode& raft, runtime::IoThread& io, Publisher& publisher,
                 SnapshotPolicy policy, std::function<void(Error)> fault);
  ~MetadataLoader() override;
  MetadataLoader(const MetadataLoader&) = delete;
  MetadataLoader& operator=(const MetadataLoader&) = delete;

  void set_leadership_listener(LeadershipListener* listener) { leadership_ = listener; }
  // The newest committed image, outside metadata transactions.
  [[nodiscard]] const ImageRef& image() const { return replayer_.image(); }
  [[nodiscard]] Publisher& publisher() { return publisher_; }
  [[nodiscard]] std::optional<Offset> open_transaction() const { return replayer_.open_transaction(); }
  // The records of the bootstrap snapshot 0-0 (KIP-1170), which are never part of an image.
  [[nodiscard]] const std::vector<EncodedRecord>& bootstrap_records() const { return bootstrap_records_; }
  // Waits for a snapshot that is being written. The last call; unregister from raft before.
  [[nodiscard]] runtime::Task<void> close();

  // raft::Listener
  void on_commit(const raft::CommittedBatch& batch) override;
  void on_load_snapshot(raft::SnapshotReader& snapshot) override;
  void on_leader_change(const raft::LeaderAndEpoch& leader) override;

 private:
  Result<> load_bootstrap(raft::SnapshotReader& snapshot);
  Result<> load_snapshot(raft::SnapshotReader& snapshot);
  void report(Error error);
  void maybe_snapshot();
  runtime::Task<void> write_snapshot(runtime::Gate::Pass pass, ImageRef image);

  runtime::Shard& shard_;
  raft::RaftNode& raft_;
  runtime::IoThread& io_;
  Publisher& publisher_;
  SnapshotPolicy policy_;
  std::function<void(Error)> fault_;
  LeadershipListener* leadership_ = nullptr;
  MetadataReplayer replayer_;
  std::vector<EncodedRecord> bootstrap_records_;
  bool faulted_ = false;
  bool snapshotting_ = false;
  std::int64_t bytes_since_snapshot_ = 0;
  runtime::MonotonicTime last_snapshot_;
  runtime::Gate gate_;
};

}  // namespace dohle::metadata

// RaftLog: `__cluster_metadata-0` in its directory: the record log and the snapshots beside it, kept consistent.
//
// Invariant: a log that does not start at 0 starts at a snapshot (or between two of them). One shard.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <raft/snapshot_reader.h>
#include <raft/snapshot_writer.h>
#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/task.h>
#include <storage/log.h>
#include <storage/log_directory.h>
#include <storage/log_manager.h>

#include "core/log_view.h"

namespace dohle::raft {

inline constexpr std::int32_t kMaxBatchBytes = 8 << 20;  // Kafka's KafkaRaftClient.MAX_BATCH_SIZE_BYTES
inline constexpr std::uint32_t kMaxFetchBytes = 8U << 20U;

struct RaftLogConfig {
  std::int64_t segment_bytes = 1LL << 30;
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t retention_bytes = 100LL << 20;
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;
};

class RaftLog final : public LogView {
 public:
  struct Surroundings {
    runtime::FileSystem& files;
    runtime::Clock& clock;
    storage::LogDirectory& directory;
    storage::ShardLogs& logs;
  };
  // Loads or creates log and snapshots; removes leftovers of unfinished snapshots. Blocks. kCorrupt when records before
  // the log's start are in no snapshot.
  [[nodiscard]] static Result<std::unique_ptr<RaftLog>> open(const RaftLogConfig& config, Surroundings around);

  // LogView
  [[nodiscard]] OffsetAndEpoch end() const override;
  [[nodiscard]] Offset start() const override { return log_->log_start(); }
  [[nodiscard]] Offset flushed() const override;
  [[nodiscard]] OffsetAndEpoch end_offset_for_epoch(LeaderEpoch epoch) const override;
  [[nodiscard]] std::optional<SnapshotId> earliest_snapshot() const override;
  [[nodiscard]] std::optional<SnapshotId> latest_snapshot() const override;
  [[nodiscard]] bool has_snapshot(SnapshotId id) const override { return snapshots_.contains(id); }

  // Offsets and epochs are in the batches.
  [[nodiscard]] Result<> append_as_leader(Slice batch, LeaderEpoch epoch);
  // Leaves out batches of later epochs than `epoch`.
  [[nodiscard]] Result<> append_as_follower(Slice batches, LeaderEpoch epoch);
  // Everything below `up_to` on disk.
  [[nodiscard]] runtime::Task<Result<>> commit(Offset up_to) { return log_->commit(up_to); }
  [[nodiscard]] Result<> truncate_to(Offset offset);
  void set_high_watermark(Offset offset) { log_->set_high_watermark(offset); }
  // Batches from the one that holds `from` up to `upper_bound`, at least one; none at the end.
  [[nodiscard]] runtime::Task<Result<runtime::Fragments>> read(Offset from, Offset upper_bound,
                                                               std::uint32_t max_bytes);
  // The same as contiguous bytes.
  [[nodiscard]] runtime::Task<Result<std::vector<std::uint8_t>>> read_bytes(Offset from, Offset upper_bound,
                                                                            std::uint32_t max_bytes);

  // Null when there is one already, or the log starts later. kInvalidRequest when `id` is not committed, not on this
  // log, or not the end of a batch.
  [[nodiscard]] Result<std::unique_ptr<SnapshotWriter>> create_snapshot(SnapshotId id, SnapshotOptions options);
  // For a snapshot of the leader, whose end this log may not have reached.
  [[nodiscard]] std::string path_of(SnapshotId id) const { return snapshot_path(log_->path(), id); }
  [[nodiscard]] runtime::Task<Result<>> finish_snapshot(std::unique_ptr<SnapshotWriter> writer);
  // The file is synced and in place under its final name.
  void adopt_snapshot(SnapshotId id) { snapshots_.insert(id); }
  // Starts over behind the latest snapshot when it lies beyond the log's end; true when it did.
  [[nodiscard]] Result<bool> truncate_to_latest_snapshot();
  [[nodiscard]] Result<std::unique_ptr<SnapshotReader>> open_snapshot(SnapshotId id);
  [[nodiscard]] Result<runtime::FileRef> snapshot_file(SnapshotId id);
  // Deletes snapshots, and the records before the next one, that retention gives up; never the latest snapshot.
  [[nodiscard]] Result<> clean();
  // Removes the files of deleted snapshots whose time has come.
  void delete_due_files();

  [[nodiscard]] storage::Log& log() { return *log_; }
  [[nodiscard]] const std::string& directory() const { return log_->path(); }
  [[nodiscard]] storage::CommitLog& door() { return around_.directory.commit_log(); }
  [[nodiscard]] runtime::FileSystem& files() { return around_.files; }
  [[nodiscard]] runtime::Task<Result<>> close() { return log_->close(); }

 private:
  RaftLog(RaftLogConfig config, Surroundings around, std::unique_ptr<storage::Log> log)
      : config_(config), around_(around), log_(std::move(log)) {}
  Result<> load_snapshots();
  Result<bool> begins_batch(Offset offset);
  Result<bool> delete_before(SnapshotId id);
  Result<> forget_snapshots_before(SnapshotId id);
  Result<bool> clean_by_size();
  Result<bool> clean_by_age();

  RaftLogConfig config_;
  Surroundings around_;
  std::unique_ptr<storage::Log> log_;
  std::set<SnapshotId> snapshots_;
  struct Deleted {
    std::string path;
    runtime::MonotonicTime due;
  };
  std::deque<Deleted> deleted_;
};

// All bytes of `fragments`, read from files where they lie there.
[[nodiscard]] Result<std::vector<std::uint8_t>> gather(const runtime::Fragments& fragments);

}  // namespace dohle::raft

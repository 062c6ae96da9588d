// Log: one replica's log in Kafka's files. It belongs to one shard and is used from there only.
//
// Offsets: log_start <= high_watermark <= log_end, and flushed_end <= log_end. The caller (a partition, raft) decides
// the high watermark. Appends are written to the page cache inline, on the directory's write thread while it is slow;
// commit() waits for the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <base/result.h>
#include <runtime/fragment.h>
#include <runtime/sync.h>
#include <runtime/task.h>
#include <storage/commit_journal.h>
#include <storage/log_config.h>
#include <storage/log_services.h>

namespace dohle::storage {

// Who made the batches; decides how far they are checked.
enum class AppendOrigin : std::uint8_t {
  kClient,       // full validation, offsets assigned, sequence numbers checked
  kCoordinator,  // our own coordinators: offsets assigned, sequence numbers not checked
  kRaftLeader,   // offsets and epoch are already in the batches
  kReplication,  // from a leader that has checked them
};

struct AppendOptions {
  AppendOrigin origin = AppendOrigin::kClient;
  bool ignore_record_size = false;  // no max.message.bytes check
  bool allow_zstd = true;           // false for Produce below v7
  // kWouldBlock instead of walking more (decompressed) bytes of records than this.
  std::size_t inline_bytes = SIZE_MAX;
};

// A refused record of a refused batch, as Produce v8+ reports it.
struct RecordError {
  std::int32_t batch_index = 0;
  std::string message;
};

struct AppendInfo {
  Offset first_offset = kNoOffset;  // of a duplicate: the original's
  Offset last_offset = kNoOffset;
  std::int64_t max_timestamp = -1;
  std::int64_t log_append_time = -1;  // -1 under CreateTime
  Offset log_start = kNoOffset;
  LeaderEpoch last_epoch = kNoLeaderEpoch;
  std::int32_t record_count = 0;
  std::uint32_t bytes = 0;  // written
  bool duplicate = false;   // a retry of a batch that is already in the log; nothing was written
};

struct AppendFailure {
  Error error;
  std::vector<RecordError> record_errors;
};

struct ReadLimits {
  std::uint32_t max_bytes = 1024 * 1024;
  Offset upper_bound{kMaxLong};  // exclusive; the high watermark for consumers
  bool min_one_batch = true;     // the first batch is returned whole even when larger than max_bytes
};

struct ReadInfo {
  runtime::Fragments records;  // begins with the batch that holds the offset; may end in a cut batch
  std::uint64_t bytes = 0;
  Offset log_start = kNoOffset;
  Offset log_end = kNoOffset;
  bool first_batch_cut = false;  // min_one_batch off, and the first batch is larger than max_bytes
};

struct TimestampOffset {
  std::int64_t timestamp = -1;
  Offset offset = kNoOffset;
  LeaderEpoch epoch = kNoLeaderEpoch;
};

// ListOffsets' special timestamps.
inline constexpr std::int64_t kLatestTimestamp = -1;
inline constexpr std::int64_t kEarliestTimestamp = -2;
inline constexpr std::int64_t kMaxTimestamp = -3;
inline constexpr std::int64_t kEarliestLocalTimestamp = -4;
inline constexpr std::int64_t kLatestTieredTimestamp = -5;
inline constexpr std::int64_t kEarliestPendingUploadTimestamp = -6;

struct EpochEndOffset {
  LeaderEpoch epoch = kNoLeaderEpoch;
  Offset end_offset = kNoOffset;
};

// One active idempotent producer (DescribeProducers, tools).
struct ProducerInfo {
  ProducerId id = kNoProducerId;
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;
  Offset last_offset = kNoOffset;
  std::int32_t offset_delta = 0;  // of the last batch: its records minus one
  std::int64_t last_timestamp = -1;
  std::int32_t coordinator_epoch = -1;
  Offset current_txn_first_offset = kNoOffset;
};

struct LogSetup {
  std::string path;  // <log dir>/<topic>-<partition>; created when absent
  TopicPartition partition;
  std::optional<TopicId> topic_id;  // written to partition.metadata before the first byte of data
  bool topic_id_was_read = false;   // there, just now
  bool synced_together = false;     // whoever opens it syncs the file system, and then calls note_recovery_synced()
  LogConfig config;
  bool had_clean_shutdown = true;                  // false: recover from recovery_point
  std::shared_ptr<const JournalContents> journal;  // of its directory, after an unclean stop
  Offset recovery_point{0};
  // In the part that is recovered, what follows a missing segment was never committed and goes. Not when the recovery
  // point is unknown: the hole may be old and compaction's.
  bool cut_at_holes = true;
  Offset log_start{0};       // from log-start-offset-checkpoint
  Offset high_watermark{0};  // from replication-offset-checkpoint
  std::int64_t producer_id_expiration_ms = 86'400'000;
  std::function<void(std::uint64_t bytes)> on_recovered_bytes;  // progress, may be empty
  // For the metadata log: a damaged batch that was durable is an error, not the end of the log. Some are known by a
  // clean stop, the others by their age.
  bool refuse_rot = false;
  bool directory_was_clean = false;
  // All file work stays on the shard, however slow the disk: for the metadata log, which is appended to without
  // waiting.
  bool writes_inline = false;
};

class Log {
 public:
  // Loads or creates; blocks, for start-up. kInconsistentTopicId when partition.metadata disagrees.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(LogSetup setup, LogServices services);
  // The same on the directory's write thread, while the shard serves.
  [[nodiscard]] static runtime::Task<Result<std::unique_ptr<Log>>> open_waiting(LogSetup setup, LogServices services);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // For LogSetup::synced_together: what was recovered is durable.
  void note_recovery_synced();

  [[nodiscard]] const TopicPartition& partition() const;
  [[nodiscard]] std::optional<TopicId> topic_id() const;
  [[nodiscard]] Result<> assign_topic_id(TopicId id);  // kInconsistentTopicId when it has another
  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] const LogConfig& config() const;
  void update_config(const LogConfig& config);

  [[nodiscard]] Offset log_start() const;
  [[nodiscard]] Offset log_end() const;
  [[nodiscard]] Offset flushed_end() const;  // durable up to here (exclusive), in its files or in the journal
  [[nodiscard]] Offset synced_end();         // durable up to here in its own files: Kafka's recovery point
  // What the leader counts itself into the high watermark with, and a follower reports as its fetch offset: flushed_end
  // when flush.messages is 1, log_end otherwise.
  [[nodiscard]] Offset acknowledged_end() const;
  [[nodiscard]] Offset high_watermark() const;
  // Clamped to [log_start, log_end]; returns what was set.
  Offset set_high_watermark(Offset offset);
  [[nodiscard]] Offset last_stable_offset() const;
  [[nodiscard]] std::uint64_t size_bytes() const;
  [[nodiscard]] std::size_t segment_count() const;
  [[nodiscard]] Offset first_segment_base() const;

  // Validates as Kafka does, assigns offsets and `epoch`, rolls when due, writes. All or nothing. kWouldBlock, and
  // nothing has changed, where it has to wait: for a slow disk, for an append that waits already, or after
  // inline_bytes.
  [[nodiscard]] std::expected<AppendInfo, AppendFailure> append_as_leader(Slice records, LeaderEpoch epoch,
                                                                          AppendOptions options = {});
  // The same for what has to wait, while the rest of the shard goes on: validates in slices, then takes its turn at the
  // log, and writes on the directory's write thread while that is slow. Until then nothing of it can be seen. When its
  // turn comes it asks `still_wanted`, and fails with kNotLeader when not.
  [[nodiscard]] runtime::Task<std::expected<AppendInfo, AppendFailure>> append_as_leader_waiting(
      Slice records, LeaderEpoch epoch, AppendOptions options, std::function<bool()> still_wanted);
  // Batches with the offsets and epochs of the leader. Batches of an epoch above `current_epoch` are left out
  // (KAFKA-18723).
  [[nodiscard]] Result<AppendInfo> append_as_follower(Slice records, LeaderEpoch current_epoch);

  // While the result lives no append writes and none can begin: for whoever truncates or moves a log that clients may
  // be appending to.
  [[nodiscard]] runtime::Task<runtime::Mutex::Hold> hold_writes();

  // Never waits for the disk: kWouldBlock when the answer is not in memory. kOffsetOutOfRange outside
  // [log_start, log_end]; no records at log_end or at the upper bound.
  [[nodiscard]] Result<ReadInfo> read(Offset from, const ReadLimits& limits);
  // The same, warming the page cache on the directory's I/O thread where needed.
  [[nodiscard]] runtime::Task<Result<ReadInfo>> read_cold(Offset from, ReadLimits limits);

  // Completes once everything below `up_to` is durable; calls share one fdatasync.
  [[nodiscard]] runtime::Task<Result<>> commit(Offset up_to);

  // A real timestamp: the first record at or after it; or one of the special ones. Nothing: no such record. kWouldBlock
  // when the answer is not in memory.
  [[nodiscard]] Result<std::optional<TimestampOffset>> offset_for_timestamp(std::int64_t timestamp);
  // The same, warming the page cache where needed.
  [[nodiscard]] runtime::Task<Result<std::optional<TimestampOffset>>> offset_for_timestamp_cold(std::int64_t timestamp);
  [[nodiscard]] std::optional<LeaderEpoch> latest_epoch() const;
  [[nodiscard]] std::optional<LeaderEpoch> epoch_at(Offset offset) const;
  // OffsetForLeaderEpoch: the largest epoch <= `epoch` known here, and where it ends.
  [[nodiscard]] EpochEndOffset end_offset_for_epoch(LeaderEpoch epoch) const;
  // A new leader's first act; harmless when repeated.
  [[nodiscard]] Result<> assign_epoch_start(LeaderEpoch epoch, Offset start);

  // DeleteRecords and the leader's log start on a follower; true when it moved. kOffsetOutOfRange above the high
  // watermark.
  [[nodiscard]] Result<bool> delete_records_before(Offset offset);
  // Retention by log start offset, size and time. `now_ms` is the accepted wall clock. Returns the segments deleted.
  // Blocks where the indexes are cold.
  [[nodiscard]] Result<int> delete_old_segments(std::int64_t now_ms);
  // The same for a log that serves: waits for appends, and for the disk off the shard.
  [[nodiscard]] runtime::Task<Result<int>> delete_old_segments_waiting(std::int64_t now_ms);
  [[nodiscard]] Result<> roll();
  // Cuts everything at and above `offset`; true when something was cut. No append may wait (hold_writes()).
  [[nodiscard]] Result<bool> truncate_to(Offset offset);
  [[nodiscard]] Result<> truncate_fully_and_start_at(Offset offset, std::optional<Offset> log_start = std::nullopt);

  [[nodiscard]] std::vector<ProducerInfo> producer_states() const;
  void remove_expired_producers(std::int64_t now_ms);

  // Removes files whose file.delete.delay.ms has passed.
  void delete_due_files();
  // Indexes that a start on a full disk could not write; now and then.
  void write_left_behind();
  // Without a clean stop: waits for what is in flight; commits that wait fail with kClosed.
  [[nodiscard]] runtime::Task<void> quiesce();
  // Clean stop: indexes trimmed, producer snapshot, everything synced. close() or quiesce() before the Log is
  // destroyed.
  [[nodiscard]] runtime::Task<Result<>> close();
  // The same in two steps, for many logs: what a clean stop writes; and once the caller has synced the file system.
  [[nodiscard]] runtime::Task<Result<>> close_unsynced();
  void note_close_synced();
  // A clean stop has to write something.
  [[nodiscard]] bool has_to_close() const;

  class State;  // private to the module

 private:
  explicit Log(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace dohle::storage

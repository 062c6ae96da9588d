// LogManager: all logs of a node, over its log directories and shards. The manager belongs to shard 0; each shard's
// logs are in its ShardLogs. The metadata log is opened by raft through ShardLogs::open_unmanaged and is not in the
// maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <runtime/settled_clock.h>
#include <runtime/shard.h>
#include <storage/log.h>
#include <storage/log_directory.h>

namespace dohle::storage {

struct LogManagerConfig {
  std::vector<std::string> log_dirs;
  std::string metadata_log_dir;  // empty: the first of log_dirs
  // Which shard a partition lives on. Called from any thread.
  std::function<std::size_t(const TopicIdPartition&)> shard_of;
  std::uint64_t tail_cache_bytes_per_shard = 32U << 20U;
  // Of all buffers of the node. When they are nearly that, readers are sent to files. 0: no limit.
  std::uint64_t buffer_bytes = 0;
  std::size_t open_segments_per_shard = 4096;
  std::int64_t retention_check_interval_ms = 300'000;          // log.retention.check.interval.ms
  std::int64_t flush_check_interval_ms = 1'000;                // flush.ms is looked at this often
  std::int64_t recovery_checkpoint_interval_ms = 60'000;       // log.flush.offset.checkpoint.interval.ms
  std::int64_t start_offset_checkpoint_interval_ms = 60'000;   // log.flush.start.offset.checkpoint.interval.ms
  std::int64_t high_watermark_checkpoint_interval_ms = 5'000;  // replica.high.watermark.checkpoint.interval.ms
  std::int64_t producer_id_expiration_ms = 86'400'000;         // producer.id.expiration.ms
  std::int64_t producer_id_expiration_check_interval_ms = 600'000;
  std::uint64_t journal_bytes = 64U << 20U;  // of each of a directory's two journal files; 0: none
  // Of a shard in one directory; when more have something to write at a clean stop, the file system is synced for all.
  std::size_t logs_closed_one_by_one = 100;
  std::uint64_t reserve_bytes = 64U << 20U;  // kept free in each directory for groups, metadata and checkpoints
};

struct LoadProgress {
  std::size_t partitions_done = 0;
  std::size_t partitions_total = 0;
  std::uint64_t bytes_recovered = 0;
  std::uint64_t bytes_to_recover = 0;
  std::int64_t elapsed_ms = 0;
  std::int64_t left_ms = -1;  // -1: not known yet
  bool finished = false;
};
// For a log: one line; for a terminal: a bar of at most `columns` characters.
[[nodiscard]] std::string progress_line(const LoadProgress& progress);
[[nodiscard]] std::string progress_bar(const LoadProgress& progress, std::size_t columns);

struct LoadOptions {
  std::function<LogConfig(const std::string& topic)> config_for;  // called on any shard
  // True: the partition is not this node's (topic gone or moved): its directory becomes `-stray`. Empty: none is.
  std::function<bool(const TopicPartition&, const std::optional<TopicId>&)> is_stray;
  // The id of the topic of this name, if there is one: a partition that is stray by one letter has a damaged file.
  std::function<std::optional<TopicId>(const std::string& topic)> topic_id_of;
  std::function<void(const LoadProgress&)>
      on_progress;  // on shard 0: at the beginning when there is something to recover, at most every second, at the end
};

// The logs of one shard; used from that shard only.
class ShardLogs {
 public:
  virtual ~ShardLogs() = default;
  // Null when absent. Valid until remove().
  [[nodiscard]] virtual Log* find(const TopicPartition& partition) = 0;
  // Creates in the directory of `directory` (its id), or in the online one with the fewest logs. Existing: returned as
  // it is; kInconsistentTopicId when it is another topic's of the same name. `known_at`: where in the metadata log the
  // topic is known to exist. Waits while the log of an older topic of this name is there, on whichever shard; null when
  // a newer one has the name, as this topic is gone then.
  [[nodiscard]] virtual runtime::Task<Result<Log*>> get_or_create(TopicPartition partition, TopicId topic_id,
                                                                  LogConfig config,
                                                                  std::optional<Uuid> directory = std::nullopt,
                                                                  Offset known_at = Offset(0)) = 0;
  // Renames the directory to `-delete`; its files go after file.delete.delay.ms. The Log is gone on return.
  [[nodiscard]] virtual runtime::Task<Result<>> remove(TopicPartition partition) = 0;
  // Sorted by partition.
  [[nodiscard]] virtual std::vector<Log*> all() = 0;
  [[nodiscard]] virtual LogDirectory* directory_of(const TopicPartition& partition) = 0;
  // What is believed of the wall clock here, also of the time before this process began. Once loaded.
  [[nodiscard]] virtual runtime::SettledClock& settled_clock() = 0;
  // A log outside the maps: no retention, no checkpoints. The caller owns it. Blocks. For raft.
  [[nodiscard]] virtual Result<std::unique_ptr<Log>> open_unmanaged(LogDirectory& directory, LogSetup setup) = 0;
};

struct DirectoryDescription {
  std::string path;
  Uuid id;
  bool online = true;
  std::uint64_t total_bytes = 0;
  std::uint64_t usable_bytes = 0;
  struct Replica {
    TopicPartition partition;
    std::uint64_t size_bytes = 0;
    Offset log_end = kNoOffset;
    Offset high_watermark = kNoOffset;
  };
  std::vector<Replica> replicas;
};

class LogManager {
 public:
  // Opens and locks the directories. Every problem is one sentence that names the directory. A directory whose disk
  // fails is left out, unless it is the metadata log's or the only one; one that is locked is always an error.
  [[nodiscard]] static Result<std::unique_ptr<LogManager>> open(runtime::Shards& shards, LogManagerConfig config);
  ~LogManager();

  [[nodiscard]] const std::vector<std::unique_ptr<LogDirectory>>& directories() const;
  [[nodiscard]] LogDirectory& metadata_directory();
  [[nodiscard]] LogDirectory* directory(const Uuid& id);
  // Same cluster and node in every directory; directories without meta.properties or directory.id get one.
  [[nodiscard]] Result<> check_and_complete_meta(const std::string& cluster_id, std::int32_t node_id);
  // The broker epoch of the last clean stop, -1 when any directory was not stopped cleanly.
  [[nodiscard]] std::int64_t previous_broker_epoch() const;

  // Loads every partition directory, on all shards at once, recovering what was not stopped cleanly.
  [[nodiscard]] runtime::Task<Result<>> load(LoadOptions options);
  // Starts retention, checkpoints, flush.ms and expiry. After load(), on shard 0.
  void start();
  [[nodiscard]] ShardLogs& on(std::size_t shard);
  // Ends the waiting of those who make a log whose name is not free yet: they get kClosed. On shard 0.
  void stop_making_logs();
  // Called on shard 0 when a directory failed, with its id.
  void on_directory_failed(std::function<void(LogDirectory&, const Error&)> callback);
  // Those of log.dirs that could not be opened at all.
  [[nodiscard]] const std::vector<std::string>& failed_directories() const;
  // Sizes and offsets of all replicas, for DescribeLogDirs. From shard 0.
  [[nodiscard]] runtime::Task<std::vector<DirectoryDescription>> describe();
  // Clean stop, in Kafka's order: flush, producer snapshots, checkpoints, clean marker, locks. All Logs are gone then;
  // must have run before the manager is destroyed.
  [[nodiscard]] runtime::Task<Result<>> shutdown(std::int64_t broker_epoch);

  class State;

 private:
  explicit LogManager(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dohle::storage

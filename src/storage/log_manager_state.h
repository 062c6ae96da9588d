// LogManager::State: belongs to shard 0. Loading is in log_manager_load.cc.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <runtime/sync.h>
#include <storage/log_manager.h>

#include "partition_names.h"
#include "shard_logs.h"

namespace dohle::storage {

class LogManager::State {
 public:
  State(runtime::Shards& all_shards, LogManagerConfig manager_config);

  struct Due {
    bool recovery_points = false;
    bool log_starts = false;
    bool high_watermarks = false;
    bool at_stop = false;
  };
  // A partition directory found on disk.
  struct Found {
    std::string path;
    TopicPartition partition;
    DirectorySlot* slot = nullptr;
    std::size_t directory = 0;  // index of the slot
    std::optional<TopicId> topic_id;
    std::uint64_t bytes_to_recover = 0;
  };
  // Counted by all shards, read by shard 0.
  struct Progress {
    std::atomic<std::size_t> partitions_done{0};
    std::atomic<std::uint64_t> bytes_recovered{0};
    std::size_t partitions_total = 0;
    std::uint64_t bytes_to_recover = 0;
    std::int64_t began_ms = 0;
    std::int64_t reported_ms = 0;
  };

  [[nodiscard]] static runtime::Task<Result<>> load(State* self, LoadOptions options);
  [[nodiscard]] static runtime::Task<Result<>> checkpoint(State* self, Due due);
  [[nodiscard]] static runtime::Task<void> checkpoint_loop(State* self);
  void restore_reserves();
  // Writes down what shard 0 believes the wall clock says.
  [[nodiscard]] static runtime::Task<Result<>> keep_clock(State* self);
  [[nodiscard]] static runtime::Task<Result<>> shutdown(State* self, std::int64_t broker_epoch);
  [[nodiscard]] static runtime::Task<std::vector<ShardOffsets>> gather(State* self);
  [[nodiscard]] static runtime::Task<std::vector<ShardOffsets>> offsets_on(ShardLogsImpl* logs);
  [[nodiscard]] static runtime::Task<std::vector<std::vector<DirectoryDescription::Replica>>> describe_on(
      ShardLogsImpl* logs);

  runtime::Shards& shards;
  LogManagerConfig config;
  std::vector<std::unique_ptr<LogDirectory>> directories;  // all, the metadata log's too
  std::size_t metadata_index = 0;
  std::optional<std::int64_t> settled_ms;  // the wall clock that was believed before this process began
  std::vector<bool> clean;                 // by directory, as it was found
  DirectorySlots slots;                    // those of log.dirs
  PartitionNames names;                    // of all logs on all shards
  std::vector<std::unique_ptr<ShardLogsImpl>> shard_logs;
  std::vector<ShardOffsets> written;              // by slot, as last checkpointed
  std::vector<OffsetMap> flushed_before;          // by slot, flushed ends when recovery points were last due
  std::vector<DirectoryCheckpoints> checkpoints;  // by slot, as found
  std::vector<std::string> failed;                // directories that did not open
  bool loaded = false;
  runtime::StopSource stop;
  runtime::Gate gate;

 private:
  using FoundList = std::vector<Found>;
  [[nodiscard]] Result<FoundList> scan();
  [[nodiscard]] Result<> scan_directory(std::size_t index, FoundList& found);
  [[nodiscard]] static runtime::Task<Result<FoundList>> identify(State* self, FoundList found);
  [[nodiscard]] static runtime::Task<Result<FoundList>> identify_on(State* self, ShardLogsImpl* logs, FoundList part);
  [[nodiscard]] Result<FoundList> drop_strays(FoundList found, const LoadOptions& options);
  [[nodiscard]] static runtime::Task<Result<>> report_until(State* self, const LoadOptions* options, Progress* progress,
                                                            runtime::StopSource* loaded);
  [[nodiscard]] static runtime::Task<Result<>> load_on(State* self, ShardLogsImpl* logs, FoundList part,
                                                       const LoadOptions* options, Progress* progress);
  [[nodiscard]] LogSetup setup_for(const Found& found, const LogConfig& log_config, const LoadOptions& options,
                                   Progress* progress);
  [[nodiscard]] static runtime::Task<void> sync_recovered(State* self);
  [[nodiscard]] static runtime::Task<void> begin_journals(State* self);
  void report(Progress& progress, const LoadOptions& options, bool last);
};

}  // namespace dohle::storage

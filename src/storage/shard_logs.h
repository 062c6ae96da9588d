// ShardLogsImpl: the logs of one shard, what they share, and their periodic work.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <records/codec.h>
#include <runtime/settled_clock.h>
#include <runtime/sync.h>
#include <storage/log_manager.h>

#include "open_files.h"
#include "partition_names.h"
#include "tail_cache.h"

namespace dohle::storage {

// A directory as all shards see it.
struct DirectorySlot {
  LogDirectory* directory = nullptr;
  std::atomic<std::size_t> logs{0};
  std::atomic<bool> has_unopened{false};  // some had no room to be opened
  std::atomic<bool> closed_unsynced{false};  // some logs were, at a clean stop
};
using DirectorySlots = std::vector<std::unique_ptr<DirectorySlot>>;

// The offsets of one shard's logs in one directory.
struct ShardOffsets {
  OffsetMap recovery_points;
  OffsetMap log_starts;  // only those above their first segment
  OffsetMap high_watermarks;
};

class ShardLogsImpl final : public ShardLogs {
 public:
  // Everything outlives it.
  ShardLogsImpl(runtime::Shards& shards, std::size_t id, const LogManagerConfig& config, DirectorySlots& directories,
                PartitionNames& names);

  [[nodiscard]] Log* find(const TopicPartition& partition) override;
  [[nodiscard]] runtime::Task<Result<Log*>> get_or_create(TopicPartition partition, TopicId topic_id, LogConfig config,
                                                          std::optional<Uuid> directory, Offset known_at) override;
  [[nodiscard]] runtime::Task<Result<>> remove(TopicPartition partition) override;
  [[nodiscard]] std::vector<Log*> all() override;
  [[nodiscard]] LogDirectory* directory_of(const TopicPartition& partition) override;
  [[nodiscard]] runtime::SettledClock& settled_clock() override { return settled_clock_; }
  [[nodiscard]] Result<std::unique_ptr<Log>> open_unmanaged(LogDirectory& directory, LogSetup setup) override;

  // Opens a log found on disk.
  [[nodiscard]] Result<> load(DirectorySlot& slot, LogSetup setup);
  // What the directories' checkpoints said at the start, by directory; does not change any more. For what is opened
  // later.
  void set_found_checkpoints(const std::vector<DirectoryCheckpoints>* found) { found_checkpoints_ = found; }
  // There was no room for it; its checkpoints stay.
  void open_later(DirectorySlot& slot, const TopicPartition& partition);
  // After the sync that LogSetup::synced_together promises.
  [[nodiscard]] runtime::Task<runtime::Unit> note_recovery_synced();
  void add(DirectorySlot& slot, std::unique_ptr<Log> log);
  // Removes the directory `after_ms` from now.
  void remove_later(LogDirectory& directory, std::string path, std::int64_t after_ms);
  // Starts the periodic work.
  void start();
  // A clean stop: everything is written, and synced unless the directory is marked `closed_unsynced`.
  [[nodiscard]] runtime::Task<Result<>> close_logs();
  // Then, with those directories synced or offline: what the checkpoints are to say, and no logs any more.
  [[nodiscard]] runtime::Task<runtime::Unit> drop_logs();
  // By index of the directory.
  [[nodiscard]] std::vector<ShardOffsets> offsets();
  [[nodiscard]] std::vector<std::vector<DirectoryDescription::Replica>> describe();
  [[nodiscard]] runtime::Shard& shard() { return shard_; }

 private:
  struct Managed {
    std::unique_ptr<Log> log;
    DirectorySlot* slot = nullptr;
    std::int64_t flushed_ms = 0;  // monotonic, when all was last flushed
  };
  struct DueDirectory {
    LogDirectory* directory;
    std::string path;
  };
  [[nodiscard]] LogServices services(LogDirectory& directory);
  [[nodiscard]] runtime::Task<Result<Log*>> create(TopicPartition partition, TopicId topic_id, LogConfig config,
                                                   std::optional<Uuid> directory);
  [[nodiscard]] runtime::Task<Result<>> retire(TopicPartition partition);
  [[nodiscard]] Result<DirectorySlot*> choose(const TopicPartition& partition, const std::optional<Uuid>& id);
  [[nodiscard]] static runtime::Task<void> housekeeping(ShardLogsImpl* self);
  void tick();
  void flush_due(Managed& managed, std::int64_t now_ms);
  [[nodiscard]] static runtime::Task<void> run_retention(ShardLogsImpl* self, std::int64_t wall_ms);
  void remove_due_directories(std::int64_t now_ms);
  void choose_closed_unsynced();
  [[nodiscard]] static runtime::Task<void> flush(ShardLogsImpl* self, TopicPartition partition);
  [[nodiscard]] std::size_t index_of(const DirectorySlot* slot) const;

  runtime::Shard& shard_;
  const LogManagerConfig& config_;
  DirectorySlots& directories_;
  PartitionNames& names_;
  TailCachePool tail_cache_;
  OpenFiles open_files_;
  records::Decompressor decompressor_;
  runtime::SettledClock settled_clock_;
  std::map<TopicPartition, Managed> logs_;
  std::map<TopicPartition, std::size_t> unopened_;  // by its directory
  const std::vector<DirectoryCheckpoints>* found_checkpoints_ = nullptr;
  std::multimap<std::int64_t, DueDirectory> due_directories_;
  std::optional<std::vector<ShardOffsets>> stopped_offsets_;  // after drop_logs()
  std::int64_t last_retention_ms_ = 0;
  bool retention_running_ = false;
  std::int64_t last_expiry_ms_ = 0;
  runtime::StopSource stop_;
  runtime::Gate gate_;
};

}  // namespace dohle::storage

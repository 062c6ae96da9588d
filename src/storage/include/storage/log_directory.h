// LogDirectory: one entry of log.dirs. It belongs to its owner shard: lock, meta.properties, checkpoints, clean marker,
// the threads that sync and read, the offline state. Once offline it stays so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <base/ids.h>
#include <base/result.h>
#include <base/uuid.h>
#include <runtime/shard.h>
#include <storage/commit_log.h>
#include <storage/meta_properties.h>

namespace dohle::storage {

// Text checkpoints: offsets by partition.
using OffsetMap = std::map<TopicPartition, Offset>;
// Zero for a partition that is not in there.
[[nodiscard]] inline Offset offset_of(const OffsetMap& offsets, const TopicPartition& partition) {
  const auto at = offsets.find(partition);
  return at == offsets.end() ? Offset(0) : at->second;
}

struct DirectoryCheckpoints {
  OffsetMap recovery_points;
  OffsetMap log_starts;
  OffsetMap high_watermarks;
  bool recovery_points_damaged = false;
};

class LogDirectory {
 public:
  // Creates the directory when absent, takes its lock, reads and removes the clean marker. Blocks; on the owner shard.
  // kLocked, kPermissionDenied, kMalformed: one sentence that names the file.
  [[nodiscard]] static Result<std::unique_ptr<LogDirectory>> open(const std::string& path, runtime::Shards& shards,
                                                                  std::size_t owner_shard);
  ~LogDirectory();

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] std::size_t owner_shard() const;
  [[nodiscard]] const std::optional<MetaProperties>& meta() const;
  [[nodiscard]] Result<> write_meta(const MetaProperties& meta);
  [[nodiscard]] Uuid id() const;  // directory.id; zero when none

  [[nodiscard]] bool had_clean_shutdown() const;
  // The broker epoch in the clean marker: -1 when there was none or it was of an old release.
  [[nodiscard]] std::int64_t previous_broker_epoch() const;

  // What the journal knows after an unclean stop; null otherwise, and once it begins anew.
  [[nodiscard]] std::shared_ptr<const JournalContents> journal() const;
  // Once all logs are durable in their own files, before any is used: what the journal knows is forgotten, and commits
  // may go to it. `file_bytes`: of each of its two files; 0: there is none.
  [[nodiscard]] runtime::Task<void> begin_journal(std::uint64_t file_bytes);
  // From any shard: syncs what the journal holds, so that a recovery has less to read.
  void settle_journal();
  // Before a stop, when nothing is committed any more: the journal holds nothing afterwards.
  [[nodiscard]] runtime::Task<void> end_journal();

  // Removes the clean marker: from here on a crash means recovery. Blocks.
  [[nodiscard]] Result<> begin_use();
  // Keeps this many bytes of blocks in a file of their own, for when the disk is full. Blocks; zero: none.
  [[nodiscard]] Result<> make_reserve(std::uint64_t bytes);
  // Now and then while the disk is full, off the shards: the reserve again, and word that there is space.
  void look_for_space(std::uint64_t reserve_bytes);
  // Before anything is opened: a start on a full disk writes too, and takes the reserve for it.
  void make_room_to_start(std::uint64_t bytes);
  // Off the shards, now and then: a little that no other use of the disk gets, for the next start on a full one.
  void keep_room_to_start(std::uint64_t bytes);
  // From any shard.
  [[nodiscard]] DirectoryCounts counts() const;

  // Usable from every shard.
  [[nodiscard]] CommitLog& commit_log();

  [[nodiscard]] bool offline() const;
  // Every callback is called on the owner shard, once, when the directory fails.
  void on_offline(std::function<void(const Error&)> callback);
  // On the owner shard: nobody is told any more.
  [[nodiscard]] runtime::Task<runtime::Unit> forget_callbacks();

  [[nodiscard]] Result<DirectoryCheckpoints> read_checkpoints();
  // Off the shard; each file is replaced atomically. Maps that are absent are left as they are.
  [[nodiscard]] runtime::Task<Result<>> write_checkpoints(std::optional<OffsetMap> recovery_points,
                                                          std::optional<OffsetMap> log_starts,
                                                          std::optional<OffsetMap> high_watermarks);
  // The wall clock as retention believes it; see settled_clock_file.h.
  [[nodiscard]] runtime::Task<Result<>> write_clock(std::int64_t settled_ms);
  // Everything that was written to it so far is durable afterwards, or it is offline.
  [[nodiscard]] runtime::Task<void> sync_everything();
  [[nodiscard]] runtime::Task<Result<>> write_clean_marker(std::int64_t broker_epoch);
  [[nodiscard]] Result<runtime::SpaceInfo> space();
  // Gives the lock back. Nothing may be in flight.
  void release();

  class State;

 private:
  explicit LogDirectory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dohle::storage

// Log::State: what a Log is made of. Its functions are by theme: log_loader.cc log_append.cc log_read.cc log_commit.cc
// log_cut.cc (truncation, deletion, retention).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <records/validator.h>
#include <runtime/future.h>
#include <storage/log.h>

#include "delayed_deletes.h"
#include "leader_epoch_cache.h"
#include "producer_snapshot_files.h"
#include "producer_state.h"
#include "segments.h"
#include "tail_cache.h"

namespace dohle::storage {

class Log::State : public std::enable_shared_from_this<Log::State> {
 public:
  State(LogSetup log_setup, LogServices log_services);

  // log_loader.cc
  [[nodiscard]] Result<> load();

  // log_append.cc
  [[nodiscard]] std::expected<AppendInfo, AppendFailure> append_as_leader(Slice records, LeaderEpoch epoch,
                                                                          AppendOptions options);
  [[nodiscard]] runtime::Task<std::expected<AppendInfo, AppendFailure>> append_as_leader_in_slices(
      Slice records, LeaderEpoch epoch, AppendOptions options, std::function<bool()> still_wanted);
  [[nodiscard]] std::expected<AppendInfo, AppendFailure> append_validated(
      std::expected<records::Validated, records::ValidationFailure> validated, LeaderEpoch epoch, AppendOrigin origin);
  [[nodiscard]] Result<AppendInfo> append_given(Slice records, LeaderEpoch epoch, AppendOrigin origin);
  [[nodiscard]] Result<> roll(Offset expected_next);
  [[nodiscard]] Result<> write_epochs();
  [[nodiscard]] Result<> write_partition_metadata();

  // log_read.cc
  [[nodiscard]] Result<ReadInfo> read(Offset from, const ReadLimits& limits, Probe probe);
  [[nodiscard]] Result<std::optional<TimestampOffset>> offset_for_timestamp(std::int64_t timestamp);

  // log_commit.cc
  [[nodiscard]] runtime::Task<Result<>> commit(Offset up_to);
  void commit_in_background();
  [[nodiscard]] runtime::Task<Result<>> close();
  [[nodiscard]] runtime::Task<void> wait_idle();

  // log_cut.cc
  [[nodiscard]] Result<bool> delete_records_before(Offset offset);
  [[nodiscard]] Result<int> delete_old_segments(std::int64_t now_ms);
  [[nodiscard]] Result<bool> truncate_to(Offset offset);
  [[nodiscard]] Result<> truncate_fully_and_start_at(Offset offset, std::optional<Offset> new_start);
  [[nodiscard]] Result<> retire_segment(Offset base);
  [[nodiscard]] Result<ProducerState> rebuild_producers(Offset upto, bool clean);

  void set_high_watermark(Offset offset);
  [[nodiscard]] Offset last_stable_offset() const;
  // Passes `result` on; an error that is not about the caller's data puts the directory offline.
  template <typename T>
  [[nodiscard]] Result<T> guard(Result<T> result);
  [[nodiscard]] Result<> check_online() const;
  [[nodiscard]] SegmentSetup segment_setup(Offset base);
  // Before a clean stop or an append: files that must be durable together with the data.
  void sync_later(runtime::FileRef file) { sync_files.push_back(std::move(file)); }

  LogSetup setup;
  LogServices services;
  LogConfig config;
  std::string path;
  std::optional<TopicId> topic_id;
  bool metadata_written = false;

  Segments segments;
  LeaderEpochCache epochs;
  bool epochs_dirty = false;
  ProducerState producers;
  ProducerSnapshotFiles snapshots;
  TailCache tail;
  DelayedDeletes deletes;

  Offset log_start{0};
  Offset log_end{0};
  Offset high_watermark{0};
  Offset flushed_end{0};
  std::uint64_t size_bytes = 0;

  // Group commit.
  struct Waiter {
    Offset up_to;
    std::uint64_t round = 0;  // a sync that began earlier does not count
    runtime::Promise<Result<>> promise;
  };
  std::vector<Waiter> waiters;
  bool sync_running = false;
  bool sync_again = false;                   // one more, for nobody in particular
  bool abandoned = false;                    // the Log is going
  std::optional<runtime::Promise<>> idle;    // set when no sync runs any more
  std::uint64_t sync_round = 0;              // of the sync that runs, or ran last
  std::uint64_t cuts = 0;                    // truncations so far: a sync that one overtook proves nothing
  std::vector<runtime::FileRef> sync_files;  // of sealed segments and small files, to go with the next sync
  bool sync_directory = false;               // the partition directory has new entries
  bool sync_parent = false;                  // the partition directory is new
  bool touched = false;                      // since it was loaded: a clean stop has work to do

 private:
  struct Append {
    Slice bytes;
    Offset first_offset;
    Offset last_offset;
    std::int64_t max_timestamp = -1;
    AppendOrigin origin;
  };
  [[nodiscard]] Result<AppendInfo> append_batches(const Append& append, AppendInfo info);
  [[nodiscard]] Result<> place(const Append& append);
  [[nodiscard]] Result<> prepare_producers(Bytes bytes, AppendOrigin origin, ProducerUpdate& update,
                                           const ProducerBatch*& duplicate) const;
  [[nodiscard]] Result<> maybe_roll(const Append& append);
  void note_epochs();
  [[nodiscard]] Result<> write_to_active(const Append& append);
  [[nodiscard]] Result<> finish_append(const Append& append, const ProducerUpdate& update);
  [[nodiscard]] Result<std::vector<BatchPlace>> describe(Bytes bytes) const;

  [[nodiscard]] Result<std::uint64_t> end_position(Segments::Map::iterator segment, Offset upper, Probe probe);
  [[nodiscard]] Result<runtime::Fragment> fragment(Segment& segment, std::uint64_t position, std::uint64_t length,
                                                   Probe probe);
  [[nodiscard]] Result<std::optional<TimestampOffset>> offset_of_max_timestamp();

  [[nodiscard]] static runtime::Task<void> run_syncs(std::shared_ptr<State> self);
  [[nodiscard]] runtime::Task<Result<>> close_files();
  [[nodiscard]] Result<CommitSet> take_commit_set();
  void finish_waiters(const Result<>& result);

  [[nodiscard]] Result<> load_files();
  [[nodiscard]] Result<> clean_temporary_files(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<> finish_swaps(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<> load_epochs();
  [[nodiscard]] Result<> load_segments(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<> recover_segment(Segment& segment, ProducerState& state, std::uint64_t& cut, Offset& next);
  [[nodiscard]] Result<> recover_from_recovery_point();
  [[nodiscard]] Result<> settle_offsets();
  [[nodiscard]] Result<> settle_producers();
  [[nodiscard]] Result<> sync_recovered();
  [[nodiscard]] Result<> recall_batches(ProducerState& state);
  [[nodiscard]] static Result<std::uint64_t> batch_boundary(Segment& segment, std::uint64_t position);
  [[nodiscard]] Result<> replay_into(ProducerState& state, Segment& segment, Offset from, Offset upto) const;

  [[nodiscard]] int retire_first_while(const std::function<Result<bool>(Segment&, Offset next_base)>& condition,
                                       Result<>& result);
  [[nodiscard]] Result<> cut_producers(Offset end);

  std::vector<BatchPlace> batches_;  // of the append under way
};

template <typename T>
Result<T> Log::State::guard(Result<T> result) {
  if (result) return result;
  if (result.error().code != Errc::kIo && result.error().code != Errc::kPermissionDenied) return result;
  services.commit_log.report_failure(result.error());
  return fail(Errc::kStorage, result.error().message);
}

}  // namespace dohle::storage

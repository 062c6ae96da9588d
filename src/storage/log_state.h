// Log::State: what a Log is made of. Its functions are by theme: log_loader.cc log_damage.cc log_append.cc log_read.cc
// log_commit.cc log_cut.cc (truncation, deletion, retention).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <records/validator.h>
#include <runtime/future.h>
#include <runtime/sync.h>
#include <storage/log.h>

#include "delayed_deletes.h"
#include "leader_epoch_cache.h"
#include "placement.h"
#include "producer_snapshot_files.h"
#include "producer_state.h"
#include "retention.h"
#include "segments.h"
#include "tail_cache.h"

namespace dohle::storage {

class Log::State : public std::enable_shared_from_this<Log::State> {
 public:
  State(LogSetup log_setup, LogServices log_services);

  // log_loader.cc
  [[nodiscard]] Result<> load();
  void note_recovery_synced();

  // log_append.cc
  [[nodiscard]] std::expected<AppendInfo, AppendFailure> append_as_leader(Slice records, LeaderEpoch epoch,
                                                                          AppendOptions options);
  [[nodiscard]] runtime::Task<std::expected<AppendInfo, AppendFailure>> append_as_leader_waiting(
      Slice records, LeaderEpoch epoch, AppendOptions options, std::function<bool()> still_wanted);
  [[nodiscard]] Result<AppendInfo> append_given(Slice records, LeaderEpoch epoch, AppendOrigin origin);
  [[nodiscard]] Result<> roll(Offset expected_next);
  [[nodiscard]] Result<> write_epochs();
  [[nodiscard]] runtime::Task<Result<>> write_epochs_in_turn();
  [[nodiscard]] Result<> write_partition_metadata();
  // What a full disk kept from the files of sealed segments.
  [[nodiscard]] Result<> write_left_behind();

  // log_read.cc
  [[nodiscard]] Result<ReadInfo> read(Offset from, const ReadLimits& limits, Probe probe);
  [[nodiscard]] Result<std::optional<TimestampOffset>> offset_for_timestamp(std::int64_t timestamp, Probe probe);
  [[nodiscard]] Result<ReadInfo> tell_damage(Result<ReadInfo> read);
  // Gets what a probe has missed, off the shard.
  [[nodiscard]] runtime::Task<Result<>> warm(ColdSpot& cold);
  // Tries `look(probe)` until what it needs is in memory.
  template <typename F>
  [[nodiscard]] runtime::Task<std::invoke_result_t<F&, Probe>> look_until_warm(F look);

  // log_commit.cc
  [[nodiscard]] runtime::Task<Result<>> commit(Offset up_to);
  void commit_in_background();
  [[nodiscard]] Offset settle_synced_end();
  void forget_durable_from(Offset end);
  [[nodiscard]] runtime::Task<Result<>> close();
  [[nodiscard]] bool has_to_close() const;
  [[nodiscard]] runtime::Task<Result<>> close_unsynced();
  void note_close_synced();
  [[nodiscard]] runtime::Task<void> wait_idle();

  // log_cut.cc
  [[nodiscard]] Result<bool> delete_records_before(Offset offset);
  [[nodiscard]] Result<int> delete_old_segments(std::int64_t now_ms);
  [[nodiscard]] runtime::Task<Result<int>> delete_old_segments_waiting(std::int64_t now_ms);
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
  [[nodiscard]] std::int64_t draw_roll_jitter();
  [[nodiscard]] SegmentSetup segment_setup(Offset base);
  void move_to(OpenFiles& files);
  // Before a clean stop or an append: files that must be durable together with the data.
  void sync_later(runtime::FileRef file) { sync_files.push_back(std::move(file)); }
  // A log in the page cache may never be synced: its small files are not kept open for that.
  void sync_later(const std::string& small_file) { sync_small_files.insert(small_file); }

  LogSetup setup;
  // With the truncations so far: a sync that one overtook proves nothing.
  std::shared_ptr<JournaledLog> journaled_log;
  std::int64_t made_ms;  // when the object was, on its shard: a settled clock is not for other threads
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
  OpenFiles* pool;              // of the shard, once loaded
  std::int64_t roll_jitter_ms;  // of the next segment

  Offset log_start{0};
  Offset log_end{0};
  Offset high_watermark{0};
  Offset flushed_end{0};
  // Of that, what is in the log's own files; and what is in the journal beyond, ascending.
  Offset synced_end{0};
  struct Journaled {
    JournalGeneration generation;
    Offset end;
  };
  std::vector<Journaled> journaled;
  std::uint64_t durable_bytes = 0;  // of the active segment, in its file or in the journal
  // Where the log was cut since the last commit, and the journal must hear of it: in front of the first byte that was
  // written since.
  using Place = std::pair<Offset, std::uint64_t>;  // segment and position
  std::optional<Place> cut_at;
  std::uint64_t size_bytes = 0;

  // Held by whoever changes files in more than one step. While a write runs elsewhere its append holds it: others wait,
  // and readers see the log as it was before.
  runtime::Mutex door;

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
  std::vector<runtime::FileRef> sync_files;  // of sealed segments, to go with the next sync
  std::set<std::string> sync_small_files;    // paths, likewise
  bool sync_directory = false;               // the partition directory has new entries
  bool sync_parent = false;                  // the partition directory is new
  std::set<Offset> left_behind;              // sealed segments whose indexes wait for space
  bool touched = false;                      // since it was loaded: a clean stop has work to do

 private:
  // A checked append on its way to disk.
  struct Append {
    Slice bytes;
    AppendOrigin origin;
    AppendInfo info;
    ProducerUpdate update;
  };
  using Validated = std::expected<records::Validated, records::ValidationFailure>;
  [[nodiscard]] std::expected<Append, AppendFailure> check_validated(Validated validated, LeaderEpoch epoch,
                                                                     AppendOrigin origin) const;
  [[nodiscard]] Result<> check_append(Append& append) const;
  [[nodiscard]] Result<AppendInfo> write(const Append& append);
  [[nodiscard]] runtime::Task<Result<AppendInfo>> write_in_turn(const Append& append);
  [[nodiscard]] bool may_use_reserve(const Result<>& placed) const;
  [[nodiscard]] Result<> place(const Append& append);
  [[nodiscard]] runtime::Task<Result<>> place_in_turn(const Append& append);
  [[nodiscard]] Result<Placement> prepare_placement(const Append& append, Probe probe);
  void finish_placement(Placement& placement);
  [[nodiscard]] Result<std::unique_ptr<Roll>> prepare_roll(Offset expected_next, Probe probe);
  void finish_roll(Roll& roll);
  [[nodiscard]] std::optional<WholeFile> prepare_epochs();
  void finish_epochs(const WholeFile& epochs);
  [[nodiscard]] std::optional<WholeFile> prepare_partition_metadata() const;
  void finish_partition_metadata(const WholeFile& metadata);
  [[nodiscard]] Result<> prepare_producers(Bytes bytes, AppendOrigin origin, ProducerUpdate& update,
                                           const ProducerBatch*& duplicate) const;
  void note_epochs();
  [[nodiscard]] Result<> run_placement(Placement& placement);
  [[nodiscard]] Result<> finish_append(const Append& append);
  [[nodiscard]] Result<> describe(Bytes bytes);

  [[nodiscard]] Result<std::uint64_t> end_position(Segments::Map::iterator segment, Offset upper, Probe probe);
  [[nodiscard]] Result<runtime::Fragment> fragment(Segment& segment, std::uint64_t position, std::uint64_t length,
                                                   Probe probe);
  [[nodiscard]] Result<std::optional<TimestampOffset>> offset_of_max_timestamp(Probe probe);

  [[nodiscard]] static runtime::Task<void> run_syncs(std::shared_ptr<State> self);
  [[nodiscard]] Result<> write_last();
  [[nodiscard]] runtime::Task<Result<>> close_files();
  struct Commit {
    CommitSet set;
    std::optional<CommitRun> run;
    Offset active;            // the segment,
    std::uint64_t bytes = 0;  // so large,
    Offset end;               // which holds all before this
  };
  std::optional<Commit> closing;  // written by close_unsynced()
  [[nodiscard]] Result<Commit> take_commit();
  void note_cut(Place place);
  void note_durable(const Commit& commit, JournalGeneration generation);
  void finish_waiters(const Result<>& result);

  [[nodiscard]] Result<> load_files(std::vector<runtime::DirectoryEntry> entries);
  [[nodiscard]] Result<> clean_temporary_files(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<> finish_swaps(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<> load_epochs();
  [[nodiscard]] Result<> load_segments(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<> recover_segment(Segment& segment, ProducerState& state, std::uint64_t& cut, Offset& next);
  [[nodiscard]] Result<> note_recovered(const records::BatchView& view, Segment& segment, ProducerState& state);
  [[nodiscard]] Result<> finish_recovered(Segment& segment, const ProducerState& state);
  [[nodiscard]] Result<> write_snapshot(const ProducerState& state);
  [[nodiscard]] Result<> recover_from_recovery_point();
  // Where recovery came to a batch that it cannot use.
  struct Damage {
    std::uint64_t at = 0;         // its position
    Offset next;                  // after the batch before it
    std::int64_t timestamp = -1;  // of the batch before it
  };
  [[nodiscard]] Offset durable_before() const;
  [[nodiscard]] static bool is_sound(const Result<std::optional<records::BatchView>>& batch, const Segment& segment,
                                     Offset next);
  [[nodiscard]] Result<bool> pass_damage(const Segment& segment, BatchFileReader& reader, const Damage& damage);
  [[nodiscard]] Result<bool> restore_from_journal(Segment& segment, BatchFileReader& reader,
                                                  const Damage& damage) const;
  [[nodiscard]] Result<> refuse_rot(const Segment& segment, BatchFileReader& reader, const Damage& damage) const;
  [[nodiscard]] Result<Offset> find_log_end();
  struct SoundEnd {
    Offset next;
    bool damaged = false;
  };
  template <typename Visit, typename Damaged>
  [[nodiscard]] static Result<> each_sound_batch(Segment& segment, std::uint64_t position, Visit visit,
                                                 Damaged damaged);
  static void tell_batch(const Segment& segment, std::uint64_t position, Offset offset);
  [[nodiscard]] static Result<SoundEnd> sound_end(Segment& segment);
  [[nodiscard]] Offset end_by_witnesses(const SoundEnd& sound, Offset base) const;
  [[nodiscard]] Result<> settle_offsets();
  [[nodiscard]] Result<> settle_producers();
  [[nodiscard]] Result<> settle_recovered();
  [[nodiscard]] Result<> sync_recovered();
  [[nodiscard]] Result<> recall_batches(ProducerState& state);
  [[nodiscard]] Result<> recall_from(Segment& segment, std::uint64_t position, Offset upto,
                                     std::map<ProducerId, ProducerEntry>& read);
  [[nodiscard]] static Result<std::uint64_t> batch_boundary(Segment& segment, std::uint64_t position);
  [[nodiscard]] Result<> replay_into(ProducerState& state, Segment& segment, Offset from, Offset upto) const;

  [[nodiscard]] Result<std::vector<SegmentFacts>> describe_segments(Probe probe);
  [[nodiscard]] Result<int> delete_by_plan(const std::vector<SegmentFacts>& facts, std::int64_t now_ms);
  [[nodiscard]] Result<> cut_producers(Offset end);

  std::vector<BatchPlace> batches_;  // of the append under way
  std::string told_damage_;
  std::optional<std::vector<EpochEntry>> epochs_on_disk_;  // as they were found
  // The segment, seen by recovery, whose end has rotted, and where it ended.
  struct RottenTail {
    Offset base;
    Offset end;
  };
  std::optional<RottenTail> rotten_tail_;
};

template <typename F>
runtime::Task<std::invoke_result_t<F&, Probe>> Log::State::look_until_warm(F look) {
  constexpr int kTries = 64;  // pages may be evicted as fast as they are read back
  ColdSpot cold;
  for (int i = 0; i < kTries; ++i) {
    auto seen = look(&cold);
    if (seen || seen.error().code != Errc::kWouldBlock) co_return seen;
    DOHLE_CO_TRY(co_await warm(cold));
  }
  co_return look(nullptr);
}

template <typename T>
Result<T> Log::State::guard(Result<T> result) {
  if (result) return result;
  if (result.error().code != Errc::kIo && result.error().code != Errc::kPermissionDenied) return result;
  services.commit_log.report_failure(result.error());
  return fail(Errc::kStorage, result.error().message);
}

}  // namespace dohle::storage

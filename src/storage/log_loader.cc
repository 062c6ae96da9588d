#include <algorithm>
#include <limits>
#include <map>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <fmt/format.h>

#include "log_files.h"
#include "log_state.h"
#include "partition_metadata.h"

namespace dohle::storage {

namespace {

constexpr std::string_view kSnapshotDeleted = ".checkpoint.deleted";  // of raft, which removes them itself

// Of work that its process did not come to the end of.
bool is_temporary(const runtime::DirectoryEntry& entry) {
  return entry.name.ends_with(kDeletedSuffix) || entry.name.ends_with(kCleanedSuffix) ||
         entry.name.ends_with(kSwapSuffix);
}

bool missing_or_damaged(const Error& error) { return error.code == Errc::kNotFound || error.code == Errc::kCorrupt; }

}  // namespace

Result<> Log::State::load() {
  auto entries = services.files.list(path);
  if (!entries && entries.error().code == Errc::kNotFound) {
    DOHLE_TRY(services.files.create_directories(path));
    sync_parent = true;
    entries.emplace();
  }
  if (!entries) return fail(entries.error());
  auto metadata = setup.topic_id_was_read ? topic_id : read_partition_metadata(services.files, path);
  if (!metadata && (metadata.error().code != Errc::kMalformed || setup.had_clean_shutdown))
    return fail(metadata.error());
  // Torn by a power loss before the first commit made it durable: nothing was acknowledged under it.
  const auto on_disk = metadata.value_or(std::nullopt);
  if (on_disk && topic_id && *on_disk != *topic_id) {
    return fail(Errc::kInconsistentTopicId, fmt::format("{} belongs to topic id {}, not {}", path,
                                                        on_disk->uuid.to_string(), topic_id->uuid.to_string()));
  }
  if (on_disk) topic_id = on_disk;
  metadata_written = on_disk.has_value();
  DOHLE_TRY(load_files(std::move(*entries)));
  DOHLE_TRY(settle_offsets());
  DOHLE_TRY(settle_producers());
  DOHLE_TRY(settle_recovered());
  setup.journal.reset();
  // It may have been here before, and gone.
  if (sync_parent) note_cut({segments.first().base(), 0});
  return {};
}

Result<> Log::State::load_files(std::vector<runtime::DirectoryEntry> entries) {
  if (std::ranges::any_of(entries, is_temporary)) {
    DOHLE_TRY(clean_temporary_files(entries));
    DOHLE_TRY(finish_swaps(entries));
    DOHLE_ASSIGN(entries, services.files.list(path));
  }
  for (const auto& entry : entries) {
    if (const auto offset = offset_in_name(entry.name, kSnapshotSuffix)) snapshots.add_existing(*offset);
  }
  DOHLE_TRY(load_epochs());
  DOHLE_TRY(load_segments(entries));
  return setup.had_clean_shutdown ? Result<>{} : recover_from_recovery_point();
}

Result<> Log::State::clean_temporary_files(const std::vector<runtime::DirectoryEntry>& entries) {
  std::optional<Offset> first_cleaned;
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(kCleanedSuffix)) continue;
    const auto offset = leading_offset(entry.name);
    if (offset && (!first_cleaned || *offset < *first_cleaned)) first_cleaned = offset;
  }
  for (const auto& entry : entries) {
    const auto offset = leading_offset(entry.name);
    if (entry.is_directory || !offset) continue;
    // A swap file above a half-written cleaned one belongs to a split that did not finish.
    const bool half_split = entry.name.ends_with(kSwapSuffix) && first_cleaned && *offset >= *first_cleaned;
    const bool deleted = entry.name.ends_with(kDeletedSuffix) && !entry.name.ends_with(kSnapshotDeleted);
    if (deleted || half_split || entry.name.ends_with(kCleanedSuffix)) {
      DOHLE_TRY(services.files.remove_file(runtime::join_path(path, entry.name)));
    }
  }
  return {};
}

// Compaction output that was complete when the process died takes the place of what it was made from.
Result<> Log::State::finish_swaps(const std::vector<runtime::DirectoryEntry>& entries) {
  std::optional<Offset> low;
  Offset high{0};
  const std::string swap_log = std::string(kLogSuffix).append(kSwapSuffix);
  for (const auto& entry : entries) {
    const auto base = offset_in_name(entry.name, swap_log);
    if (!base || !services.files.exists(runtime::join_path(path, entry.name))) continue;
    low = std::min(low.value_or(*base), *base);
    high = std::max(high, base->next());
    DOHLE_ASSIGN(const auto file, services.files.open(runtime::join_path(path, entry.name), runtime::OpenMode::kRead));
    BatchHeaderScanner scanner(file, 0, entry.size);
    for (;;) {
      DOHLE_ASSIGN(const auto batch, scanner.next());
      if (!batch) break;
      high = std::max(high, batch->last_offset.next());
    }
  }
  for (const auto& entry : entries) {
    const auto offset = leading_offset(entry.name);
    const std::string from = runtime::join_path(path, entry.name);
    if (!offset || !services.files.exists(from)) continue;
    if (entry.name.ends_with(kSwapSuffix)) continue;
    if (low && *offset >= *low && *offset < high && !entry.name.ends_with(".checkpoint")) {
      DOHLE_TRY(services.files.remove_file(from));
    }
  }
  for (const auto& entry : entries) {
    const std::string from = runtime::join_path(path, entry.name);
    if (!entry.name.ends_with(kSwapSuffix) || !services.files.exists(from)) continue;
    DOHLE_TRY(services.files.rename(from, from.substr(0, from.size() - kSwapSuffix.size())));
  }
  return {};
}

Result<> Log::State::load_epochs() {
  const auto text = runtime::read_file(services.files, runtime::join_path(path, kLeaderEpochFile));
  if (!text && text.error().code != Errc::kNotFound) return fail(text.error());
  if (!text) return {};
  const auto entries = parse_epoch_checkpoint(*text);
  const bool torn = text->empty() && !setup.had_clean_shutdown;
  if (entries && !torn) {
    epochs = LeaderEpochCache(*entries);
    epochs_on_disk_ = epochs.entries();
    return {};
  }
  // Every batch carries its epoch: reading the log again restores the checkpoint.
  DOHLE_MARK("storage.epochs_rebuilt");
  log::warn("storage", "{}/{}: {}; rebuilding it from the log", path, kLeaderEpochFile,
            torn ? "the file is empty" : entries.error().message);
  setup.had_clean_shutdown = false;
  setup.recovery_point = Offset(0);
  epochs_dirty = true;
  return {};
}

Result<> Log::State::load_segments(const std::vector<runtime::DirectoryEntry>& entries) {
  std::map<Offset, SegmentSizes> sizes;
  for (const auto& entry : entries) {
    if (const auto base = offset_in_name(entry.name, kLogSuffix)) sizes[*base].log = entry.size;
  }
  for (const auto& entry : entries) {
    for (const auto suffix : {kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
      const auto base = offset_in_name(entry.name, suffix);
      if (!base) continue;
      const auto segment = sizes.find(*base);
      if (segment == sizes.end()) {
        log::warn("storage", "{}: {} has no log file; removing it", path, entry.name);
        DOHLE_TRY(services.files.remove_file(runtime::join_path(path, entry.name)));
      } else if (suffix == kIndexSuffix) {
        segment->second.offset_index = entry.size;
      } else if (suffix == kTimeIndexSuffix) {
        segment->second.time_index = entry.size;
      } else {
        segment->second.transaction_index = true;
      }
    }
  }
  std::vector<Offset> damaged;
  for (const auto& [base, of_files] : sizes) {
    DOHLE_ASSIGN(auto opened, Segment::open(segment_setup(base), of_files));
    Segment& segment = segments.add(std::move(opened));
    auto indexes = segment.load_indexes(of_files, !setup.had_clean_shutdown);
    if (indexes) continue;
    if (!missing_or_damaged(indexes.error())) return indexes;
    damaged.push_back(base);
  }
  const Offset recovered_anyway =
      setup.had_clean_shutdown || segments.empty() ? Offset(kMaxLong) : segments.floor(setup.recovery_point)->first;
  for (const Offset base : damaged) {
    if (base >= recovered_anyway) break;
    DOHLE_MARK("storage.sealed_index_rebuilt");
    log::warn("storage", "{}: rebuilding the indexes of the segment at offset {}", path, base.value());
    std::uint64_t cut = 0;
    Offset next;
    Segment& segment = *segments.floor(base)->second;
    DOHLE_ASSIGN(ProducerState state, rebuild_producers(base, false));
    DOHLE_TRY(recover_segment(segment, state, cut, next));
  }
  return {};
}

// Reads the segment from its start, rebuilds its indexes, cuts it at the first bad batch unless that has rotted.
// `state`: at its start, then at its end.
Result<> Log::State::recover_segment(Segment& segment, ProducerState& state, std::uint64_t& cut, Offset& next) {
  DOHLE_TRY(segment.reset_indexes());
  DOHLE_ASSIGN(const auto file, segment.file());
  BatchFileReader reader(file, 0, segment.size());
  std::uint64_t indexed_at = 0;
  std::uint64_t valid = 0;
  std::int64_t timestamp = -1;
  std::optional<std::uint64_t> restored_at;
  bool index_next = false;  // what lies behind damage is found by the index only
  next = segment.base();
  for (;;) {
    const std::uint64_t at = reader.position();
    const auto batch = reader.next();
    if (!batch && batch.error().code == Errc::kIo) return fail(batch.error());
    if (!is_sound(batch, segment, next)) {
      const Damage damage{.at = at, .next = next, .timestamp = timestamp};
      if (std::exchange(restored_at, at) != at) {
        DOHLE_ASSIGN(const bool restored, restore_from_journal(segment, reader, damage));
        if (restored) continue;
      }
      DOHLE_ASSIGN(const bool passed, pass_damage(segment, reader, damage));
      if (!passed) break;
      index_next = true;
      valid = reader.position();
      continue;
    }
    const auto& view = **batch;
    segment.note_recovered({.position = at, .size = view.size_bytes(), .last_offset = view.last_offset()},
                           view.max_timestamp());
    if (index_next || at - indexed_at > static_cast<std::uint64_t>(config.index_interval_bytes)) {
      DOHLE_TRY(segment.add_index_entry(view.last_offset(), at));
      indexed_at = at;
      index_next = false;
    }
    DOHLE_TRY(note_recovered(view, segment, state));
    if (!DOHLE_MUTANT("storage.tail_cut_one_batch_long") || reader.position() < segment.size())
      valid = reader.position();
    timestamp = view.max_timestamp();
    next = view.next_offset();
    state.set_end(next);
    if (setup.on_recovered_bytes) setup.on_recovered_bytes(view.size_bytes());
  }
  cut = segment.size() - valid;
  if (cut > 0) DOHLE_MARK("storage.tail_cut");
  if (cut > 0 && !DOHLE_MUTANT("storage.tail_not_cut")) {
    log::warn("storage", "{}: cutting {} bytes after offset {}: no whole valid batch is there", segment.path(), cut,
              next.value());
    DOHLE_TRY(segment.cut_to(valid));
  }
  return finish_recovered(segment, state);
}

// A full disk keeps indexes and snapshots in memory; neither holds what the log does not. The last segment goes on: its
// files are written as they fill up, and at a clean stop.
Result<> Log::State::finish_recovered(Segment& segment, const ProducerState& state) {
  if (&segment == &segments.active()) {
    touched = true;
    return {};
  }
  const auto sealed = segment.seal();
  if (!sealed && sealed.error().code != Errc::kNoSpace) return sealed;
  if (!sealed) {
    DOHLE_MARK("storage.indexes_left_behind");
    left_behind.insert(segment.base());
    log::warn("storage", "{}: no space for its indexes; they are written when there is", segment.path());
  }
  if (!setup.synced_together) DOHLE_TRY(segment.collect_files(sync_files, sealed.has_value()));
  // So that the next segment's recovery need not read this one again.
  return write_snapshot(state);
}

Result<> Log::State::write_snapshot(const ProducerState& state) {
  const auto snapshot = snapshots.write(state);
  if (!snapshot && snapshot.error().code != Errc::kNoSpace) return std::unexpected(snapshot.error());
  if (snapshot && *snapshot) sync_later(*snapshot);
  return {};
}

// What a recovered batch says of epochs and producers.
Result<> Log::State::note_recovered(const records::BatchView& view, Segment& segment, ProducerState& state) {
  if (view.is_v2() && view.leader_epoch().value() >= 0 &&
      (!epochs.latest() || view.leader_epoch() > epochs.latest()->epoch)) {
    epochs_dirty = epochs.assign(view.leader_epoch(), view.base_offset()) || epochs_dirty;
  }
  if (!view.has_producer_id()) return {};
  ProducerUpdate update;
  DOHLE_TRY(state.prepare(view, AppendOrigin::kReplication, update));
  state.apply(update);
  for (const auto& txn : update.completed) {
    if (txn.aborted) {
      DOHLE_TRY(segment.transaction_index().append(
          {txn.producer_id, txn.first_offset, txn.last_offset, state.last_stable_offset(txn)}));
    }
    state.complete(txn);
  }
  return {};
}

Result<> Log::State::recover_from_recovery_point() {
  if (DOHLE_MUTANT("storage.recovery_skipped")) return {};
  std::vector<Offset> unflushed;
  for (auto at = segments.floor(setup.recovery_point); at != segments.end(); ++at) unflushed.push_back(at->first);
  // The batches tell their epochs again; a checkpoint older than the last truncation would hide some of them.
  if (!unflushed.empty()) epochs_dirty = epochs.truncate_from_end(unflushed.front()) || epochs_dirty;
  std::size_t good = 0;
  Offset next = unflushed.empty() ? Offset(0) : unflushed.front();
  // Carried on from segment to segment: a snapshot would tell of each producer's last batch alone, and the retry of one
  // before it would be out of order.
  if (!unflushed.empty()) {
    DOHLE_ASSIGN(producers, rebuild_producers(next, false));
  }
  for (bool whole = true; whole && good < unflushed.size(); ++good) {
    Segment& segment = *segments.floor(unflushed[good])->second;
    // A power loss may take the end of one file and leave the next, or bring back what was truncated: what follows a
    // hole, or lies beside other records, was never committed.
    const bool hole = segment.base() > next && next >= durable_before();
    if (segment.base() < next || (hole && setup.cut_at_holes && !config.cleanup_compact)) break;
    // Snapshots above an unverified segment may tell of records that are not there.
    DOHLE_TRY(snapshots.remove_outside(Offset(-1), segment.base()));
    std::uint64_t cut = 0;
    DOHLE_TRY(recover_segment(segment, producers, cut, next));
    // A sync may have failed before the stop: what it should have written is still read, and no later sync writes it.
    if (!DOHLE_MUTANT("storage.not_written_again")) DOHLE_TRY(segment.write_again(setup.recovery_point));
    whole = cut == 0;
  }
  for (std::size_t later = good; later < unflushed.size(); ++later) {
    DOHLE_MARK("storage.segment_after_a_hole");
    log::warn("storage", "{}: deleting the segment at offset {}, which lies after the cut at {}", path,
              unflushed[later].value(), next.value());
    DOHLE_TRY(retire_segment(unflushed[later]));
  }
  return {};
}

Result<> Log::State::settle_offsets() {
  log_start = setup.log_start;
  if (!segments.empty()) {
    DOHLE_ASSIGN(log_end, find_log_end());
    // No clean stop leaves that, nor does a log whose records are durable before they can be deleted.
    const bool impossible = setup.had_clean_shutdown || (config.flush_before_ack() && log_start > durable_before());
    if (log_end < log_start && impossible && !DOHLE_MUTANT("storage.log_start_believed")) {
      DOHLE_MARK("storage.log_start_refused");
      log::error("storage",
                 "{}: the checkpoint says that the log starts at {}, and it ends at {}: the checkpoint is damaged",
                 path, log_start.value(), log_end.value());
      log_start = segments.first().base();
    }
    if (log_end < log_start) {
      log::warn("storage", "{}: the log ends at {}, below its start {}: deleting all segments", path, log_end.value(),
                log_start.value());
      while (!segments.empty()) DOHLE_TRY(retire_segment(segments.active().base()));
      epochs_dirty = epochs.clear() || epochs_dirty;
      DOHLE_TRY(snapshots.remove_outside(Offset(kMaxLong), Offset(kMaxLong)));
    }
  }
  if (segments.empty()) {
    DOHLE_ASSIGN(auto fresh, Segment::create(segment_setup(log_start)));
    segments.add(std::move(fresh));
    sync_directory = true;
    touched = true;
    log_end = log_start;
  }
  log_start = std::max(log_start, segments.first().base());
  size_bytes = segments.size_bytes();
  epochs_dirty = epochs.truncate_from_end(log_end) || epochs_dirty;
  epochs_dirty = epochs.truncate_from_start(log_start) || epochs_dirty;
  flushed_end = setup.had_clean_shutdown ? log_end : std::min(setup.recovery_point, log_end);
  set_high_watermark(setup.high_watermark);
  return {};
}

Result<> Log::State::settle_producers() {
  DOHLE_TRY(snapshots.remove_strays(segments.bases()));
  DOHLE_TRY(snapshots.remove_outside(Offset(-1), log_end));
  const bool recovered = !setup.had_clean_shutdown && producers.end() == log_end;
  if (!recovered) {
    DOHLE_ASSIGN(producers, rebuild_producers(log_end, setup.had_clean_shutdown));
  }
  producers.on_high_watermark(high_watermark);
  if (log_end <= segments.first().base() || !setup.had_clean_shutdown) return {};
  return write_snapshot(producers);
}

Result<ProducerState> Log::State::rebuild_producers(Offset upto, bool clean) {
  ProducerState state(setup.producer_id_expiration_ms);
  if (DOHLE_MUTANT("storage.sequence_not_checked_after_restart")) {
    state.set_end(upto);
    return state;
  }
  DOHLE_ASSIGN(const bool found, snapshots.load_newest(upto, made_ms, state));
  if (!found) {
    // Stopped cleanly by a release that wrote none: nothing is known, as in Kafka; the log is not read for it.
    state.set_end(clean || segments.empty() ? upto : std::max(log_start, segments.first().base()));
  }
  if (found && !DOHLE_MUTANT("storage.dedup_window_lost_in_restart")) DOHLE_TRY(recall_batches(state));
  if (state.end() >= upto) {
    state.set_end(upto);
    return state;
  }
  for (auto at = segments.floor(state.end()); at != segments.end() && at->first < upto; ++at) {
    DOHLE_TRY(replay_into(state, *at->second, state.end(), upto));
  }
  state.set_end(upto);
  return state;
}

// After a recovery everything that was read is made durable once, so that it counts as flushed.
Result<> Log::State::settle_recovered() {
  if (setup.had_clean_shutdown) {
    note_recovery_synced();
    return {};
  }
  if (epochs_on_disk_ == epochs.entries()) {
    // As they were found, which may be in the page cache alone.
    epochs_dirty = false;
    sync_later(runtime::join_path(path, kLeaderEpochFile));
  }
  // Without space the next commit writes them; what the checkpoint says so far is as old as what it is about.
  if (auto written = write_epochs(); !written && written.error().code != Errc::kNoSpace) return written;
  if (setup.synced_together) return {};
  DOHLE_TRY(sync_recovered());
  note_recovery_synced();
  return {};
}

Result<> Log::State::sync_recovered() {
  for (auto at = segments.floor(flushed_end); at != segments.end(); ++at) {
    DOHLE_TRY(at->second->collect_files(sync_files, !left_behind.contains(at->first)));
  }
  for (const auto& file : sync_files) DOHLE_TRY(file->sync());
  for (const auto& small : sync_small_files) {
    DOHLE_ASSIGN(const auto file, services.files.open(small, runtime::OpenMode::kRead));
    DOHLE_TRY(file->sync());
  }
  // The process that made the directory may have been killed before it synced it.
  DOHLE_TRY(services.files.sync_directory(path));
  return services.files.sync_directory(parent_of(path));
}

void Log::State::note_recovery_synced() {
  if (!setup.had_clean_shutdown) {
    sync_files.clear();
    sync_small_files.clear();
    sync_directory = false;
    sync_parent = false;
    flushed_end = log_end;
  }
  synced_end = flushed_end;
  durable_bytes = segments.active().size();
}

}  // namespace dohle::storage

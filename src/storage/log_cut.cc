#include <algorithm>

#include <base/check.h>
#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <fmt/format.h>

#include "log_files.h"
#include "log_state.h"

namespace dohle::storage {

Result<bool> Log::State::delete_records_before(Offset offset) {
  DOHLE_TRY(check_online());
  if (offset > high_watermark && !DOHLE_MUTANT("storage.deleted_past_high_watermark")) {
    return fail(Errc::kOffsetOutOfRange,
                fmt::format("offset {} is above the high watermark {}", offset.value(), high_watermark.value()));
  }
  if (DOHLE_MUTANT("storage.deleted_past_high_watermark")) offset = std::min(offset, log_end);
  if (offset <= log_start) return false;
  log_start = offset;
  epochs_dirty = epochs.truncate_from_start(log_start) || epochs_dirty;
  producers.on_log_start(log_start);
  return true;
}

// Takes the segment and its producer snapshot out of the log: renamed now, removed later.
Result<> Log::State::retire_segment(Offset base) {
  auto segment = segments.take(base);
  DOHLE_CHECK(segment != nullptr);
  size_bytes -= segment->size();
  DOHLE_ASSIGN(auto paths, segment->change_suffix("", kDeletedSuffix));
  DOHLE_ASSIGN(auto snapshot, snapshots.retire(base));
  if (!snapshot.empty()) paths.push_back(std::move(snapshot));
  // Otherwise a power loss would bring the file back beside what takes its place.
  sync_directory = true;
  deletes.add(std::move(paths), services.clock.now().ms() + config.file_delete_delay_ms);
  return {};
}

Result<std::vector<SegmentFacts>> Log::State::describe_segments(Probe probe) {
  std::vector<SegmentFacts> facts;
  facts.reserve(segments.size());
  for (auto& [base, segment] : segments) {
    DOHLE_ASSIGN(const std::int64_t timestamp, segment->retention_timestamp(probe));
    facts.push_back({.base = base, .size = segment->size(), .largest_timestamp = timestamp});
  }
  return facts;
}

Result<int> Log::State::delete_old_segments(std::int64_t now_ms) {
  DOHLE_CHECK(!door.is_held());
  DOHLE_TRY(check_online());
  DOHLE_ASSIGN(const auto facts, describe_segments(nullptr));
  return delete_by_plan(facts, now_ms);
}

runtime::Task<Result<int>> Log::State::delete_old_segments_waiting(std::int64_t now_ms) {
  const auto self = shared_from_this();
  const auto turn = co_await door.lock();
  DOHLE_CO_TRY(check_online());
  if (abandoned) co_return fail(Errc::kClosed, "the log was removed");
  auto facts = co_await look_until_warm([this](Probe probe) { return describe_segments(probe); });
  if (!facts) co_return std::unexpected(facts.error());
  co_return delete_by_plan(*facts, now_ms);
}

Result<int> Log::State::delete_by_plan(const std::vector<SegmentFacts>& facts, std::int64_t now_ms) {
  const RetentionPlan plan = plan_retention(
      facts, {.log_start = log_start, .log_end = log_end, .high_watermark = high_watermark, .now_ms = now_ms}, config);
  if (plan.delete_count == 0) return 0;
  // The whole log goes: something empty must stay behind, at the log end.
  if (plan.delete_count == segments.size()) DOHLE_TRY(guard(roll(log_end)));
  for (std::size_t i = 0; i < plan.delete_count; ++i) {
    DOHLE_MARK("storage.old_segment_deleted");
    log::info("storage", "{}: deleting the segment at offset {}: {}", path, facts[i].base.value(), plan.reason);
    DOHLE_TRY(guard(retire_segment(facts[i].base)));
  }
  if (segments.first().base() > log_start) {
    log_start = segments.first().base();
    epochs_dirty = epochs.truncate_from_start(log_start) || epochs_dirty;
    producers.on_log_start(log_start);
  }
  // Renames reach the disk in order; soon they are there for good.
  commit_in_background();
  return static_cast<int>(plan.delete_count);
}

Result<bool> Log::State::truncate_to(Offset offset) {
  DOHLE_CHECK(!door.is_held());
  DOHLE_TRY(check_online());
  if (offset >= log_end) {
    // An epoch may have been noted at the log end without a record under it.
    epochs_dirty = epochs.truncate_from_end(log_end) || epochs_dirty;
    return false;
  }
  if (offset < high_watermark) {
    log::warn("storage", "{}: truncating to {} below the high watermark {}", path, offset.value(),
              high_watermark.value());
  }
  if (offset < segments.first().base()) {
    DOHLE_TRY(truncate_fully_and_start_at(offset, std::nullopt));
    return true;
  }
  ++journaled_log->cuts;
  touched = true;
  tail.clear();
  while (segments.active().base() > offset) DOHLE_TRY(guard(retire_segment(segments.active().base())));
  auto cut = guard(segments.active().truncate_to(offset, services.clock.wall_ms()));
  if (!cut) return fail(cut.error());
  size_bytes -= *cut;
  DOHLE_TRY(guard(cut_producers(offset)));
  log_end = offset;
  log_start = std::min(log_start, offset);
  forget_durable_from(offset);
  epochs_dirty = epochs.truncate_from_end(offset) || epochs_dirty;
  set_high_watermark(high_watermark);
  commit_in_background();
  return true;
}

Result<> Log::State::truncate_fully_and_start_at(Offset offset, std::optional<Offset> new_start) {
  DOHLE_CHECK(!door.is_held());
  DOHLE_TRY(check_online());
  ++journaled_log->cuts;
  touched = true;
  tail.clear();
  while (!segments.empty()) DOHLE_TRY(guard(retire_segment(segments.active().base())));
  auto fresh = guard(Segment::create(segment_setup(offset)));
  if (!fresh) return fail(fresh.error());
  segments.add(std::move(*fresh));
  sync_directory = true;
  epochs_dirty = epochs.clear() || epochs_dirty;
  producers.clear();
  producers.set_end(offset);
  DOHLE_TRY(guard(snapshots.remove_outside(Offset(kMaxLong), Offset(kMaxLong))));
  log_end = offset;
  log_start = new_start.value_or(offset);
  flushed_end = offset;
  synced_end = offset;
  journaled.clear();
  note_cut({offset, 0});
  size_bytes = 0;
  high_watermark = log_end;
  commit_in_background();
  return {};
}

Result<> Log::State::cut_producers(Offset end) {
  DOHLE_TRY(snapshots.remove_outside(log_start, end));
  if (producers.empty()) {
    producers.set_end(end);
    return {};
  }
  DOHLE_ASSIGN(producers, rebuild_producers(end, false));
  return {};
}

}  // namespace dohle::storage

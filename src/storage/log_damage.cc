// Batches that have rotted, as a start meets them. What was durable is never cut: it stays where it is, the log says
// where, a fetch of it fails, and the log goes on behind it.
#include <algorithm>
#include <limits>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <fmt/format.h>

#include "log_state.h"

namespace dohle::storage {

namespace {
// A sync takes less: what was followed by a batch that is so much younger was durable. Between two batches somebody may
// have set the clock, so that no gap counts for more than the longest that an idle controller leaves.
constexpr std::int64_t kSyncedSinceMs = 10'000;
constexpr std::int64_t kLongestGapMs = 2'000;
}  // namespace

// The recovery point, and what the checkpoint of high watermarks adds to it: a leader counts itself into them with what
// it has flushed.
Offset Log::State::durable_before() const {
  return config.flush_before_ack() ? std::max(setup.recovery_point, setup.high_watermark) : setup.recovery_point;
}

bool Log::State::is_sound(const Result<std::optional<records::BatchView>>& batch, const Segment& segment, Offset next) {
  if (!batch || !*batch || !(*batch)->crc_ok()) return false;
  const auto& view = **batch;
  const bool in_order = (view.is_v2() ? view.base_offset() : view.last_offset()) >= next && view.next_offset() > next;
  return in_order && view.last_offset() - segment.base() <= std::numeric_limits<std::int32_t>::max();
}

// True: the reader stands behind it. False: here the segment ends, or is to be cut.
Result<bool> Log::State::pass_damage(const Segment& segment, BatchFileReader& reader, const Damage& damage) {
  if (damage.at >= segment.size()) return false;
  if (setup.refuse_rot && !DOHLE_MUTANT("storage.metadata_rot_cut")) {
    DOHLE_TRY(refuse_rot(segment, reader, damage));
    return false;
  }
  if (damage.next >= durable_before() || DOHLE_MUTANT("storage.rot_cut_as_torn")) return false;
  DOHLE_MARK("storage.rot_kept");
  DOHLE_ASSIGN(const bool more, reader.skip_damage(damage.at, damage.next));
  log::error("storage", "{}: the batch of offset {} at position {} is damaged: {} bytes cannot be read", segment.path(),
             damage.next.value(), damage.at, reader.position() - damage.at);
  if (!more) rotten_tail_ = RottenTail{segment.base(), std::max(durable_before(), damage.next.next())};
  return true;
}

// What a power loss took of the log's own file, or what has rotted there since. True: it is there again, and the reader
// stands before it.
Result<bool> Log::State::restore_from_journal(Segment& segment, BatchFileReader& reader, const Damage& damage) const {
  if (!setup.journal || !topic_id || DOHLE_MUTANT("storage.journal_not_replayed")) return false;
  const Bytes kept = setup.journal->at(journaled_log->partition, *topic_id, segment.base(), damage.at);
  records::BatchCursor cursor(kept);
  const auto batch = cursor.next();
  if (!is_sound(batch, segment, damage.next)) return false;
  if (const auto latest = epochs.latest(); latest && (*batch)->is_v2() && (*batch)->leader_epoch() < latest->epoch) {
    return false;
  }
  DOHLE_MARK("storage.restored_from_journal");
  log::info("storage", "{}: {} bytes from offset {} on come from the journal", segment.path(), kept.size(),
            damage.next.value());
  DOHLE_TRY(segment.put_back(damage.at, kept));
  DOHLE_ASSIGN(const auto file, segment.file());
  reader = BatchFileReader(file, damage.at, segment.size());
  return true;
}

// The metadata log has no checkpoint of what was committed. Cut in the middle it would forget topics, and their records
// with them.
Result<> Log::State::refuse_rot(const Segment& segment, BatchFileReader& reader, const Damage& damage) const {
  DOHLE_ASSIGN(const bool more, reader.skip_damage(damage.at, damage.next));
  bool durable = setup.directory_was_clean;
  std::int64_t before = damage.timestamp;
  std::int64_t lived_on = 0;
  Offset next = damage.next;
  while (more && !durable) {
    const auto behind = reader.next();
    if (!is_sound(behind, segment, next)) break;
    if (before < 0) before = (*behind)->max_timestamp();
    lived_on += std::clamp<std::int64_t>((*behind)->max_timestamp() - before, 0, kLongestGapMs);
    before = (*behind)->max_timestamp();
    durable = lived_on >= kSyncedSinceMs;
    next = (*behind)->next_offset();
  }
  if (!durable) return {};
  return fail(Errc::kCorrupt, fmt::format("{} is damaged at position {}, offset {}: take the file from a backup or, "
                                          "with other controllers, remove the directory so that it is fetched anew",
                                          segment.path(), damage.at, damage.next.value()));
}

// The end of the last segment is what a scan from its last index entry says, unless something there has rotted. Then a
// new segment begins, so that nothing new lies behind damage.
Result<Offset> Log::State::find_log_end() {
  Segment& last = segments.active();
  Offset end{0};
  if (rotten_tail_ && rotten_tail_->base == last.base()) {
    end = rotten_tail_->end;
  } else {
    auto scanned = last.read_next_offset();
    if (!scanned && scanned.error().code != Errc::kCorrupt) return scanned;
    if (scanned && (!setup.had_clean_shutdown || *scanned == setup.recovery_point)) return scanned;
    DOHLE_ASSIGN(const SoundEnd sound, sound_end(last));
    end = DOHLE_MUTANT("storage.rotten_end_given_again") ? sound.next : end_by_witnesses(sound, last.base());
    if (end == sound.next) return end;
  }
  DOHLE_MARK("storage.rotten_end");
  log::error("storage", "{}: its end is damaged; the log goes on at offset {} in a new segment", last.path(),
             end.value());
  DOHLE_ASSIGN(auto fresh, Segment::create(segment_setup(end)));
  segments.add(std::move(fresh));
  sync_directory = true;
  touched = true;
  return end;
}

// A clean stop left two that say where the log ended: its recovery point, and the name of its newest snapshot. Either
// may have rotted as well, or be older than the log when it was another's clean stop.
Offset Log::State::end_by_witnesses(const SoundEnd& sound, Offset base) const {
  const Offset snapshot = snapshots.offsets().empty() ? Offset(0) : *snapshots.offsets().rbegin();
  if (setup.recovery_point == snapshot && snapshot > base) return snapshot;
  if (!sound.damaged && snapshot <= sound.next) return sound.next;
  if (snapshot > sound.next) return snapshot;
  return std::max(setup.recovery_point, sound.next.next());
}

// Batches of the segment from `position` on that can be used, until `visit(batch)` is false; `damaged(at, next, more)`
// where one cannot: its position, its offset, and whether others follow.
template <typename Visit, typename Damaged>
Result<> Log::State::each_sound_batch(Segment& segment, std::uint64_t position, Visit visit, Damaged damaged) {
  DOHLE_ASSIGN(const auto file, segment.file());
  BatchFileReader reader(file, position, segment.size());
  Offset next = segment.base();
  while (reader.position() < segment.size()) {
    const std::uint64_t here = reader.position();
    const auto batch = reader.next();
    if (!batch && batch.error().code == Errc::kIo) return fail(batch.error());
    if (!is_sound(batch, segment, next)) {
      DOHLE_ASSIGN(const bool more, reader.skip_damage(here, next));
      damaged(here, next, more);
      continue;
    }
    next = (*batch)->next_offset();
    DOHLE_ASSIGN(const bool go_on, visit(**batch));
    if (!go_on) break;
  }
  return {};
}

void Log::State::tell_batch(const Segment& segment, std::uint64_t position, Offset offset) {
  log::error("storage", "{}: the batch of offset {} at position {} is damaged", segment.path(), offset.value(),
             position);
}

// After the last batch that can be used, and whether others follow.
Result<Log::State::SoundEnd> Log::State::sound_end(Segment& segment) {
  SoundEnd out{.next = segment.base()};
  DOHLE_TRY(each_sound_batch(
      segment, 0,
      [&](const records::BatchView& batch) -> Result<bool> {
        out.next = batch.next_offset();
        return true;
      },
      [&](std::uint64_t at, Offset next, bool more) {
        tell_batch(segment, at, next);
        out.damaged = !more;
      }));
  return out;
}

// A snapshot knows one batch of a producer, and a client that lost five answers sends five again: they must be known as
// duplicates after a restart too. The end of the log tells of them.
Result<> Log::State::recall_batches(ProducerState& state) {
  constexpr std::uint64_t kRecallBytes = 1U << 20U;
  if (state.producers().empty() || segments.empty() || state.end() <= segments.first().base()) return {};
  std::map<ProducerId, ProducerEntry> read;
  auto at = segments.floor(state.end().prev());
  std::uint64_t bytes = at->second->size();
  while (bytes < kRecallBytes && at->first > segments.first().base()) {
    at = segments.floor(at->first.prev());
    bytes += at->second->size();
  }
  for (; at != segments.end() && at->first < state.end(); ++at) {
    DOHLE_TRY(recall_from(*at->second, bytes > kRecallBytes ? bytes - kRecallBytes : 0, state.end(), read));
    bytes = 0;
  }
  if (!read.empty()) DOHLE_MARK("storage.window_recalled");
  state.recall(read);
  return {};
}

// A batch that has rotted tells nothing; what lies behind it does.
Result<> Log::State::recall_from(Segment& segment, std::uint64_t position, Offset upto,
                                 std::map<ProducerId, ProducerEntry>& read) {
  DOHLE_ASSIGN(const std::uint64_t from, batch_boundary(segment, position));
  return each_sound_batch(
      segment, from,
      [&](const records::BatchView& batch) -> Result<bool> {
        if (batch.base_offset() >= upto) return false;
        if (batch.has_producer_id() && !batch.is_control()) {
          read[batch.producer_id()].add(batch.producer_epoch(), ProducerBatch::of(batch));
        }
        return true;
      },
      [&](std::uint64_t at, Offset next, bool /*more*/) { tell_batch(segment, at, next); });
}

// Where a batch begins that lies at or a little before `position`.
Result<std::uint64_t> Log::State::batch_boundary(Segment& segment, std::uint64_t position) {
  if (position == 0) return 0;
  DOHLE_ASSIGN(const OffsetPosition last, segment.offset_index().last());
  std::int64_t low = segment.base().value();
  std::int64_t high = std::max(last.offset, segment.base()).value() + 1;
  std::uint64_t found = 0;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto batch = segment.find(Offset(middle));
    if (!batch && batch.error().code != Errc::kCorrupt) return fail(batch.error());
    if (!batch || !*batch || (*batch)->position > position) {
      high = middle;
    } else {
      found = (*batch)->position;
      low = std::max(middle, (*batch)->last_offset.value()) + 1;
    }
  }
  return found;
}

Result<> Log::State::replay_into(ProducerState& state, Segment& segment, Offset from, Offset upto) const {
  const auto first = segment.find(from);
  if (!first && first.error().code != Errc::kCorrupt) return fail(first.error());
  if (first && !*first) return {};
  return each_sound_batch(
      segment, first ? (*first)->position : 0,
      [&](const records::BatchView& batch) -> Result<bool> {
        if (batch.base_offset() >= upto) return false;
        if (batch.last_offset() < from) return true;
        if (batch.has_producer_id()) {
          ProducerUpdate update;
          DOHLE_TRY(state.prepare(batch, AppendOrigin::kReplication, update));
          state.apply(update);
          for (const auto& txn : update.completed) state.complete(txn);
        }
        state.set_end(batch.next_offset());
        return true;
      },
      [](std::uint64_t /*at*/, Offset /*next*/, bool /*more*/) {});
}

}  // namespace dohle::storage

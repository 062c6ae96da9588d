#include "segment.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <base/check.h>
#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <fmt/format.h>
#include <records/reader.h>

#include "log_files.h"

namespace dohle::storage {

namespace {

std::string path_of(const SegmentSetup& setup, std::string_view suffix) {
  return runtime::join_path(setup.directory, file_name(setup.base, suffix));
}

std::int64_t max_segment_ms(const LogConfig& config) {
  if (config.cleanup_compact && config.max_compaction_lag_ms > 0) {
    return std::min(config.max_compaction_lag_ms, config.segment_ms);
  }
  return config.segment_ms;
}

}  // namespace

Segment::Segment(const SegmentSetup& setup)
    : files_(setup.files),
      base_(setup.base),
      log_(setup.files, setup.pool, path_of(setup, kLogSuffix)),
      index_(setup.files, setup.pool, path_of(setup, kIndexSuffix), setup.base),
      time_index_(setup.files, setup.pool, path_of(setup, kTimeIndexSuffix), setup.base),
      txn_index_(setup.files, setup.pool, path_of(setup, kTxnIndexSuffix)),
      created_ms_(setup.created_ms),
      roll_jitter_ms_(setup.roll_jitter_ms) {}

Result<std::unique_ptr<Segment>> Segment::create(const SegmentSetup& setup) {
  auto segment = to_create(setup);
  SegmentFiles files = segment->prepare_create();
  DOHLE_TRY(files.run(setup.files));
  segment->finish_create(files);
  return segment;
}

std::unique_ptr<Segment> Segment::to_create(const SegmentSetup& setup) {
  std::unique_ptr<Segment> segment(new Segment(setup));
  segment->max_timestamp_ = TimeEntry{-1, setup.base};
  return segment;
}

SegmentFiles Segment::prepare_create() const {
  return {.log = {&log_.path(), nullptr},
          .offset_index = {&index_.file().path(), nullptr},
          .time_index = {&time_index_.file().path(), nullptr},
          .transaction_index = &txn_index_.lazy().path()};
}

void Segment::finish_create(const SegmentFiles& files) {
  log_.adopt(files.log.file);
  index_.file().lazy().adopt(files.offset_index.file);
  time_index_.file().lazy().adopt(files.time_index.file);
}

Result<std::unique_ptr<Segment>> Segment::open(const SegmentSetup& setup, const SegmentSizes& sizes) {
  std::unique_ptr<Segment> segment(new Segment(setup));
  segment->size_ = sizes.log;
  if (segment->size_ > std::numeric_limits<std::int32_t>::max()) {
    return fail(Errc::kCorrupt, fmt::format("{} is larger than a segment can be", segment->log_.path()));
  }
  segment->allocated_ = segment->size_;
  return segment;
}

Result<> Segment::load_indexes(const SegmentSizes& sizes, bool verify) {
  if (!sizes.offset_index) return fail(Errc::kNotFound, fmt::format("{} is missing", index_.file().path()));
  DOHLE_TRY(index_.load(*sizes.offset_index, verify));
  if (sizes.time_index) {
    DOHLE_TRY(time_index_.load(*sizes.time_index, verify));
  } else {
    DOHLE_TRY(time_index_.reset());
  }
  return sizes.transaction_index ? txn_index_.load(base_) : Result<>{};
}

Result<SegmentWrite> Segment::prepare_append(Bytes bytes, Probe probe) {
  // Known from here on, so that the end of the append reads nothing.
  DOHLE_TRY(time_index_.last(probe));
  DOHLE_TRY(max_timestamp(probe));
  return SegmentWrite{.log = log_.for_work(),
                      .offset_index = index_.file().prepare_write(false),
                      .time_index = time_index_.file().prepare_write(false),
                      .bytes = bytes,
                      .size = size_,
                      .allocated = allocated_,
                      .tail_unknown = tail_unknown_};
}

void Segment::finish_append(const SegmentWrite& write, const std::vector<BatchPlace>& batches,
                            std::int32_t index_interval_bytes) {
  log_.adopt(write.log.file);
  index_.file().finish_write(write.offset_index);
  time_index_.file().finish_write(write.time_index);
  allocated_ = write.allocated;
  tail_unknown_ = write.tail_unknown;
  if (!write.done) return;
  if (!first_timestamp_ && size_ == 0 && !batches.empty()) first_timestamp_ = batches.front().max_timestamp;
  std::uint64_t position = size_;
  size_ += write.bytes.size();
  for (const auto& batch : batches) {
    if (batch.max_timestamp > max_timestamp_->timestamp || DOHLE_MUTANT("storage.time_index_not_monotonic"))
      max_timestamp_ = TimeEntry{batch.max_timestamp, batch.last_offset};
    if (bytes_since_index_entry_ > static_cast<std::uint64_t>(index_interval_bytes)) {
      const std::uint64_t at = position + (DOHLE_MUTANT("storage.index_entry_too_far") ? batch.size : 0);
      index_.append(batch.last_offset, static_cast<std::uint32_t>(at));
      DOHLE_CHECK(time_index_.maybe_append(max_timestamp_->timestamp, max_timestamp_->offset).has_value());
      bytes_since_index_entry_ = 0;
    }
    position += batch.size;
    bytes_since_index_entry_ += batch.size;
  }
}

Result<> Segment::add_index_entry(Offset offset, std::uint64_t position) {
  index_.append(offset, static_cast<std::uint32_t>(position));
  DOHLE_ASSIGN(const TimeEntry max, max_timestamp());
  DOHLE_TRY(time_index_.maybe_append(max.timestamp, max.offset));
  DOHLE_TRY(index_.file().write_block());
  return time_index_.file().write_block();
}

Result<std::int64_t> Segment::first_batch_timestamp(Probe probe) {
  if (!first_timestamp_ && size_ > 0) {
    DOHLE_ASSIGN(const auto file, log_.get(probe));
    BatchHeaderScanner scanner(file, 0, size_, probe);
    const auto first = scanner.next();
    if (!first && first.error().code != Errc::kCorrupt) return fail(first.error());
    first_timestamp_ = first && *first ? (*first)->max_timestamp : -1;
  }
  return first_timestamp_.value_or(-1);
}

Result<bool> Segment::should_roll(const RollQuestion& question, const LogConfig& config, Probe probe) {
  const std::int64_t relative = question.last_offset - base_;
  if (relative < 0 || relative > std::numeric_limits<std::int32_t>::max()) return true;
  if (size_ == 0) return false;
  if (size_ + question.bytes > static_cast<std::uint64_t>(config.segment_bytes)) return true;
  if (index_.is_full(config.segment_index_bytes) || time_index_.is_full(config.segment_index_bytes)) return true;
  DOHLE_ASSIGN(const std::int64_t first, first_batch_timestamp(probe));
  const std::int64_t waited = first >= 0 ? question.max_timestamp - first : question.now_ms - created_ms_;
  return waited > max_segment_ms(config) - roll_jitter_ms_;
}

Result<std::optional<BatchPlace>> Segment::find(Offset offset, Probe probe) {
  DOHLE_ASSIGN(const OffsetPosition start, start_of_search(offset, probe));
  DOHLE_ASSIGN(const auto file, log_.get(probe));
  BatchHeaderScanner scanner(file, start.position, size_, probe);
  std::optional<BatchPlace> before;
  for (;;) {
    const auto batch = scanner.next();
    if (!batch && batch.error().code != Errc::kCorrupt) return fail(batch.error());
    const bool at_end = batch && !*batch && scanner.position() == size_;
    bool follows = at_end || (batch && *batch && (!before || may_follow(*before, **batch)));
    if (follows && before && before->last_offset < offset && (at_end || offset < (*batch)->base_offset)) {
      DOHLE_ASSIGN(follows, is_sound(file, *before, probe));
    }
    if (at_end && follows) return std::optional<BatchPlace>{};
    if (!follows) {
      // Whole batches were written: what cannot be followed has rotted, and is not the end of the log.
      auto behind = place_behind(file, before, scanner.position(), probe);
      if (at_end && !behind && behind.error().code == Errc::kCorrupt) return std::optional<BatchPlace>{};
      DOHLE_ASSIGN(before, std::move(behind));
      const bool hid_nothing = batch && *batch && before->position == (*batch)->position;
      if (before->base_offset > offset && !hid_nothing) return damaged_at(scanner.position());
      scanner = BatchHeaderScanner(file, before->end(), size_, probe);
    } else {
      before = *batch;
    }
    if (before->base_offset < offset && before->last_offset >= offset) {
      // Unless its header has rotted: a batch that ends behind the beginning of the next may hide it.
      const auto behind = BatchHeaderScanner(file, scanner.position(), size_, probe).next();
      if (!behind && behind.error().code != Errc::kCorrupt) return fail(behind.error());
      if (behind && *behind && may_follow(*before, **behind) && (*behind)->base_offset <= offset) continue;
      return before;
    }
    if (before->last_offset >= offset) return before;
  }
}

// Or is it what a length that rotted points at?
bool Segment::may_follow(const BatchPlace& before, const BatchPlace& batch) const {
  return batch.base_offset > before.base_offset &&
         batch.base_offset - base_ <= std::numeric_limits<std::int32_t>::max();
}

// Offsets are missing behind a batch: they were compacted away, or its length has rotted and swallows whole batches.
Result<bool> Segment::is_sound(const runtime::FileRef& file, const BatchPlace& place, Probe probe) {
  BatchFileReader reader(file, place.position, place.end(), probe);
  DOHLE_ASSIGN(const auto batch, reader.next_sound());
  return batch.has_value();
}

// The next batch that can be used, behind one that cannot be followed: its own length may be what has rotted.
Result<BatchPlace> Segment::place_behind(const runtime::FileRef& file, const std::optional<BatchPlace>& before,
                                         std::uint64_t position, Probe probe) {
  const std::uint64_t from = before ? before->position : position;
  BatchFileReader reader(file, from, size_, probe);
  DOHLE_ASSIGN(const bool more, reader.skip_damage(from, before ? before->base_offset.next() : base_));
  if (!more || DOHLE_MUTANT("storage.nothing_read_behind_damage")) return damaged_at(position);
  BatchHeaderScanner behind(file, reader.position(), size_, probe);
  if (DOHLE_MUTANT("storage.damage_skipped_over_acknowledged")) static_cast<void>(behind.next());
  DOHLE_ASSIGN(const auto place, behind.next());
  if (!place) return damaged_at(position);
  return *place;
}

std::unexpected<Error> Segment::damaged_at(std::uint64_t position) const {
  return fail(Errc::kCorrupt, fmt::format("{}: no whole batch at position {}", path(), position));
}

// Where the index says, if a batch begins there that is not beyond what is looked for; an entry that rotted may point
// anywhere, and the search begins with the segment then.
Result<OffsetPosition> Segment::start_of_search(Offset offset, Probe probe) {
  const OffsetPosition beginning{base_, 0};
  DOHLE_ASSIGN(const OffsetPosition entry, index_.lookup(offset, probe));
  if (entry.position == 0) return beginning;
  DOHLE_ASSIGN(const auto file, log_.get(probe));
  const auto there = BatchHeaderScanner(file, entry.position, size_, probe).next();
  if (!there && there.error().code != Errc::kCorrupt) return fail(there.error());
  if (there && *there && (*there)->base_offset >= base_ && (*there)->base_offset <= offset) return entry;
  if (DOHLE_MUTANT("storage.index_entry_believed")) return entry;
  DOHLE_MARK("storage.index_entry_refused");
  if (std::exchange(index_damage_told_, true)) return beginning;
  log::error("storage", "{}: no batch at {}, where the offset index says that offset {} may be: searching without it",
             path(), entry.position, offset.value());
  return beginning;
}

Result<Offset> Segment::read_next_offset() {
  if (size_ == 0) return base_;
  DOHLE_ASSIGN(const OffsetPosition last, index_.last());
  DOHLE_ASSIGN(const OffsetPosition start, start_of_search(std::max(last.offset, base_)));
  DOHLE_ASSIGN(const auto file, log_.get());
  BatchHeaderScanner scanner(file, start.position, size_);
  Offset next = base_;
  for (;;) {
    const auto batch = scanner.next();
    if (!batch && batch.error().code != Errc::kCorrupt) return fail(batch.error());
    if (!batch || (!*batch && scanner.position() < size_)) {
      return fail(Errc::kCorrupt, fmt::format("no whole batch at position {}", scanner.position()));
    }
    if (!*batch) return next;
    next = (*batch)->last_offset.next();
  }
}

Result<TimeEntry> Segment::max_timestamp(Probe probe) {
  if (!max_timestamp_) {
    DOHLE_ASSIGN(max_timestamp_, time_index_.last(probe));
  }
  return *max_timestamp_;
}

Result<std::int64_t> Segment::retention_timestamp(Probe probe) {
  DOHLE_ASSIGN(const TimeEntry max, max_timestamp(probe));
  if (max.timestamp >= 0) return max.timestamp;
  return files_.modified_ms(log_.path());
}

Result<TimeEntry> Segment::scan_max_timestamp() {
  DOHLE_ASSIGN(TimeEntry max, time_index_.last());
  DOHLE_ASSIGN(const OffsetPosition start, index_.lookup(max.offset));
  DOHLE_ASSIGN(const auto file, log_.get());
  BatchHeaderScanner scanner(file, start.position, size_);
  for (;;) {
    DOHLE_ASSIGN(const auto batch, scanner.next());
    if (!batch) return max;
    if (batch->max_timestamp > max.timestamp) max = {batch->max_timestamp, batch->last_offset};
  }
}

Result<std::optional<TimeEntry>> Segment::find_by_timestamp(std::int64_t timestamp, Offset from, LeaderEpoch* epoch,
                                                            Probe probe) {
  DOHLE_ASSIGN(const TimeEntry lower, time_index_.lookup(timestamp, probe));
  DOHLE_ASSIGN(const OffsetPosition start, start_of_search(std::max(lower.offset, from), probe));
  DOHLE_ASSIGN(const auto file, log_.get(probe));
  BatchHeaderScanner scanner(file, start.position, size_, probe);
  for (;;) {
    DOHLE_ASSIGN(const auto place, scanner.next());
    if (!place) return std::optional<TimeEntry>{};
    if (place->max_timestamp < timestamp || place->last_offset < from) continue;
    BatchFileReader reader(file, place->position, place->end(), probe);
    DOHLE_ASSIGN(const auto batch, reader.next());
    if (!batch) return std::optional<TimeEntry>{};
    records::RecordReader records(*batch);
    for (;;) {
      DOHLE_ASSIGN(const bool more, records.next());
      if (!more) break;
      const auto& record = records.record();
      if (record.timestamp_ms < timestamp || record.offset < from) continue;
      if (epoch != nullptr) *epoch = place->leader_epoch;
      return std::optional(TimeEntry{record.timestamp_ms, record.offset});
    }
  }
}

Result<std::uint64_t> Segment::truncate_to(Offset offset, std::int64_t now_ms) {
  DOHLE_ASSIGN(const auto batch, find(offset));
  DOHLE_TRY(index_.truncate_to(offset));
  DOHLE_TRY(time_index_.truncate_to(offset));
  DOHLE_TRY(txn_index_.truncate_to(offset));
  std::uint64_t cut = 0;
  if (batch) {
    cut = size_ - batch->position;
    DOHLE_TRY(cut_to(batch->position));
  }
  if (size_ == 0) {
    created_ms_ = now_ms;
    first_timestamp_.reset();
  }
  bytes_since_index_entry_ = 0;
  DOHLE_ASSIGN(max_timestamp_, scan_max_timestamp());
  return cut;
}

Result<> Segment::cut_to(std::uint64_t bytes) {
  DOHLE_ASSIGN(const auto file, log_.get());
  DOHLE_TRY(file->truncate(bytes));
  size_ = bytes;
  allocated_ = bytes;
  return {};
}

Result<> Segment::put_back(std::uint64_t position, Bytes bytes) {
  DOHLE_ASSIGN(const auto file, log_.get());
  DOHLE_TRY(file->write_at(position, bytes));
  size_ = std::max(size_, position + bytes.size());
  allocated_ = std::max(allocated_, size_);
  return {};
}

Result<> Segment::write_again(Offset offset) {
  constexpr std::size_t kPiece = 256 * 1024;
  const auto first = find(offset);
  if (!first && first.error().code != Errc::kCorrupt) return fail(first.error());
  if (first && !*first) return {};
  DOHLE_ASSIGN(const auto file, log_.get());
  std::vector<std::uint8_t> piece(kPiece);
  for (std::uint64_t at = first ? (*first)->position : 0; at < size_; at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPiece, size_ - at));
    DOHLE_ASSIGN(const std::size_t read, file->read_at(at, piece));
    if (read < piece.size()) return fail(Errc::kIo, fmt::format("{}: shorter than it was", path()));
    DOHLE_TRY(file->write_at(at, Bytes(piece)));
  }
  return {};
}

Result<> Segment::seal() {
  DOHLE_ASSIGN(SegmentSeal seal, prepare_seal());
  auto sealed = seal.run(files_);
  finish_seal(seal);
  return sealed;
}

Result<SegmentSeal> Segment::prepare_seal(Probe probe) {
  DOHLE_TRY(time_index_.last(probe));
  DOHLE_ASSIGN(const TimeEntry max, max_timestamp(probe));
  DOHLE_TRY(time_index_.maybe_append(max.timestamp, max.offset));
  SegmentSeal seal{.log = log_.for_work(),
                   .offset_index = index_.file().prepare_write(true),
                   .time_index = time_index_.file().prepare_write(true),
                   .size = size_,
                   .cut = allocated_ > size_ || tail_unknown_};
  // Open all the same: they are to be synced.
  if (seal.offset_index.entries.empty()) seal.offset_index.file = index_.file().lazy().for_work();
  if (seal.time_index.entries.empty()) seal.time_index.file = time_index_.file().lazy().for_work();
  return seal;
}

void Segment::finish_seal(const SegmentSeal& seal) {
  log_.adopt(seal.log.file);
  index_.file().finish_write(seal.offset_index);
  time_index_.file().finish_write(seal.time_index);
  if (!seal.done || !seal.cut) return;
  allocated_ = size_;
  tail_unknown_ = false;
}

runtime::FileRef Segment::transaction_file() {
  if (!txn_index_.exists()) return nullptr;
  return txn_index_.lazy().get().value_or(nullptr);
}

Result<> Segment::collect_files(std::vector<runtime::FileRef>& into, bool indexes) {
  DOHLE_ASSIGN(auto log_file, log_.get());
  into.push_back(std::move(log_file));
  if (!indexes) return {};
  DOHLE_ASSIGN(auto index_file, index_.file().file());
  into.push_back(std::move(index_file));
  DOHLE_ASSIGN(auto time_file, time_index_.file().file());
  into.push_back(std::move(time_file));
  if (txn_index_.exists()) {
    DOHLE_ASSIGN(auto txn_file, txn_index_.lazy().get());
    into.push_back(std::move(txn_file));
  }
  return {};
}

Result<std::vector<std::string>> Segment::change_suffix(std::string_view from, std::string_view to) {
  std::vector<std::string> renamed;
  for (LazyFile* file : {&log_, &index_.file().lazy(), &time_index_.file().lazy(), &txn_index_.lazy()}) {
    std::string path = file->path();
    path.resize(path.size() - from.size());
    path.append(to);
    auto done = file->rename(path);
    if (!done && done.error().code == Errc::kNotFound) continue;
    if (!done) return fail(done.error());
    renamed.push_back(std::move(path));
  }
  return renamed;
}

void Segment::move_to(OpenFiles& pool) {
  for (LazyFile* file : {&log_, &index_.file().lazy(), &time_index_.file().lazy(), &txn_index_.lazy()}) {
    file->move_to(pool);
  }
}

Result<> Segment::reset_indexes() {
  max_timestamp_ = TimeEntry{-1, base_};
  DOHLE_TRY(index_.file().reset());
  DOHLE_TRY(time_index_.reset());
  return txn_index_.reset();
}

void Segment::note_recovered(const BatchPlace& batch, std::int64_t max_timestamp) {
  if (!max_timestamp_ || max_timestamp > max_timestamp_->timestamp) {
    max_timestamp_ = TimeEntry{max_timestamp, batch.last_offset};
  }
}

}  // namespace dohle::storage

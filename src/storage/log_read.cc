#include <algorithm>
#include <utility>

#include <base/log.h>
#include <fmt/format.h>
#include <records/reader.h>

#include "log_state.h"

namespace dohle::storage {

namespace {

// Smaller reads are copied: a sendfile of its own costs more than the bytes.
constexpr std::uint64_t kCopyBytes = 32U << 10U;
constexpr std::uint64_t kProbeStep = 128U << 10U;

// Is the range in the page cache, as far as samples tell?
Result<> probe_range(const runtime::FileRef& file, std::uint64_t position, std::uint64_t length, Probe probe) {
  if (probe == nullptr) return {};
  for (std::uint64_t at = 0; at < length;
       at = at + kProbeStep < length || at + 1 == length ? at + kProbeStep : length - 1) {
    std::uint8_t byte = 0;
    const auto got = file->read_at_nowait(position + at, {&byte, 1});
    if (got) continue;
    if (got.error().code == Errc::kWouldBlock) probe->bytes = {file, position, length};
    return fail(got.error());
  }
  return {};
}

}  // namespace

Result<ReadInfo> Log::State::read(Offset from, const ReadLimits& limits, Probe probe) {
  DOHLE_TRY(check_online());
  if (from < log_start || from > log_end) {
    return fail(Errc::kOffsetOutOfRange,
                fmt::format("offset {} is not in [{}, {}]", from.value(), log_start.value(), log_end.value()));
  }
  ReadInfo info{.log_start = log_start, .log_end = log_end};
  const Offset upper = std::min(limits.upper_bound, log_end);
  if (from >= upper) return info;
  if (auto found = tail.may_lend() ? tail.read(from, upper, limits.max_bytes, limits.min_one_batch) : std::nullopt) {
    info.records = std::move(found->fragments);
    info.bytes = found->bytes;
    info.first_batch_cut = info.records.empty() && found->first_size > limits.max_bytes;
    return info;
  }
  for (auto at = segments.floor(from); at != segments.end(); ++at) {
    Segment& segment = *at->second;
    if (segment.empty()) continue;
    DOHLE_ASSIGN(const auto first, segment.find(from, probe));
    if (!first) continue;  // compaction or an emptied tail: the next segment has it
    DOHLE_ASSIGN(const std::uint64_t end, end_position(at, upper, probe));
    if (first->position >= end) return info;
    if (first->size > limits.max_bytes && !limits.min_one_batch) {
      info.first_batch_cut = true;
      return info;
    }
    const std::uint64_t wanted = std::max<std::uint64_t>(limits.max_bytes, first->size);
    info.bytes = std::min(end - first->position, wanted);
    DOHLE_ASSIGN(auto records, fragment(segment, first->position, info.bytes, probe));
    info.records.push_back(std::move(records));
    return info;
  }
  return info;
}

// Consumers ask again and again.
Result<ReadInfo> Log::State::tell_damage(Result<ReadInfo> read) {
  if (!read && read.error().code == Errc::kCorrupt && told_damage_ != read.error().message) {
    told_damage_ = read.error().message;
    log::error("storage", "a read of {} fails: {}", path, told_damage_);
  }
  return read;
}

// Where in `segment` the batches end that lie below `upper`.
Result<std::uint64_t> Log::State::end_position(Segments::Map::iterator segment, Offset upper, Probe probe) {
  Segment& here = *segment->second;
  const auto next = std::next(segment);
  if (upper >= log_end || (next != segments.end() && upper >= next->first)) return here.size();
  if (const auto cached = tail.position_of(upper); cached && cached->segment_base == here.base())
    return cached->position;
  DOHLE_ASSIGN(const auto batch, here.find(upper, probe));
  return batch ? batch->position : here.size();
}

Result<runtime::Fragment> Log::State::fragment(Segment& segment, std::uint64_t position, std::uint64_t length,
                                               Probe probe) {
  DOHLE_ASSIGN(auto file, segment.file(probe));
  if (length <= kCopyBytes && tail.may_lend()) {
    auto [slice, into] = Slice::allocate(length);
    DOHLE_ASSIGN(const std::size_t got, read_some(file, position, into, probe));
    if (got != length) return fail(Errc::kIo, fmt::format("{} is shorter than it was", segment.path()));
    return runtime::Fragment(std::move(slice));
  }
  DOHLE_TRY(probe_range(file, position, length, probe));
  return runtime::Fragment(runtime::FileRange{std::move(file), position, length});
}

Result<std::optional<TimestampOffset>> Log::State::offset_for_timestamp(std::int64_t timestamp, Probe probe) {
  DOHLE_TRY(check_online());
  switch (timestamp) {
    case kLatestTimestamp:
      return TimestampOffset{-1, log_end, epochs.latest() ? epochs.latest()->epoch : kNoLeaderEpoch};
    case kEarliestTimestamp:
    case kEarliestLocalTimestamp: {
      const auto earliest = epochs.earliest();
      const bool known = earliest && earliest->start <= log_start;
      return TimestampOffset{-1, log_start, known ? earliest->epoch : kNoLeaderEpoch};
    }
    case kLatestTieredTimestamp:
    case kEarliestPendingUploadTimestamp:
      return TimestampOffset{};  // no remote storage
    case kMaxTimestamp:
      return offset_of_max_timestamp(probe);
    default:
      break;
  }
  for (auto& [base, segment] : segments) {
    DOHLE_ASSIGN(const std::int64_t largest, segment->retention_timestamp(probe));
    if (largest < timestamp) continue;
    LeaderEpoch epoch = kNoLeaderEpoch;
    DOHLE_ASSIGN(const auto found, segment->find_by_timestamp(timestamp, log_start, &epoch, probe));
    if (!found) return std::optional<TimestampOffset>{};
    return TimestampOffset{found->timestamp, found->offset, epoch};
  }
  return std::optional<TimestampOffset>{};
}

Result<std::optional<TimestampOffset>> Log::State::offset_of_max_timestamp(Probe probe) {
  Segment* best = nullptr;
  TimeEntry largest;
  for (auto& [base, segment] : segments) {
    DOHLE_ASSIGN(const TimeEntry max, segment->max_timestamp(probe));
    if (best != nullptr && max.timestamp <= largest.timestamp) continue;
    best = segment.get();
    largest = max;
  }
  if (best == nullptr || best->empty()) return std::optional<TimestampOffset>{};
  DOHLE_ASSIGN(const OffsetPosition start, best->offset_index().lookup(largest.offset, probe));
  DOHLE_ASSIGN(const auto file, best->file(probe));
  BatchHeaderScanner scanner(file, start.position, best->size(), probe);
  for (;;) {
    DOHLE_ASSIGN(const auto place, scanner.next());
    if (!place) return std::optional<TimestampOffset>{};
    if (place->max_timestamp != largest.timestamp) continue;
    BatchFileReader reader(file, place->position, place->end(), probe);
    DOHLE_ASSIGN(const auto batch, reader.next());
    if (!batch) return std::optional<TimestampOffset>{};
    records::RecordReader records(*batch, &services.decompressor);
    for (;;) {
      DOHLE_ASSIGN(const bool more, records.next());
      if (!more) return std::optional<TimestampOffset>{};
      if (records.record().timestamp_ms != largest.timestamp) continue;
      return TimestampOffset{largest.timestamp, records.record().offset, place->leader_epoch};
    }
  }
}

runtime::Task<Result<>> Log::State::warm(ColdSpot& cold) {
  if (cold.bytes.file) co_return co_await services.commit_log.warm(std::exchange(cold.bytes, {}));
  auto opened = co_await services.commit_log.open(cold.path);
  // Gone meanwhile, perhaps: the next look goes elsewhere.
  if (!opened && opened.error().code == Errc::kNotFound) co_return Result<>{};
  DOHLE_CO_ASSIGN(cold.opened, std::move(opened));
  co_return Result<>{};
}

}  // namespace dohle::storage

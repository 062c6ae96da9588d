#include "time_index.h"

#include <array>
#include <limits>

#include <base/check.h>
#include <base/mutant.h>
#include <fmt/format.h>

namespace dohle::storage {

TimeIndex::TimeIndex(runtime::FileSystem& fs, OpenFiles& pool, std::string path, Offset base)
    : file_(fs, pool, std::move(path), kEntryBytes), base_(base) {}

Result<> TimeIndex::load(std::uint64_t file_bytes, bool verify) {
  last_.reset();
  DOHLE_TRY(file_.load(file_bytes));
  if (file_.entries() == 0 || !verify) return {};
  DOHLE_ASSIGN(const auto first, entry(0));
  DOHLE_ASSIGN(const auto tail, last());
  if (tail.timestamp < first.timestamp || tail.offset < base_) {
    return fail(Errc::kCorrupt, fmt::format("{}: the last entry is below the first", file_.path()));
  }
  return {};
}

Result<> TimeIndex::reset() {
  last_.reset();
  return file_.reset();
}

Result<> TimeIndex::maybe_append(std::int64_t timestamp, Offset offset) {
  DOHLE_ASSIGN(const auto tail, last());
  if (timestamp <= tail.timestamp && !DOHLE_MUTANT("storage.time_index_not_monotonic")) return {};
  const std::int64_t relative = offset - base_;
  DOHLE_CHECK(relative >= 0 && relative <= std::numeric_limits<std::int32_t>::max());
  std::array<std::uint8_t, kEntryBytes> raw{};
  store_be(raw.data(), timestamp);
  store_be(raw.data() + 8, static_cast<std::int32_t>(relative));
  file_.append(raw);
  last_ = TimeEntry{timestamp, offset};
  return {};
}

Result<TimeEntry> TimeIndex::entry(std::size_t n, Probe probe) const {
  std::array<std::uint8_t, kEntryBytes> raw{};
  DOHLE_TRY(file_.read(n, raw, probe));
  return TimeEntry{load_be<std::int64_t>(raw.data()), base_ + load_be<std::int32_t>(raw.data() + 8)};
}

Result<TimeEntry> TimeIndex::last(Probe probe) const {
  if (file_.entries() == 0) return TimeEntry{-1, base_};
  if (!last_) {
    DOHLE_ASSIGN(last_, entry(file_.entries() - 1, probe));
  }
  return *last_;
}

Result<TimeEntry> TimeIndex::lookup(std::int64_t timestamp, Probe probe) const {
  std::size_t low = 0;
  std::size_t high = file_.entries();
  TimeEntry best{-1, base_};
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    DOHLE_ASSIGN(const auto at, entry(middle, probe));
    if (at.timestamp <= timestamp) {
      best = at;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return best;
}

Result<> TimeIndex::truncate_to(Offset offset) {
  std::size_t low = 0;
  std::size_t high = file_.entries();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    DOHLE_ASSIGN(const auto at, entry(middle));
    if (at.offset < offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  last_.reset();
  return file_.truncate(low);
}

bool TimeIndex::is_full(std::int32_t max_index_bytes) const {
  return file_.entries() + 1 >= static_cast<std::size_t>(max_index_bytes) / kEntryBytes;
}

}  // namespace dohle::storage

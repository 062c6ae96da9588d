#include "offset_index.h"

#include <array>
#include <limits>

#include <base/check.h>
#include <fmt/format.h>

namespace dohle::storage {

OffsetIndex::OffsetIndex(runtime::FileSystem& fs, OpenFiles& pool, std::string path, Offset base)
    : file_(fs, pool, std::move(path), kEntryBytes), base_(base) {}

Result<> OffsetIndex::load(std::uint64_t file_bytes, bool verify) {
  DOHLE_TRY(file_.load(file_bytes));
  if (file_.entries() == 0 || !verify) return {};
  DOHLE_ASSIGN(const auto tail, last());
  if (tail.offset < base_) return fail(Errc::kCorrupt, fmt::format("{}: last offset is below the base", file_.path()));
  // A zero tail, as an unclean stop of Kafka leaves it: never a valid second entry.
  if (file_.entries() > 1 && tail.offset == base_ && tail.position == 0) {
    return fail(Errc::kCorrupt, fmt::format("{}: ends in zeroes", file_.path()));
  }
  return {};
}

void OffsetIndex::append(Offset offset, std::uint32_t position) {
  const std::int64_t relative = offset - base_;
  DOHLE_CHECK(relative >= 0 && relative <= std::numeric_limits<std::int32_t>::max());
  std::array<std::uint8_t, kEntryBytes> raw{};
  store_be(raw.data(), static_cast<std::int32_t>(relative));
  store_be(raw.data() + 4, position);
  file_.append(raw);
}

Result<OffsetPosition> OffsetIndex::entry(std::size_t n, Probe probe) const {
  std::array<std::uint8_t, kEntryBytes> raw{};
  DOHLE_TRY(file_.read(n, raw, probe));
  return OffsetPosition{base_ + load_be<std::int32_t>(raw.data()), load_be<std::uint32_t>(raw.data() + 4)};
}

Result<OffsetPosition> OffsetIndex::last(Probe probe) const {
  if (file_.entries() == 0) return OffsetPosition{base_, 0};
  return entry(file_.entries() - 1, probe);
}

Result<std::size_t> OffsetIndex::count_up_to(Offset target, Probe probe) const {
  std::size_t low = 0;
  std::size_t high = file_.entries();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    DOHLE_ASSIGN(const auto at, entry(middle, probe));
    if (at.offset <= target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<OffsetPosition> OffsetIndex::lookup(Offset target, Probe probe) const {
  DOHLE_ASSIGN(const std::size_t count, count_up_to(target, probe));
  if (count == 0) return OffsetPosition{base_, 0};
  return entry(count - 1, probe);
}

Result<> OffsetIndex::truncate_to(Offset offset) {
  DOHLE_ASSIGN(const std::size_t count, count_up_to(offset.prev(), nullptr));
  return file_.truncate(count);
}

bool OffsetIndex::is_full(std::int32_t max_index_bytes) const {
  return file_.entries() >= static_cast<std::size_t>(max_index_bytes) / kEntryBytes;
}

}  // namespace dohle::storage

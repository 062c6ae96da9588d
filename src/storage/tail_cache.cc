#include "tail_cache.h"

#include <algorithm>

namespace dohle::storage {

namespace {
constexpr std::size_t kPinFactor = 4;
}

void TailCachePool::set_limit(std::uint64_t bytes) {
  limit_bytes_ = bytes;
  shrink();
}

void TailCachePool::shrink() {
  while (used_bytes_ > limit_bytes_ && !ages_.empty()) ages_.front()->drop_oldest();
}

void TailCache::append(const Slice& bytes, const std::vector<BatchPlace>& batches, Offset segment_base) {
  if (batches.empty()) return;
  // One gap and what lies before it is of no use: reads go forward from a batch.
  if (!entries_.empty() && entries_.back().last.next() != batches.front().base_offset) clear();
  const bool copy = bytes.size() * kPinFactor < bytes.pinned_bytes();
  const Slice kept = copy ? Slice::copy_of(bytes.bytes()) : bytes;
  std::size_t at = 0;
  for (const auto& batch : batches) {
    const auto age = pool_.ages_.insert(pool_.ages_.end(), this);
    entries_.push_back({.base = batch.base_offset,
                        .last = batch.last_offset,
                        .segment_base = segment_base,
                        .position = batch.position,
                        .bytes = kept.sub(at, batch.size),
                        .age = age});
    at += batch.size;
    pool_.used_bytes_ += batch.size;
  }
  pool_.shrink();
}

std::size_t TailCache::first_ending_at_or_after(Offset offset) const {
  const auto at = std::ranges::partition_point(entries_, [&](const Entry& entry) { return entry.last < offset; });
  return static_cast<std::size_t>(at - entries_.begin());
}

std::optional<TailCache::Found> TailCache::read(Offset from, Offset upper, std::uint64_t max_bytes,
                                                bool min_one) const {
  if (entries_.empty() || from < entries_.front().base || from > entries_.back().last) return std::nullopt;
  Found found;
  for (std::size_t i = first_ending_at_or_after(from); i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.last >= upper) break;
    if (found.first_size == 0) found.first_size = entry.bytes.size();
    const bool fits = found.bytes + entry.bytes.size() <= max_bytes;
    if (!fits && !(min_one && found.fragments.empty())) break;
    found.fragments.emplace_back(entry.bytes);
    found.bytes += entry.bytes.size();
  }
  return found;
}

std::optional<TailCache::Position> TailCache::position_of(Offset offset) const {
  const std::size_t at = first_ending_at_or_after(offset);
  if (at == entries_.size() || entries_[at].base != offset) return std::nullopt;
  return Position{entries_[at].segment_base, entries_[at].position};
}

void TailCache::drop_oldest() {
  pool_.used_bytes_ -= entries_.front().bytes.size();
  pool_.ages_.erase(entries_.front().age);
  entries_.pop_front();
}

void TailCache::clear() {
  while (!entries_.empty()) drop_oldest();
}

}  // namespace dohle::storage

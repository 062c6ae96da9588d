#include "tail_cache.h"

#include <algorithm>
#include <utility>

namespace dohle::storage {

namespace {
constexpr std::size_t kPinFactor = 4;
}

void TailCachePool::set_limit(std::uint64_t bytes) {
  limit_bytes_ = bytes;
  shrink();
}

void TailCachePool::add_youngest(CachedBatch& batch) {
  batch.older = std::exchange(youngest_, &batch);
  (batch.older != nullptr ? batch.older->younger : oldest_) = &batch;
  used_bytes_ += batch.charge;
}

void TailCachePool::take_out(CachedBatch& batch) {
  (batch.older != nullptr ? batch.older->younger : oldest_) = batch.younger;
  (batch.younger != nullptr ? batch.younger->older : youngest_) = batch.older;
  used_bytes_ -= batch.charge;
}

// A cache's batches are in it as old as they are here.
void TailCachePool::shrink() {
  while (used_bytes_ > limit_bytes_ && oldest_ != nullptr) oldest_->cache->drop_oldest();
}

void TailCache::append(const Slice& bytes, const std::vector<BatchPlace>& batches, Offset segment_base) {
  if (batches.empty()) return;
  // What nobody may be lent is not worth keeping.
  if (!may_lend()) return clear();
  // One gap and what lies before it is of no use: reads go forward from a batch.
  if (entries_ && entries_->back().last.next() != batches.front().base_offset) clear();
  if (!entries_) entries_ = std::make_unique<std::deque<CachedBatch>>();
  const bool copy = bytes.size() * kPinFactor < bytes.pinned_bytes();
  const Slice kept = copy ? Slice::copy_of(bytes.bytes()) : bytes;
  // The oldest batch goes first, so what the buffer has beside them is charged to the last.
  const std::uint64_t beside = kept.pinned_bytes() - std::min(kept.pinned_bytes(), kept.size());
  std::size_t at = 0;
  for (const auto& batch : batches) {
    const std::uint64_t charge = kBookkeepingBytes + batch.size + (&batch == &batches.back() ? beside : 0);
    entries_->push_back({.base = batch.base_offset,
                         .last = batch.last_offset,
                         .segment_base = segment_base,
                         .position = batch.position,
                         .bytes = kept.sub(at, batch.size),
                         .charge = charge,
                         .cache = this});
    pool_.add_youngest(entries_->back());
    at += batch.size;
  }
  pool_.shrink();
}

std::size_t TailCache::first_ending_at_or_after(Offset offset) const {
  const auto at = std::ranges::partition_point(*entries_, [&](const CachedBatch& entry) { return entry.last < offset; });
  return static_cast<std::size_t>(at - entries_->begin());
}

std::optional<TailCache::Found> TailCache::read(Offset from, Offset upper, std::uint64_t max_bytes,
                                                bool min_one) const {
  if (!entries_) return std::nullopt;
  const auto& entries = *entries_;
  if (from < entries.front().base || from > entries.back().last) return std::nullopt;
  Found found;
  for (std::size_t i = first_ending_at_or_after(from); i < entries.size(); ++i) {
    const CachedBatch& entry = entries[i];
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
  if (!entries_) return std::nullopt;
  const std::size_t at = first_ending_at_or_after(offset);
  if (at == batches() || (*entries_)[at].base != offset) return std::nullopt;
  return Position{(*entries_)[at].segment_base, (*entries_)[at].position};
}

void TailCache::drop_oldest() {
  pool_.take_out(entries_->front());
  entries_->pop_front();
  if (entries_->empty()) entries_.reset();
}

void TailCache::clear() {
  while (entries_) drop_oldest();
}

}  // namespace dohle::storage

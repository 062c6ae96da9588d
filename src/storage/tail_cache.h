// TailCache: the newest batches of a log, in memory for its readers. All logs of a shard share one budget; the oldest
// batch of the shard goes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <runtime/buffer_gauge.h>
#include <runtime/fragment.h>

#include <storage/batch_scan.h>

namespace dohle::storage {

class TailCache;

// A batch in a cache, among all of the shard by age.
struct CachedBatch {
  Offset base;
  Offset last;
  Offset segment_base;
  std::uint64_t position;
  Slice bytes;
  std::uint64_t charge;
  TailCache* cache;
  CachedBatch* older = nullptr;
  CachedBatch* younger = nullptr;
};

class TailCachePool {
 public:
  explicit TailCachePool(std::uint64_t limit_bytes, std::optional<runtime::BufferGauge> buffers = {})
      : limit_bytes_(limit_bytes), buffers_(buffers) {}
  TailCachePool(const TailCachePool&) = delete;
  TailCachePool& operator=(const TailCachePool&) = delete;
  [[nodiscard]] std::uint64_t used_bytes() const { return used_bytes_; }
  void set_limit(std::uint64_t bytes);
  // What is lent to readers lives until the slowest of them has taken it, however long the cache has dropped it. False
  // when the node's buffers are nearly full.
  [[nodiscard]] bool may_lend() const { return !buffers_ || !buffers_->is_nearly_full(); }

 private:
  friend class TailCache;
  void add_youngest(CachedBatch& batch);
  void take_out(CachedBatch& batch);
  void shrink();
  std::uint64_t limit_bytes_;
  std::optional<runtime::BufferGauge> buffers_;
  std::uint64_t used_bytes_ = 0;
  CachedBatch* oldest_ = nullptr;
  CachedBatch* youngest_ = nullptr;
};

class TailCache {
 public:
  // What a batch costs beside its bytes: its entry, its age, the head of a buffer.
  static constexpr std::uint64_t kBookkeepingBytes = 256;

  explicit TailCache(TailCachePool& pool) : pool_(pool) {}
  TailCache(const TailCache&) = delete;
  TailCache& operator=(const TailCache&) = delete;
  ~TailCache() { clear(); }

  // `batches` describe `bytes`, with positions in their segment. A slice that pins more than four times its size is
  // copied: 100 bytes never keep a request alive. One that is kept is charged with all that it pins, until its last
  // batch goes; partitions that share a buffer are charged with it each. So the pool never pins more than used_bytes().
  void append(const Slice& bytes, const std::vector<BatchPlace>& batches, Offset segment_base);
  // Batches from the one that holds `from` on, ending at or below `upper`, within max_bytes; the first one whole in any
  // case when `min_one`. Nothing when `from` is not here. `first_size`: of the batch that holds `from`.
  struct Found {
    runtime::Fragments fragments;
    std::uint64_t bytes = 0;
    std::uint64_t first_size = 0;
  };
  [[nodiscard]] std::optional<Found> read(Offset from, Offset upper, std::uint64_t max_bytes, bool min_one) const;
  // Where the batch that begins at exactly `offset` lies.
  struct Position {
    Offset segment_base;
    std::uint64_t position;
  };
  [[nodiscard]] std::optional<Position> position_of(Offset offset) const;
  [[nodiscard]] bool may_lend() const { return pool_.may_lend(); }
  void clear();
  [[nodiscard]] std::size_t batches() const { return entries_ ? entries_->size() : 0; }

 private:
  friend class TailCachePool;
  void drop_oldest();
  // Index into *entries_.
  [[nodiscard]] std::size_t first_ending_at_or_after(Offset offset) const;

  TailCachePool& pool_;
  // Contiguous offsets, at addresses that stay. Null when there are none: an empty deque costs half a KiB, and most logs
  // are idle.
  std::unique_ptr<std::deque<CachedBatch>> entries_;
};

}  // namespace dohle::storage

// Buffers belong to the shard that allocated them; slices of a buffer keep it alive.
//
// On its home shard a slice is counted without atomics and may be copied freely. To hand bytes to another shard, make a
// ForeignSlice with `Slice::share()` on the home shard, move it over, and adopt it there with `Slice::adopt()`: the
// adopting shard then has a buffer of its own that borrows the bytes, counted locally; when its last slice dies, the
// borrowed reference is posted home in a batch. Nothing is copied and no count is atomic.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <base/bytes.h>

namespace dohle {

class BufferBlock;

// A shard's side of buffer ownership. One per shard; `current()` is set by the shard while it runs.
class BufferHome {
 public:
  virtual ~BufferHome() = default;
  // Called on a foreign shard: arrange for release_now(block) to run on this home's shard.
  virtual void release_from_foreign(BufferBlock* block) = 0;

  [[nodiscard]] static BufferHome* current();
  static void set_current(BufferHome* home);
  // Drops one reference. On the home shard only.
  static void release_now(BufferBlock* block);

  // Bytes held by live blocks of this home; borrowed bytes are not counted. Any thread may ask.
  [[nodiscard]] std::size_t allocated_bytes() const { return allocated_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t live_blocks() const { return live_blocks_; }
  // Bytes that were copied on this shard from one buffer to another, where records pass: what the data path promises not
  // to do, so that tests can look.
  [[nodiscard]] std::uint64_t copied_bytes() const { return copied_bytes_; }
  static void count_copy(std::size_t bytes) { current()->copied_bytes_ += bytes; }

 private:
  friend class BufferBlock;
  // Written by the home's shard alone, so that no locked instruction is needed.
  void count(std::size_t bytes) { allocated_bytes_.store(allocated_bytes() + bytes, std::memory_order_relaxed); }
  void uncount(std::size_t bytes) { allocated_bytes_.store(allocated_bytes() - bytes, std::memory_order_relaxed); }

  std::atomic<std::size_t> allocated_bytes_{0};
  std::size_t live_blocks_ = 0;
  std::uint64_t copied_bytes_ = 0;
};

class Slice;

// A reference in transit between shards. Move-only; dropping it anywhere releases it correctly.
class ForeignSlice {
 public:
  ForeignSlice() = default;
  ForeignSlice(ForeignSlice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), data_(std::exchange(other.data_, {})) {}
  ForeignSlice& operator=(ForeignSlice&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    return *this;
  }
  ForeignSlice(const ForeignSlice&) = delete;
  ForeignSlice& operator=(const ForeignSlice&) = delete;
  ~ForeignSlice();
  [[nodiscard]] Bytes bytes() const { return data_; }

 private:
  friend class Slice;
  friend class BufferBlock;
  ForeignSlice(BufferBlock* block, Bytes data) : block_(block), data_(data) {}
  BufferBlock* block_ = nullptr;
  Bytes data_;
};

// A counted view of a buffer, for use on one shard.
class Slice {
 public:
  Slice() = default;
  Slice(const Slice& other);
  Slice(Slice&& other) noexcept : block_(std::exchange(other.block_, nullptr)), data_(std::exchange(other.data_, {})) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Slice();

  // A new buffer of `size` bytes, not initialised. The writable view is valid until the first copy is handed out.
  [[nodiscard]] static std::pair<Slice, MutableBytes> allocate(std::size_t size);
  [[nodiscard]] static Slice copy_of(Bytes bytes);
  // Wraps static or otherwise immortal bytes; pins nothing.
  [[nodiscard]] static Slice unowned(Bytes bytes) { return Slice(nullptr, bytes); }

  [[nodiscard]] Bytes bytes() const { return data_; }
  [[nodiscard]] std::size_t size() const { return data_.size(); }
  [[nodiscard]] bool empty() const { return data_.empty(); }
  // A view of part of this slice's bytes; `part` must lie within bytes().
  [[nodiscard]] Slice sub(Bytes part) const;
  [[nodiscard]] Slice sub(std::size_t offset, std::size_t size) const { return sub(data_.subspan(offset, size)); }
  // Bytes that this slice keeps alive, its own included.
  [[nodiscard]] std::size_t pinned_bytes() const;
  // The bytes, writable. Only before anyone else can read them (e.g. to patch a base offset before the append).
  [[nodiscard]] MutableBytes mutable_bytes() const { return {const_cast<std::uint8_t*>(data_.data()), data_.size()}; }

  [[nodiscard]] ForeignSlice share() const;
  [[nodiscard]] static Slice adopt(ForeignSlice foreign);

 private:
  Slice(BufferBlock* block, Bytes data) : block_(block), data_(data) {}
  BufferBlock* block_ = nullptr;
  Bytes data_;
};

}  // namespace dohle

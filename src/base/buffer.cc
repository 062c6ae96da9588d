#include <base/buffer.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include <base/check.h>
#include <base/mark.h>
#include <base/mutant.h>

namespace dohle {
namespace {

thread_local BufferHome* current_home = nullptr;

// Where no shard runs (tools, tests), buffers belong to a home of the thread.
class ThreadHome final : public BufferHome {
 public:
  void release_from_foreign(BufferBlock*) override { DOHLE_CHECK(!"a buffer of a plain thread was shared"); }
};

BufferHome* home_of_this_thread() {
  if (current_home != nullptr) return current_home;
  thread_local ThreadHome home;
  return &home;
}

}  // namespace

// Header of an allocation; the bytes follow it, unless they are borrowed from another shard.
class BufferBlock {
 public:
  static BufferBlock* create(std::size_t size) {
    void* memory = std::malloc(sizeof(BufferBlock) + size);
    DOHLE_CHECK(memory != nullptr);
    auto* block = new (memory) BufferBlock(home_of_this_thread(), size);
    block->home_->count(size);
    ++block->home_->live_blocks_;
    return block;
  }
  static BufferBlock* borrow(ForeignSlice foreign) {
    auto* block = create(0);
    block->pinned_ = foreign.block_ != nullptr ? foreign.block_->pinned_ : 0;
    block->borrowed_ = std::move(foreign);
    return block;
  }
  static void destroy(BufferBlock* block) {
    block->home_->uncount(block->size_);
    --block->home_->live_blocks_;
    block->~BufferBlock();
    std::free(block);
  }

  std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  std::size_t pinned() const { return pinned_; }
  bool is_home() const { return home_ == home_of_this_thread(); }
  BufferHome* home() const { return home_; }
  void retain() {
    DOHLE_CHECK(is_home());
    ++count_;
  }
  // Counts are not atomic: whoever drops one elsewhere breaks them now and then, and nobody sees it happen.
  bool drop() {
    if (!is_home()) [[unlikely]]
      DOHLE_BREACH("base.buffer_dropped_elsewhere");
    return --count_ == 0;
  }

 private:
  BufferBlock(BufferHome* home, std::size_t size) : home_(home), size_(size), pinned_(size) {}

  BufferHome* home_;
  std::size_t size_;
  std::size_t pinned_;
  std::uint32_t count_ = 1;
  ForeignSlice borrowed_;
};

BufferHome* BufferHome::current() { return home_of_this_thread(); }
void BufferHome::set_current(BufferHome* home) { current_home = home; }

void BufferHome::release_now(BufferBlock* block) {
  DOHLE_CHECK(block->is_home());
  if (block->drop()) BufferBlock::destroy(block);
}

ForeignSlice::~ForeignSlice() {
  if (block_ == nullptr) return;
  if (block_->is_home()) {
    BufferHome::release_now(block_);
  } else if (DOHLE_MUTANT("base.buffer_freed_elsewhere")) {
    if (block_->drop()) BufferBlock::destroy(block_);
  } else {
    block_->home()->release_from_foreign(block_);
  }
}

Slice::Slice(const Slice& other) : block_(other.block_), data_(other.data_) {
  if (block_ != nullptr) block_->retain();
}

Slice::~Slice() {
  if (block_ != nullptr) BufferHome::release_now(block_);
}

std::pair<Slice, MutableBytes> Slice::allocate(std::size_t size) {
  auto* block = BufferBlock::create(size);
  MutableBytes writable{block->data(), size};
  return {Slice(block, writable), writable};
}

Slice Slice::copy_of(Bytes bytes) {
  auto [slice, writable] = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(writable.data(), bytes.data(), bytes.size());
  BufferHome::count_copy(bytes.size());
  return slice;
}

Slice Slice::sub(Bytes part) const {
  DOHLE_CHECK(part.empty() ||
              (part.data() >= data_.data() && part.data() + part.size() <= data_.data() + data_.size()));
  if (block_ != nullptr) block_->retain();
  return Slice(block_, part);
}

std::size_t Slice::pinned_bytes() const { return block_ != nullptr ? block_->pinned() : 0; }

ForeignSlice Slice::share() const {
  if (block_ != nullptr) block_->retain();
  return ForeignSlice(block_, data_);
}

Slice Slice::adopt(ForeignSlice foreign) {
  const Bytes data = foreign.bytes();
  if (foreign.block_ == nullptr) return unowned(data);
  if (foreign.block_->is_home()) return Slice(std::exchange(foreign.block_, nullptr), data);
  return Slice(BufferBlock::borrow(std::move(foreign)), data);
}

}  // namespace dohle

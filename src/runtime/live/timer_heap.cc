#include "timer_heap.h"

#include <utility>

namespace dohle::runtime {

void TimerHeap::place(std::size_t position, Entry entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void TimerHeap::sift_up(std::size_t position, Entry entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sift_down(std::size_t position, Entry entry) {
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

TimerId TimerHeap::add(MonotonicTime deadline, Work work) {
  std::uint32_t slot = free_;
  if (slot == kNoSlot) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    free_ = slots_[slot].position;
  }
  slots_[slot].work = std::move(work);
  const Entry entry{deadline, sequence_++, slot};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
  return (static_cast<std::uint64_t>(slots_[slot].generation) << 32U) | slot;
}

Work TimerHeap::remove(std::size_t position) {
  const std::uint32_t slot = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    if (position > 0 && before(last, heap_[(position - 1) / 2])) {
      sift_up(position, last);
    } else {
      sift_down(position, last);
    }
  }
  Work work = std::move(slots_[slot].work);
  slots_[slot].work = nullptr;
  ++slots_[slot].generation;
  slots_[slot].position = std::exchange(free_, slot);
  return work;
}

bool TimerHeap::cancel(TimerId id) {
  const auto slot = static_cast<std::uint32_t>(id);
  if (slot >= slots_.size() || slots_[slot].generation != static_cast<std::uint32_t>(id >> 32U)) return false;
  const Work dies_after_the_heap_is_whole = remove(slots_[slot].position);
  return true;
}

std::optional<Work> TimerHeap::pop_due(MonotonicTime now) {
  if (heap_.empty() || heap_.front().deadline > now) return std::nullopt;
  return remove(0);
}

}  // namespace dohle::runtime

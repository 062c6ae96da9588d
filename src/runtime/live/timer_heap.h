// TimerHeap: timers ordered by deadline, cancelled in O(log n), without an allocation for each. One shard.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <runtime/clock.h>
#include <runtime/executor.h>

namespace dohle::runtime {

class TimerHeap {
 public:
  TimerId add(MonotonicTime deadline, Work work);
  // False when the timer has fired or been cancelled before.
  bool cancel(TimerId id);
  // The work of the earliest timer that is due at `now`; those of one deadline come in the order they were added.
  [[nodiscard]] std::optional<Work> pop_due(MonotonicTime now);
  [[nodiscard]] std::optional<MonotonicTime> next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().deadline;
  }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    MonotonicTime deadline;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  struct Slot {
    Work work;
    std::uint32_t generation = 1;
    std::uint32_t position = 0;  // in heap_; while free: the next free slot
  };

  static bool before(const Entry& a, const Entry& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.sequence < b.sequence;
  }
  void place(std::size_t position, Entry entry);
  void sift_up(std::size_t position, Entry entry);
  void sift_down(std::size_t position, Entry entry);
  Work remove(std::size_t position);

  static constexpr std::uint32_t kNoSlot = ~0U;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = kNoSlot;
  std::uint64_t sequence_ = 0;
};

}  // namespace dohle::runtime

// AppendQueue: what a leader was given to append in one loop turn, in batches of at most Kafka's size. Offsets are
// known at once; bytes are made when the queue is taken.
#pragma once

#include <cstdint>
#include <vector>

#include <base/result.h>
#include <raft/replica_key.h>

namespace dohle::raft {

class AppendQueue {
 public:
  struct Group {
    Offset base{0};
    std::vector<std::vector<std::uint8_t>> records;
  };

  explicit AppendQueue(std::size_t max_batch_bytes) : max_batch_bytes_(max_batch_bytes) {}

  // A new epoch begins at `next`; what was left of the old one is dropped.
  void begin(Offset next);
  [[nodiscard]] bool empty() const { return groups_.empty(); }
  // The offset of the last of `records`, which stay together in one batch. kRecordTooLarge when they do not fit one.
  [[nodiscard]] Result<Offset> add(std::vector<std::vector<std::uint8_t>> records);
  // Everything, in order; each group is one batch.
  [[nodiscard]] std::vector<Group> take();
  // The last of what was taken, from `first` on, could not be appended yet.
  void put_back(std::vector<Group> groups, std::size_t first);

 private:
  std::size_t max_batch_bytes_;
  Offset next_{0};
  std::size_t last_group_bytes_ = 0;
  std::vector<Group> groups_;
};

}  // namespace dohle::raft

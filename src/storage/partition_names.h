// PartitionNames: which partitions have a directory, over all shards. A topic that was deleted and created again has
// another id and may live on another shard; its log is not made before the old one's directory has gone away.
#pragma once

#include <deque>
#include <map>

#include <base/ids.h>
#include <runtime/future.h>
#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::storage {

// Lives on its home shard and outlives all who call it.
class PartitionNames {
 public:
  explicit PartitionNames(runtime::Shard& home) : home_(&home) {}

  // From any shard. Waits while another log has the name; false once closed.
  [[nodiscard]] runtime::Task<bool> take(TopicPartition partition);
  // From any shard, by the log that has it.
  void give_back(const TopicPartition& partition);

  // On the home shard: a log that was found at the start has its name; nobody waits any more.
  void hold(const TopicPartition& partition) { held_.try_emplace(partition); }
  void close();

 private:
  [[nodiscard]] runtime::Task<bool> take_at_home(TopicPartition partition);
  void give_back_at_home(const TopicPartition& partition);

  runtime::Shard* home_;
  std::map<TopicPartition, std::deque<runtime::Promise<bool>>> held_;  // with those who wait for it
  bool closed_ = false;
};

}  // namespace dohle::storage

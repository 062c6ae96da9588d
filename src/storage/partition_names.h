// PartitionNames: which partitions have a directory, over all shards. A topic that was deleted and created again has
// another id and may live on another shard; its log is not made before the old one's directory has gone away.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <base/ids.h>
#include <runtime/future.h>
#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::storage {

// Lives on its home shard and outlives all who call it.
class PartitionNames {
 public:
  explicit PartitionNames(runtime::Shard& home) : home_(&home) {}

  enum class Taken : std::uint8_t { kYes, kSuperseded, kClosed };
  // From any shard, for a topic that exists in the metadata at `known_at`. Waits for an older topic of the name to go;
  // never for a newer one: then this topic is gone, and its shard is late (kSuperseded). So who waits, waits for what
  // comes earlier in the metadata, and all shards go through that in order: they cannot wait for each other.
  [[nodiscard]] runtime::Task<Taken> take(TopicPartition partition, Offset known_at);
  // From any shard, by the log that has it.
  void give_back(const TopicPartition& partition);

  // On the home shard: a log that was found at the start has its name; nobody waits any more.
  void hold(const TopicPartition& partition) { held_.try_emplace(partition, Name{.known_at = kNoOffset}); }
  void close();

 private:
  struct Waiter {
    Offset known_at;
    runtime::Promise<Taken> promise;
  };
  struct Name {
    Offset known_at;  // of the topic that has it
    std::optional<Waiter> next;
  };
  [[nodiscard]] runtime::Task<Taken> take_at_home(TopicPartition partition, Offset known_at);
  void give_back_at_home(const TopicPartition& partition);

  runtime::Shard* home_;
  std::map<TopicPartition, Name> held_;
  bool closed_ = false;
};

}  // namespace dohle::storage

// Which partition a record goes to when the caller names none.
#pragma once

#include <cstdint>

#include <base/bytes.h>
#include <client/cluster_metadata.h>
#include <runtime/random.h>

namespace dohle::client {

// MurmurHash2 with Kafka's seed: where records with a key have always gone, in every client.
[[nodiscard]] std::uint32_t murmur2(Bytes data);
[[nodiscard]] std::int32_t partition_for_key(Bytes key, std::size_t partitions);

// For records without a key (KIP-794): stays with a partition until about `batch_bytes` have gone there, then moves on
// to another that has a leader. One per topic.
class StickyPartitioner {
 public:
  StickyPartitioner(std::size_t batch_bytes, runtime::Random& random) : batch_bytes_(batch_bytes), random_(&random) {}
  // The partition for the next record. `topic` has partitions.
  [[nodiscard]] std::int32_t partition(const TopicInfo& topic);
  // A record of this size went there; `batch_is_full` when it closed a batch.
  void count(std::size_t bytes, bool batch_is_full);

 private:
  std::size_t batch_bytes_;
  runtime::Random* random_;
  std::int32_t current_ = -1;
  std::size_t produced_ = 0;
};

}  // namespace dohle::client

// Reading the partitions of a Fetch request where they live.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <protocol/error_code.h>
#include <replication/partition.h>
#include <runtime/task.h>

#include "fetch/transit.h"

namespace dohle::broker {

class BrokerShard;

struct ReadItem {
  TopicIdPartition id;
  bool may_follow = true;       // false for a replica id that the partition has no follower of
  bool negative_limit = false;  // of bytes: Kafka fails where there is something to read
  replication::ReadRequest read;
};

// How much one answer may hold. The first batch that is found comes whole, however large, unless `hard` is set.
struct ReadBudget {
  std::uint32_t bytes = 0;
  bool hard = false;
};

struct ReadOutcome {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::vector<TransitFragment> records;
  std::uint64_t bytes = 0;
  Offset high_watermark = kNoOffset;
  Offset last_stable_offset = kNoOffset;
  Offset log_start = kNoOffset;
  std::optional<storage::EpochEndOffset> diverging;
};

// Reads partitions of this shard one after the other within the budget. `items` outlive the task.
[[nodiscard]] runtime::Task<std::vector<ReadOutcome>> read_partitions(BrokerShard& shard,
                                                                      std::span<const ReadItem> items,
                                                                      ReadBudget budget);

}  // namespace dohle::broker

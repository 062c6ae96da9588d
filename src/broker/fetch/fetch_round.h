// One pass over all partitions of a Fetch, on however many shards they live, and the wait between two passes.
#pragma once

#include <cstdint>
#include <vector>

#include <runtime/clock.h>
#include <runtime/task.h>

#include "fetch/partition_reader.h"

namespace dohle::broker {

struct FetchRound {
  std::vector<ReadOutcome> outcomes;  // in the order of the items
  std::uint64_t bytes = 0;
  bool answer_now = false;  // an error or a divergence: not worth waiting
};

// The shards read at once, each within the whole budget; what is over it in the order of the request is given back.
// Reading takes references, not copies, so this costs little.
[[nodiscard]] runtime::Task<FetchRound> read_round(BrokerShard& here, std::vector<ReadItem> items, ReadBudget budget);

// Completes when one of the partitions has more than the round saw, or its leadership ended, or after `timeout`.
[[nodiscard]] runtime::Task<void> wait_for_news(BrokerShard& here, const std::vector<ReadItem>& items,
                                                const FetchRound& seen, runtime::Duration timeout);

}  // namespace dohle::broker

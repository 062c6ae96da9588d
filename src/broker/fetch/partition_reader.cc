#include "fetch/partition_reader.h"

#include <algorithm>
#include <utility>

#include <protocol/error_map.h>

#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

ReadOutcome outcome_of(replication::Partition& partition, const ReadItem& item,
                       Result<replication::PartitionRead> read) {
  ReadOutcome out;
  if (!read) {
    out.error = protocol::error_code_of(read.error(), protocol::ErrorFamily::kPartition);
    return out;
  }
  if (item.negative_limit && !read->diverging && item.read.from < partition.fetchable_end(item.read.isolation)) {
    out.error = protocol::ErrorCode::kUnknownServerError;
    return out;
  }
  out.records = share_fragments(std::move(read->records));
  out.bytes = read->bytes;
  out.high_watermark = read->high_watermark;
  out.last_stable_offset = read->last_stable_offset;
  out.log_start = read->log_start;
  out.diverging = read->diverging;
  return out;
}

}  // namespace

runtime::Task<std::vector<ReadOutcome>> read_partitions(BrokerShard& shard, std::span<const ReadItem> items,
                                                        ReadBudget budget) {
  std::vector<ReadOutcome> outcomes;
  outcomes.reserve(items.size());
  bool first = !budget.hard;
  for (const auto& item : items) {
    const auto found = shard.leader_of(item.id);
    if (!found) {
      outcomes.emplace_back().error = found.error();
      continue;
    }
    if (!item.may_follow) {
      const auto leader = (*found)->check_leader(item.read.current_leader_epoch);
      outcomes.emplace_back().error = leader
                                          ? protocol::ErrorCode::kNotLeaderOrFollower
                                          : protocol::error_code_of(leader.error(), protocol::ErrorFamily::kPartition);
      continue;
    }
    auto request = item.read;
    request.max_bytes = std::min(request.max_bytes, budget.bytes);
    request.min_one_batch = first;
    outcomes.push_back(outcome_of(**found, item, co_await (*found)->read(request)));
    const auto bytes = outcomes.back().bytes;
    if (bytes > 0) first = false;
    budget.bytes -= static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, budget.bytes));
  }
  co_return outcomes;
}

}  // namespace dohle::broker

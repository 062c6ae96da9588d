#include "fetch/partition_reader.h"

#include <algorithm>
#include <utility>

#include <protocol/error_map.h>

#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

runtime::Task<ReadOutcome> read_one(BrokerShard& shard, ReadItem item) {
  ReadOutcome out;
  const auto found = shard.leader_of(item.id);
  if (!found) {
    out.error = found.error();
    co_return out;
  }
  if (!item.may_follow) {
    const auto leader = (*found)->check_leader(item.read.current_leader_epoch);
    out.error = leader ? protocol::ErrorCode::kNotLeaderOrFollower
                       : protocol::error_code_of(leader.error(), protocol::ErrorFamily::kPartition);
    co_return out;
  }
  auto read = co_await (*found)->read(item.read);
  if (!read) {
    out.error = protocol::error_code_of(read.error(), protocol::ErrorFamily::kPartition);
    co_return out;
  }
  if (item.negative_limit && !read->diverging && item.read.from < (*found)->fetchable_end(item.read.isolation)) {
    out.error = protocol::ErrorCode::kUnknownServerError;
    co_return out;
  }
  out.records = share_fragments(std::move(read->records));
  out.bytes = read->bytes;
  out.high_watermark = read->high_watermark;
  out.last_stable_offset = read->last_stable_offset;
  out.log_start = read->log_start;
  out.diverging = read->diverging;
  co_return out;
}

}  // namespace

runtime::Task<std::vector<ReadOutcome>> read_partitions(BrokerShard& shard, std::vector<ReadItem> items,
                                                        ReadBudget budget) {
  std::vector<ReadOutcome> outcomes;
  outcomes.reserve(items.size());
  bool first = !budget.hard;
  for (auto& item : items) {
    item.read.max_bytes = std::min(item.read.max_bytes, budget.bytes);
    item.read.min_one_batch = first;
    outcomes.push_back(co_await read_one(shard, std::move(item)));
    const auto bytes = outcomes.back().bytes;
    if (bytes > 0) first = false;
    budget.bytes -= static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, budget.bytes));
  }
  co_return outcomes;
}

}  // namespace dohle::broker

// OffsetForLeaderEpoch (23, KIP-101, KIP-320): where a leader epoch ends in this broker's log.
#include <protocol/error_map.h>
#include <protocol/messages/offset_for_leader_epoch_request.h>
#include <protocol/messages/offset_for_leader_epoch_response.h>

#include "handlers/handlers.h"
#include "shard/partition_calls.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

struct Item {
  TopicIdPartition id;
  LeaderEpoch current_leader_epoch;
  LeaderEpoch epoch;
};

struct Outcome {
  ErrorCode error = ErrorCode::kNone;
  storage::EpochEndOffset end;
};

runtime::Task<Outcome> find_end(BrokerShard& shard, Item item) {
  const auto partition = shard.leader_of(item.id);
  if (!partition) co_return Outcome{partition.error(), {}};
  if (auto leader = (*partition)->check_leader(item.current_leader_epoch); !leader) {
    co_return Outcome{protocol::error_code_of(leader.error(), protocol::ErrorFamily::kPartition), {}};
  }
  co_return Outcome{ErrorCode::kNone, (*partition)->log().end_offset_for_epoch(item.epoch)};
}

}  // namespace

Answer<OffsetForLeaderEpochResponse> handle_offset_for_leader_epoch(RequestContext& ctx,
                                                                    const OffsetForLeaderEpochRequest& request) {
  const auto image = ctx.here.image();
  OffsetForLeaderEpochResponse out;
  std::vector<Item> items;
  std::vector<std::pair<std::size_t, std::size_t>> rows;
  for (const auto& topic : request.topics) {
    const auto* known = image->topics().find(topic.topic.get());
    auto& result = out.topics.emplace_back();
    result.topic = topic.topic;
    for (const auto& partition : topic.partitions) {
      auto& row = result.partitions.emplace_back();
      row.partition = partition.partition;
      if (known == nullptr || known->find(partition.partition) == nullptr) {
        row.error_code = number(ErrorCode::kUnknownTopicOrPartition);
        continue;
      }
      items.push_back({{known->id, partition.partition},
                       LeaderEpoch(partition.current_leader_epoch),
                       LeaderEpoch(partition.leader_epoch)});
      rows.emplace_back(out.topics.size() - 1, result.partitions.size() - 1);
    }
  }
  const auto outcomes = co_await call_partitions(ctx.here, std::move(items), &find_end);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& row = out.topics[rows[i].first].partitions[rows[i].second];
    row.error_code = number(outcomes[i].error);
    row.leader_epoch = outcomes[i].end.epoch.value();
    row.end_offset = outcomes[i].end.end_offset.value();
  }
  co_return out;
}

}  // namespace dohle::broker

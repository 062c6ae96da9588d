// ListOffsets (2): offsets by timestamp; -1 latest, -2 earliest, -3 maximum timestamp, -4 to -6 local and tiered ends.
#include <map>
#include <utility>

#include <protocol/error_map.h>
#include <protocol/messages/list_offsets_request.h>
#include <protocol/messages/list_offsets_response.h>

#include "handlers/handlers.h"
#include "shard/partition_calls.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;

constexpr std::int32_t kConsumerReplicaId = -1;
constexpr int kAnswered = 0;

struct Item {
  TopicIdPartition id;
  LeaderEpoch current_leader_epoch;
  std::int64_t timestamp = 0;
  std::optional<replication::Isolation> isolation;
};

struct Outcome {
  ErrorCode error = ErrorCode::kNone;
  storage::TimestampOffset found;
};

// The first request version that knows each special timestamp.
bool is_known_timestamp(std::int64_t timestamp, std::int16_t version) {
  if (timestamp >= 0) return true;
  switch (timestamp) {
    case storage::kLatestTimestamp:
    case storage::kEarliestTimestamp:
      return true;
    case storage::kMaxTimestamp:
      return version >= 7;
    case storage::kEarliestLocalTimestamp:
      return version >= 8;
    case storage::kLatestTieredTimestamp:
      return version >= 9;
    case storage::kEarliestPendingUploadTimestamp:
      return version >= 11;
    default:
      return false;
  }
}

runtime::Task<Outcome> look_up(BrokerShard& shard, Item item) {
  const auto partition = shard.leader_of(item.id);
  if (!partition) co_return Outcome{partition.error(), {}};
  if (auto leader = (*partition)->check_leader(item.current_leader_epoch); !leader) {
    co_return Outcome{protocol::error_code_of(leader.error(), protocol::ErrorFamily::kPartition), {}};
  }
  const auto found = co_await (*partition)->offset_for_timestamp(item.timestamp, item.isolation);
  if (!found) co_return Outcome{protocol::error_code_of(found.error(), protocol::ErrorFamily::kPartition), {}};
  co_return Outcome{ErrorCode::kNone, found->value_or(storage::TimestampOffset{})};
}

std::optional<replication::Isolation> isolation_of(const ListOffsetsRequest& request) {
  if (request.replica_id != kConsumerReplicaId) return std::nullopt;
  return request.isolation_level == 1 ? replication::Isolation::kReadCommitted
                                      : replication::Isolation::kReadUncommitted;
}

}  // namespace

Answer<ListOffsetsResponse> handle_list_offsets(RequestContext& ctx, const ListOffsetsRequest& request) {
  const auto image = ctx.here.image();
  ListOffsetsResponse out;
  std::vector<Item> items;
  std::vector<std::pair<std::size_t, std::size_t>> rows;
  for (const auto& topic : request.topics) {
    const auto* known = image->topics().find(topic.name.get());
    auto& result = out.topics.emplace_back();
    result.name = topic.name;
    std::map<std::int32_t, int> asked;
    for (const auto& partition : topic.partitions) ++asked[partition.partition_index];
    for (const auto& partition : topic.partitions) {
      // One that stands there twice is answered once.
      int& times = asked[partition.partition_index];
      if (times == kAnswered) continue;
      const bool twice = std::exchange(times, kAnswered) > 1;
      auto& row = result.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      if (twice) {
        row.error_code = number(ErrorCode::kInvalidRequest);
      } else if (!is_known_timestamp(partition.timestamp, ctx.version())) {
        row.error_code = number(ErrorCode::kUnsupportedVersion);
      } else if (known == nullptr || known->find(partition.partition_index) == nullptr) {
        row.error_code = number(ErrorCode::kUnknownTopicOrPartition);
      } else {
        items.push_back({{known->id, partition.partition_index},
                         LeaderEpoch(partition.current_leader_epoch),
                         partition.timestamp,
                         isolation_of(request)});
        rows.emplace_back(out.topics.size() - 1, result.partitions.size() - 1);
      }
    }
  }
  const auto outcomes = co_await call_partitions(ctx.here, std::move(items), &look_up);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& row = out.topics[rows[i].first].partitions[rows[i].second];
    row.error_code = number(outcomes[i].error);
    row.timestamp = outcomes[i].found.timestamp;
    row.offset = outcomes[i].found.offset.value();
    row.leader_epoch = outcomes[i].found.epoch.value();
  }
  co_return out;
}

}  // namespace dohle::broker

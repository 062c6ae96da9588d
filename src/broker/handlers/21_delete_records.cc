// DeleteRecords (21, KIP-107): moves the log start offset of partitions that this broker leads.
#include <base/topic_name.h>
#include <protocol/error_map.h>
#include <protocol/messages/delete_records_request.h>
#include <protocol/messages/delete_records_response.h>

#include "handlers/handlers.h"
#include "shard/partition_calls.h"

namespace dohle::broker {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using protocol::ErrorCode;

struct Item {
  TopicIdPartition id;
  Offset offset;
};

struct Outcome {
  ErrorCode error = ErrorCode::kNone;
  Offset low_watermark = kNoOffset;
};

runtime::Task<Outcome> delete_one(BrokerShard& shard, Item item) {
  const auto partition = shard.leader_of(item.id);
  if (!partition) co_return Outcome{partition.error(), kNoOffset};
  if (!(*partition)->log().config().cleanup_delete) co_return Outcome{ErrorCode::kPolicyViolation, kNoOffset};
  const auto start = (*partition)->delete_records_before(item.offset);
  if (!start) co_return Outcome{protocol::error_code_of(start.error(), protocol::ErrorFamily::kPartition), kNoOffset};
  co_return Outcome{ErrorCode::kNone, *start};
}

}  // namespace

Answer<DeleteRecordsResponse> handle_delete_records(RequestContext& ctx, const DeleteRecordsRequest& request) {
  const auto image = ctx.here.image();
  DeleteRecordsResponse out;
  std::vector<Item> items;
  std::vector<std::pair<std::size_t, std::size_t>> rows;  // where each item's outcome goes
  for (const auto& topic : request.topics) {
    const auto* known = image->topics().find(topic.name.get());
    auto& result = out.topics.emplace_back();
    result.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& row = result.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.low_watermark = -1;
      if (known == nullptr || known->find(partition.partition_index) == nullptr) {
        row.error_code = number(ErrorCode::kUnknownTopicOrPartition);
        continue;
      }
      if (is_internal_topic(known->name)) {
        row.error_code = number(ErrorCode::kInvalidTopicException);
        continue;
      }
      items.push_back({{known->id, partition.partition_index}, Offset(partition.offset)});
      rows.emplace_back(out.topics.size() - 1, result.partitions.size() - 1);
    }
  }
  const auto outcomes = co_await call_partitions(ctx.here, std::move(items), &delete_one);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& row = out.topics[rows[i].first].partitions[rows[i].second];
    row.error_code = number(outcomes[i].error);
    row.low_watermark = outcomes[i].low_watermark.value();
  }
  co_return out;
}

}  // namespace dohle::broker

// OffsetDelete (47): forgets offsets of partitions that the group does not read.
#include "handlers/group_request.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;

OffsetDeleteResponse::OffsetDeleteResponseTopic& row_of(OffsetDeleteResponse& response, std::string_view name) {
  for (auto& topic : response.topics) {
    if (topic.name.get() == name) return topic;
  }
  auto& topic = response.topics.emplace_back();
  topic.name = Text(name);
  return topic;
}

}  // namespace

Answer<OffsetDeleteResponse> handle_offset_delete(RequestContext& ctx, const OffsetDeleteRequest& request) {
  const auto image = ctx.here.image();
  OffsetDeleteResponse response;
  OffsetDeleteRequest known;
  known.group_id = request.group_id;
  for (const auto& topic : request.topics) {
    OffsetDeleteRequest::OffsetDeleteRequestTopic valid;
    valid.name = topic.name;
    for (const auto& partition : topic.partitions) {
      if (image->topics().find(topic.name.get(), partition.partition_index) != nullptr) {
        valid.partitions.push_back(partition);
        continue;
      }
      auto& row = row_of(response, topic.name).partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.error_code = number(ErrorCode::kUnknownTopicOrPartition);
    }
    if (!valid.partitions.empty()) known.topics.push_back(std::move(valid));
  }
  auto deleted = co_await groups(ctx).delete_offsets(group_context(ctx), known);
  // What concerns the whole group takes the place of what concerns its partitions.
  if (deleted.error_code != 0) co_return deleted;
  for (auto& topic : deleted.topics) {
    auto& row = row_of(response, topic.name);
    row.partitions.insert(row.partitions.end(), topic.partitions.begin(), topic.partitions.end());
  }
  co_return response;
}

}  // namespace dohle::broker

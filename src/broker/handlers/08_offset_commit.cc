// OffsetCommit (8): checks that the partitions exist, and lets the group's coordinator keep the offsets.
#include "handlers/group_request.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;

constexpr std::int16_t kFirstVersionWithTopicIds = 10;

// The answer's row of a topic, which several parts of the answer may add to.
OffsetCommitResponse::OffsetCommitResponseTopic& row_of(OffsetCommitResponse& response, bool by_id,
                                                        std::string_view name, const Uuid& id) {
  for (auto& topic : response.topics) {
    if (by_id ? topic.topic_id == id : topic.name.get() == name) return topic;
  }
  auto& topic = response.topics.emplace_back();
  topic.name = Text(name);
  topic.topic_id = id;
  return topic;
}

void refuse(OffsetCommitResponse::OffsetCommitResponseTopic& topic, std::int32_t partition, ErrorCode error) {
  auto& row = topic.partitions.emplace_back();
  row.partition_index = partition;
  row.error_code = number(error);
}

// Moves what can be committed into `known`, under name and id both; the rest is refused in `response`.
void sort_out(const metadata::MetadataImage& image, const OffsetCommitRequest& request, bool by_id,
              OffsetCommitRequest& known, OffsetCommitResponse& response) {
  for (const auto& topic : request.topics) {
    const auto* found = by_id ? image.topics().find(TopicId{topic.topic_id}) : image.topics().find(topic.name.get());
    OffsetCommitRequest::OffsetCommitRequestTopic valid;
    valid.name = found == nullptr ? topic.name : Text(found->name);
    valid.topic_id = found == nullptr ? topic.topic_id : found->id.uuid;
    for (const auto& partition : topic.partitions) {
      if (found != nullptr && found->find(partition.partition_index) != nullptr) {
        valid.partitions.push_back(partition);
        continue;
      }
      const bool unknown_id = by_id && found == nullptr;
      refuse(row_of(response, by_id, valid.name, valid.topic_id), partition.partition_index,
             unknown_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
    }
    if (found == nullptr && topic.partitions.empty()) (void)row_of(response, by_id, valid.name, valid.topic_id);
    if (!valid.partitions.empty()) known.topics.push_back(std::move(valid));
  }
}

}  // namespace

Answer<OffsetCommitResponse> handle_offset_commit(RequestContext& ctx, const OffsetCommitRequest& request) {
  const bool by_id = ctx.version() >= kFirstVersionWithTopicIds;
  OffsetCommitResponse response;
  OffsetCommitRequest known;
  known.group_id = request.group_id;
  known.generation_id_or_member_epoch = request.generation_id_or_member_epoch;
  known.member_id = request.member_id;
  known.group_instance_id = request.group_instance_id;
  known.retention_time_ms = request.retention_time_ms;
  sort_out(*ctx.here.image(), request, by_id, known, response);
  if (known.topics.empty()) co_return response;
  auto committed = co_await groups(ctx).commit_offsets(group_context(ctx), known);
  for (auto& topic : committed.topics) {
    auto& row = row_of(response, by_id, topic.name, topic.topic_id);
    row.partitions.insert(row.partitions.end(), topic.partitions.begin(), topic.partitions.end());
  }
  co_return response;
}

}  // namespace dohle::broker

// OffsetFetch (9): committed offsets, of one group or (v8+) several, of named partitions or all.
#include "handlers/group_request.h"

namespace dohle::broker {
namespace {

using coordinator::FetchedGroup;
using coordinator::FetchGroup;
using protocol::ErrorCode;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

constexpr std::int16_t kFirstVersionWithGroups = 8;
constexpr std::int16_t kFirstVersionWithTopicIds = 10;

// Every version as if it asked for a list of groups.
std::vector<FetchGroup> groups_of(const OffsetFetchRequest& request, std::int16_t version) {
  if (version >= kFirstVersionWithGroups) return request.groups;
  FetchGroup group;
  group.group_id = request.group_id;
  group.topics.reset();
  if (request.topics) {
    auto& topics = group.topics.emplace();
    for (const auto& topic : *request.topics) {
      auto& out = topics.emplace_back();
      out.name = topic.name;
      out.partition_indexes = topic.partition_indexes;
    }
  }
  return {std::move(group)};
}

// From version 10 on topics come by id. Those that are unknown are taken out of `group` and refused in the result.
std::vector<OffsetFetchResponse::OffsetFetchResponseTopics> resolve_ids(const metadata::MetadataImage& image,
                                                                        FetchGroup& group) {
  std::vector<OffsetFetchResponse::OffsetFetchResponseTopics> refused;
  std::vector<OffsetFetchRequest::OffsetFetchRequestTopics> known;
  for (auto& topic : *group.topics) {
    if (const auto* found = image.topics().find(TopicId{topic.topic_id})) {
      topic.name = Text(found->name);
      known.push_back(std::move(topic));
      continue;
    }
    auto& out = refused.emplace_back();
    out.topic_id = topic.topic_id;
    for (const std::int32_t partition : topic.partition_indexes) {
      auto& row = out.partitions.emplace_back();
      row.partition_index = partition;
      row.committed_offset = -1;
      row.error_code = number(ErrorCode::kUnknownTopicId);
    }
  }
  group.topics = std::move(known);
  return refused;
}

// The coordinator names topics; ids are the image's. A topic that is gone has none, and cannot be told.
void add_ids(const metadata::MetadataImage& image, FetchedGroup& group) {
  std::erase_if(group.topics, [&](auto& topic) {
    if (!topic.topic_id.is_zero()) return false;
    const auto* found = image.topics().find(topic.name.get());
    if (found != nullptr) topic.topic_id = found->id.uuid;
    return found == nullptr;
  });
}

runtime::Task<FetchedGroup> fetch_group(RequestContext& ctx, FetchGroup group, bool require_stable) {
  const bool by_id = ctx.version() >= kFirstVersionWithTopicIds;
  const bool all_topics = !group.topics.has_value();
  const auto image = ctx.here.image();
  std::vector<OffsetFetchResponse::OffsetFetchResponseTopics> refused;
  if (by_id && !all_topics) refused = resolve_ids(*image, group);
  auto fetched = co_await groups(ctx).fetch_offsets(group_context(ctx), group, require_stable);
  if (fetched.error_code != 0) co_return fetched;
  if (by_id && all_topics) add_ids(*image, fetched);
  fetched.topics.insert(fetched.topics.end(), std::make_move_iterator(refused.begin()),
                        std::make_move_iterator(refused.end()));
  co_return fetched;
}

// Versions before 8 have one group, in the response itself.
void unpack(FetchedGroup& group, OffsetFetchResponse& response) {
  response.error_code = group.error_code;
  for (auto& topic : group.topics) {
    auto& out = response.topics.emplace_back();
    out.name = std::move(topic.name);
    for (auto& partition : topic.partitions) {
      auto& row = out.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.committed_offset = partition.committed_offset;
      row.committed_leader_epoch = partition.committed_leader_epoch;
      row.metadata = std::move(partition.metadata);
      row.error_code = partition.error_code;
    }
  }
}

}  // namespace

Answer<OffsetFetchResponse> handle_offset_fetch(RequestContext& ctx, const OffsetFetchRequest& request) {
  OffsetFetchResponse response;
  for (auto& group : groups_of(request, ctx.version())) {
    response.groups.push_back(co_await fetch_group(ctx, std::move(group), request.require_stable));
  }
  if (ctx.version() < kFirstVersionWithGroups) {
    unpack(response.groups.front(), response);
    response.groups.clear();
  }
  co_return response;
}

}  // namespace dohle::broker

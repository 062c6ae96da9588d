// DescribeTopicPartitions (75, KIP-966): topics page by page, with their eligible leader replicas.
#include <algorithm>
#include <set>
#include <string>

#include <base/topic_name.h>
#include <protocol/messages/describe_topic_partitions_request.h>
#include <protocol/messages/describe_topic_partitions_response.h>

#include "handlers/authorized_operations.h"
#include "handlers/handlers.h"
#include "handlers/topic_description.h"

namespace dohle::broker {
namespace {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using protocol::ErrorCode;

// Adds partitions from `first` on, at most `room`; the number of the next partition, or -1 when all are in.
std::int32_t add_topic(const metadata::MetadataImage& image, const metadata::TopicImage& topic, std::int32_t first,
                       std::size_t room, std::string_view listener, DescribeTopicPartitionsResponse& out) {
  auto& row = out.topics.emplace_back();
  row.name = Text(topic.name);
  row.topic_id = topic.id.uuid;
  row.is_internal = is_internal_topic(topic.name);
  row.topic_authorized_operations = kAllTopicOperations;
  for (const auto& [index, registration] : topic.partitions) {
    if (index < first) continue;
    if (row.partitions.size() == room) return index;
    const auto described = describe_partition(image, *registration, {.listener = listener});
    auto& partition = row.partitions.emplace_back();
    partition.partition_index = index;
    partition.leader_id = described.leader;
    partition.leader_epoch = described.leader_epoch;
    partition.replica_nodes = described.replicas;
    partition.isr_nodes = described.isr;
    partition.offline_replicas = described.offline;
    partition.eligible_leader_replicas = registration->elr;
    partition.last_known_elr = registration->last_known_elr;
  }
  return -1;
}

void set_cursor(DescribeTopicPartitionsResponse& out, std::string_view topic, std::int32_t partition) {
  auto& cursor = out.next_cursor.emplace();
  cursor.topic_name = Text(topic);
  cursor.partition_index = partition;
}

// A cursor names one of the topics that were asked for, if any were, and a partition that can be.
bool cursor_is_valid(const DescribeTopicPartitionsRequest& request) {
  if (!request.cursor) return true;
  const auto is_at = [&](const auto& topic) { return topic.name.get() == request.cursor->topic_name.get(); };
  const bool named = request.topics.empty() || std::ranges::any_of(request.topics, is_at);
  return named && request.cursor->partition_index >= 0;
}

DescribeTopicPartitionsResponse refuse(const DescribeTopicPartitionsRequest& request) {
  DescribeTopicPartitionsResponse out;
  for (const auto& topic : request.topics) {
    auto& row = out.topics.emplace_back();
    row.error_code = number(ErrorCode::kInvalidRequest);
    row.name = topic.name;
  }
  return out;
}

}  // namespace

Answer<DescribeTopicPartitionsResponse> handle_describe_topic_partitions(
    RequestContext& ctx, const DescribeTopicPartitionsRequest& request) {
  if (!cursor_is_valid(request)) co_return refuse(request);
  const auto image = ctx.here.image();
  const bool all = request.topics.empty();
  const std::string_view from = request.cursor ? request.cursor->topic_name.get() : std::string_view();
  std::set<std::string, std::less<>> names;
  if (all) {
    for (const auto& [name, topic] : image->topics().by_name()) {
      if (name >= from) names.insert(name);
    }
  } else {
    for (const auto& topic : request.topics) {
      if (topic.name.get() >= from) names.emplace(topic.name.get());
    }
  }

  DescribeTopicPartitionsResponse out;
  const auto limit = std::min(ctx.broker.settings().max_request_partition_size_limit, request.response_partition_limit);
  std::size_t room = static_cast<std::size_t>(std::max(limit, 1));
  for (const auto& name : names) {
    if (room == 0) {
      set_cursor(out, name, 0);
      break;
    }
    const auto* topic = image->topics().find(name);
    if (topic == nullptr) {
      if (all) continue;
      auto& row = out.topics.emplace_back();
      row.error_code =
          number(is_valid_topic_name(name) ? ErrorCode::kUnknownTopicOrPartition : ErrorCode::kInvalidTopicException);
      row.name = Text(name);
      row.is_internal = is_internal_topic(name);
      row.topic_authorized_operations = kAllTopicOperations;
      continue;
    }
    const std::int32_t first = request.cursor && name == from ? request.cursor->partition_index : 0;
    const std::int32_t next = add_topic(*image, *topic, first, room, ctx.listener(), out);
    if (next != -1) {
      set_cursor(out, name, next);
      break;
    }
    room -= out.topics.back().partitions.size();
  }
  co_return out;
}

}  // namespace dohle::broker

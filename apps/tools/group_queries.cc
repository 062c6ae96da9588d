#include "group_queries.h"

#include <algorithm>

#include <client/assignor.h>
#include <fmt/core.h>
#include <protocol/messages/describe_groups_request.h>
#include <protocol/messages/describe_groups_response.h>
#include <protocol/messages/list_groups_request.h>

namespace dohle::app {

using client::Admin;
using client::Answer;
using client::KafkaError;
using protocol::ErrorCode;
using runtime::Task;

namespace {

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition);
}

KafkaError invalid(std::string message) { return {ErrorCode::kInvalidRequest, std::move(message)}; }

// "topic:0,1"
Answer<Partitions> parse_topic_partitions(const std::string& text) {
  const auto colon = text.find(':');
  const std::string list = text.substr(colon + 1);
  if (colon == 0 || list.empty() || list.find(':') != std::string::npos) {
    return std::unexpected(invalid(fmt::format("Invalid topic arg '{}', expected topic name and partitions", text)));
  }
  Partitions out;
  for (const std::string& index : split(list, ',')) {
    const auto number = parse_number(index);
    if (!number) {
      return std::unexpected(invalid(fmt::format("Invalid partition '{}' specified in topic arg '{}''", index, text)));
    }
    out.push_back({text.substr(0, colon), static_cast<std::int32_t>(*number)});
  }
  return out;
}

}  // namespace

Task<Answer<DescribedGroup>> describe_group(Admin& admin, std::string group) {
  protocol::DescribeGroupsRequest request;
  request.groups.emplace_back(group);
  const auto answer = co_await admin.call_coordinator(
      client::CoordinatorType::kGroup, group, std::move(request),
      [](const auto& body) { return body.groups.empty() ? std::int16_t{0} : body.groups.front().error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->body.groups.empty()) co_return client::failure(ErrorCode::kUnknownServerError);
  const auto& described = answer->body.groups.front();
  if (described.error_code != 0) {
    co_return std::unexpected(item_error(described.error_code, described.error_message));
  }
  DescribedGroup out{.id = group, .state = described.group_state.str(), .protocol = described.protocol_data.str()};
  // Before version 6 a group that is not there is dead.
  if (out.state == "Dead" && answer->version < 6) {
    co_return client::failure(ErrorCode::kGroupIdNotFound, fmt::format("Group {} not found.", group));
  }
  // Nobody may have asked for the nodes yet; finding a coordinator does not.
  if (const auto known = co_await admin.brokers(); !known) co_return std::unexpected(known.error());
  const auto& nodes = admin.cluster().metadata().nodes;
  if (const auto node = nodes.find(client::Cluster::node_of(answer->node)); node != nodes.end()) {
    out.coordinator =
        fmt::format("{}:{}  ({})", node->second.endpoint.host, node->second.endpoint.port, node->second.id);
  }
  for (const auto& member : described.members) {
    auto assignment = client::decode_assignment(member.member_assignment.get());
    out.members.push_back({member.member_id.str(), member.group_instance_id ? member.group_instance_id->str() : "",
                           member.client_id.str(), member.client_host.str(),
                           assignment ? std::move(*assignment) : Partitions{}});
  }
  co_return out;
}

Task<Answer<std::vector<ListRow>>> list_consumer_groups(Admin& admin, std::vector<std::string> states,
                                                        std::vector<std::string> types) {
  protocol::ListGroupsRequest request;
  for (const std::string& state : states) request.states_filter.emplace_back(state);
  for (const std::string& type : types) request.types_filter.emplace_back(type);
  std::vector<ListRow> out;
  for (const auto& [node, answer] : co_await admin.list_groups(std::move(request))) {
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->body.error_code != 0) co_return client::failure(answer->body.error_code);
    for (const auto& group : answer->body.groups) {
      const std::string type = capitalized(group.group_type.str());
      const bool of_consumers = group.protocol_type.empty() || group.protocol_type.get() == "consumer";
      if (!of_consumers || type == "Share" || type == "Streams") continue;
      out.push_back({group.group_id.str(), type.empty() ? "Unknown" : type,
                     group.group_state.empty() ? "Unknown" : group.group_state.str()});
    }
  }
  std::ranges::sort(out, {}, &ListRow::group);
  co_return out;
}

Task<Answer<Partitions>> partitions_of(Admin& admin, std::vector<std::string> topics) {
  Partitions out;
  std::vector<std::string> whole;
  for (const std::string& topic : topics) {
    if (topic.find(':') == std::string::npos) {
      whole.push_back(topic);
      continue;
    }
    const auto some = parse_topic_partitions(topic);
    if (!some) co_return std::unexpected(some.error());
    out.insert(out.end(), some->begin(), some->end());
  }
  if (whole.empty()) co_return out;
  if (const auto refreshed = co_await admin.refresh_metadata(whole); !refreshed) {
    co_return std::unexpected(refreshed.error());
  }
  for (const std::string& name : whole) {
    const client::TopicInfo* topic = admin.cluster().metadata().topic(name);
    if (topic == nullptr || topic->error != ErrorCode::kNone) {
      co_return client::failure(topic == nullptr ? ErrorCode::kUnknownTopicOrPartition : topic->error);
    }
    for (const auto& partition : topic->partitions) out.push_back({name, partition.index});
  }
  co_return out;
}

Task<Answer<std::map<TopicPartition, client::CommittedOffset>>> committed_offsets(Admin& admin, std::string group) {
  const auto answer = co_await admin.list_group_offsets(std::move(group), std::nullopt);
  if (!answer) co_return std::unexpected(answer.error());
  std::map<TopicPartition, client::CommittedOffset> out;
  for (const auto& [partition, offset] : *answer) {
    if (!offset) co_return std::unexpected(offset.error());
    if (offset->offset >= 0) out[partition] = *offset;
  }
  co_return out;
}

Task<Answer<PartitionOffsets>> offsets_at(Admin& admin, Partitions partitions, std::int64_t timestamp) {
  PartitionOffsets wanted;
  for (const auto& partition : partitions) wanted[partition] = timestamp;
  PartitionOffsets out;
  if (wanted.empty()) co_return out;
  for (const auto& [partition, listed] : co_await admin.list_offsets(std::move(wanted))) {
    if (!listed) co_return std::unexpected(listed.error());
    out[partition] = listed->offset;
  }
  co_return out;
}

Task<Answer<PartitionOffsets>> offsets_at_time(Admin& admin, Partitions partitions, std::int64_t timestamp_ms) {
  auto out = co_await offsets_at(admin, std::move(partitions), timestamp_ms);
  if (!out) co_return out;
  Partitions empty;
  for (const auto& [partition, offset] : *out) {
    if (offset >= 0) continue;
    empty.push_back(partition);
    fmt::print("\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.\n",
               partition.partition, partition.topic);
  }
  const auto ends = co_await offsets_at(admin, std::move(empty), client::kLatestTimestamp);
  if (!ends) co_return std::unexpected(ends.error());
  for (const auto& [partition, offset] : *ends) (*out)[partition] = offset;
  co_return out;
}

Task<Answer<PartitionOffsets>> into_range(Admin& admin, PartitionOffsets offsets) {
  Partitions partitions;
  for (const auto& [partition, offset] : offsets) partitions.push_back(partition);
  const auto starts = co_await offsets_at(admin, partitions, client::kEarliestTimestamp);
  if (!starts) co_return std::unexpected(starts.error());
  const auto ends = co_await offsets_at(admin, partitions, client::kLatestTimestamp);
  if (!ends) co_return std::unexpected(ends.error());
  for (auto& [partition, offset] : offsets) {
    const std::int64_t start = starts->at(partition);
    const std::int64_t end = ends->at(partition);
    if (offset >= start && offset <= end) continue;
    const bool high = offset > end;
    fmt::print(stderr, "WARN New offset ({}) is {} than {} offset for topic partition {}. Value will be set to {}.\n",
               offset, high ? "higher" : "lower", high ? "latest" : "earliest", name_of(partition), high ? end : start);
    offset = high ? end : start;
  }
  co_return offsets;
}

Task<Answer<>> check_partitions(Admin& admin, Partitions partitions) {
  std::vector<std::string> topics;
  for (const auto& partition : partitions) topics.push_back(partition.topic);
  std::ranges::sort(topics);
  topics.erase(std::ranges::unique(topics).begin(), topics.end());
  if (const auto refreshed = co_await admin.refresh_metadata(topics); !refreshed) {
    co_return std::unexpected(refreshed.error());
  }
  std::vector<std::string> missing;
  std::vector<std::string> leaderless;
  for (const auto& partition : partitions) {
    const auto* info = admin.cluster().metadata().partition(partition.topic, partition.partition);
    if (info == nullptr) {
      missing.push_back(name_of(partition));
    } else if (info->leader == client::kNoNode) {
      leaderless.push_back(name_of(partition));
    }
  }
  if (!missing.empty()) {
    co_return client::failure(ErrorCode::kUnknownTopicOrPartition,
                              fmt::format("The partitions \"{}\" do not exist", join(missing, ",")));
  }
  if (!leaderless.empty()) {
    co_return client::failure(ErrorCode::kLeaderNotAvailable,
                              fmt::format("The partitions \"{}\" have no leader", join(leaderless, ",")));
  }
  co_return Answer<>{};
}

}  // namespace dohle::app

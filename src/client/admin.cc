#include <client/admin.h>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include <protocol/messages/delete_records_request.h>
#include <protocol/messages/list_offsets_request.h>
#include <protocol/messages/list_offsets_response.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

namespace {

constexpr std::int8_t kBrokerResource = 4;
constexpr std::int8_t kBrokerLoggerResource = 8;
constexpr std::int32_t kConsumerReplicaId = -1;
constexpr std::int32_t kAnyBroker = -1;

// Names instead of topic ids, which would have to be looked up first.
constexpr std::int16_t kLastOffsetFetchByName = 9;
constexpr std::int16_t kLastOffsetCommitByName = 9;

// The node that a configuration resource belongs to.
std::int32_t owner_of(std::int8_t type, std::string_view name) {
  if ((type != kBrokerResource && type != kBrokerLoggerResource) || name.empty()) return kAnyBroker;
  const auto node = property_number({{"", std::string(name)}}, "", kAnyBroker, 0, INT32_MAX);
  return node ? static_cast<std::int32_t>(*node) : kAnyBroker;
}

std::map<std::string, std::vector<std::int32_t>> by_topic(const std::vector<TopicPartition>& partitions) {
  std::map<std::string, std::vector<std::int32_t>> out;
  for (const auto& partition : partitions) out[partition.topic].push_back(partition.partition);
  return out;
}

template <typename T>
void fail_all(const std::vector<TopicPartition>& partitions, const KafkaError& error, PerPartition<T>& out) {
  for (const auto& partition : partitions) out.insert_or_assign(partition, std::unexpected(error));
}

template <typename T>
std::vector<TopicPartition> unanswered(const std::vector<TopicPartition>& wanted, const PerPartition<T>& out) {
  std::vector<TopicPartition> left;
  for (const auto& partition : wanted) {
    const auto found = out.find(partition);
    if (found == out.end() || (!found->second && found->second.error().is_retriable())) left.push_back(partition);
  }
  return left;
}

template <typename Map>
std::vector<TopicPartition> keys_of(const Map& map) {
  std::vector<TopicPartition> keys;
  for (const auto& [partition, value] : map) keys.push_back(partition);
  return keys;
}

// The partitions of a request that is sorted by topic; `fill` says of each what is asked.
template <typename Request, typename Fill>
void add_partitions(Request& request, const std::vector<TopicPartition>& partitions, Fill fill) {
  for (const auto& [name, indexes] : by_topic(partitions)) {
    auto& topic = request.topics.emplace_back();
    topic.name = Text(name);
    for (const std::int32_t index : indexes) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = index;
      fill(partition, TopicPartition{name, index});
    }
  }
}

}  // namespace

bool Admin::is_coordinator_error(std::int16_t code) {
  switch (protocol::error_code_from(code)) {
    case ErrorCode::kNotCoordinator:
    case ErrorCode::kCoordinatorNotAvailable:
    case ErrorCode::kCoordinatorLoadInProgress:
      return true;
    default:
      return false;
  }
}

Task<Answer<>> Admin::know_nodes() {
  if (!cluster_->metadata().nodes.empty() && !cluster_->metadata_is_old()) co_return Answer<>{};
  co_return co_await cluster_->refresh_metadata(std::vector<std::string>{});
}

Task<Answer<>> Admin::refresh_metadata(std::optional<std::vector<std::string>> topics) {
  co_return co_await cluster_->retry(timeout_ms(), [&] { return cluster_->refresh_metadata(topics); });
}

Task<Answer<Reply<protocol::MetadataResponse>>> Admin::describe_topics(std::optional<std::vector<std::string>> topics) {
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.include_topic_authorized_operations = true;
  if (topics) {
    for (const auto& topic : *topics) request.topics->emplace_back().name = Text(topic);
  } else {
    request.topics.reset();
  }
  co_return co_await call(std::move(request));
}

Task<Answer<std::vector<std::int32_t>>> Admin::brokers() {
  auto refreshed = co_await refresh_metadata(std::vector<std::string>{});
  if (!refreshed) co_return std::unexpected(std::move(refreshed).error());
  std::vector<std::int32_t> ids;
  for (const auto& [id, node] : cluster_->metadata().nodes) ids.push_back(id);
  co_return ids;
}

Task<Answer<std::vector<Reply<protocol::DescribeConfigsResponse>>>> Admin::describe_configs(
    protocol::DescribeConfigsRequest request) {
  std::map<std::int32_t, protocol::DescribeConfigsRequest> parts;
  for (auto& resource : request.resources) {
    auto& part = parts[owner_of(resource.resource_type, resource.resource_name)];
    part.include_synonyms = request.include_synonyms;
    part.include_documentation = request.include_documentation;
    part.resources.push_back(std::move(resource));
  }
  std::vector<Reply<protocol::DescribeConfigsResponse>> out;
  for (auto& [node, part] : parts) {
    auto answer = node == kAnyBroker ? co_await call(std::move(part)) : co_await call_node(node, std::move(part));
    if (!answer) co_return std::unexpected(std::move(answer).error());
    out.push_back(std::move(*answer));
  }
  co_return out;
}

Task<Answer<std::vector<Reply<protocol::IncrementalAlterConfigsResponse>>>> Admin::incremental_alter_configs(
    protocol::IncrementalAlterConfigsRequest request) {
  std::map<std::int32_t, protocol::IncrementalAlterConfigsRequest> parts;
  for (auto& resource : request.resources) {
    auto& part = parts[owner_of(resource.resource_type, resource.resource_name)];
    part.validate_only = request.validate_only;
    part.resources.push_back(std::move(resource));
  }
  std::vector<Reply<protocol::IncrementalAlterConfigsResponse>> out;
  for (auto& [node, part] : parts) {
    auto answer = node == kAnyBroker ? co_await call(std::move(part)) : co_await call_node(node, std::move(part));
    if (!answer) co_return std::unexpected(std::move(answer).error());
    out.push_back(std::move(*answer));
  }
  co_return out;
}

template <typename T>
Task<std::map<std::int32_t, std::vector<TopicPartition>>> Admin::by_leader(std::vector<TopicPartition> partitions,
                                                                           PerPartition<T>& out) {
  std::vector<std::string> topics;
  for (const auto& [topic, indexes] : by_topic(partitions)) topics.push_back(topic);
  std::map<std::int32_t, std::vector<TopicPartition>> leaders;
  if (auto refreshed = co_await cluster_->refresh_metadata(topics); !refreshed) {
    fail_all(partitions, refreshed.error(), out);
    co_return leaders;
  }
  for (const auto& partition : partitions) {
    const TopicInfo* topic = cluster_->metadata().topic(partition.topic);
    const PartitionInfo* info = cluster_->metadata().partition(partition.topic, partition.partition);
    if (topic == nullptr || topic->error != ErrorCode::kNone || info == nullptr) {
      const bool known = topic != nullptr && topic->error != ErrorCode::kNone;
      out.insert_or_assign(partition, failure(known ? topic->error : ErrorCode::kUnknownTopicOrPartition));
    } else if (info->leader == kNoNode) {
      out.insert_or_assign(partition, failure(ErrorCode::kLeaderNotAvailable));
    } else {
      out.erase(partition);
      leaders[info->leader].push_back(partition);
    }
  }
  co_return leaders;
}

template <typename T, typename Ask>
Task<PerPartition<T>> Admin::ask_leaders(std::vector<TopicPartition> wanted, Ask ask) {
  PerPartition<T> out;
  (void)co_await cluster_->retry(timeout_ms(), [&]() -> Task<Answer<>> {
    const auto leaders = co_await by_leader(unanswered(wanted, out), out);
    for (const auto& [leader, partitions] : leaders) co_await ask(leader, partitions, out);
    if (!unanswered(wanted, out).empty()) co_return failure(ErrorCode::kLeaderNotAvailable);
    co_return Answer<>{};
  });
  for (const auto& partition : unanswered(wanted, out)) {
    out.try_emplace(partition, failure(ErrorCode::kRequestTimedOut));
  }
  co_return out;
}

template <typename T, typename Request, typename Value>
Task<void> Admin::ask_leader(std::int32_t leader, std::vector<TopicPartition> partitions, Request request, Value value,
                             PerPartition<T>& out) {
  auto reply = co_await cluster_->send(leader, std::move(request));
  if (!reply) {
    fail_all(partitions, reply.error(), out);
    co_return;
  }
  for (const auto& topic : reply->body.topics) {
    for (const auto& got : topic.partitions) {
      const TopicPartition key{topic.name.str(), got.partition_index};
      if (got.error_code != 0) {
        out.insert_or_assign(key, failure(got.error_code));
      } else {
        out.insert_or_assign(key, value(got));
      }
    }
  }
}

Task<PerPartition<ListedOffset>> Admin::list_offsets(std::map<TopicPartition, std::int64_t> timestamps,
                                                     IsolationLevel isolation) {
  const auto ask = [&](std::int32_t leader, const std::vector<TopicPartition>& partitions,
                       PerPartition<ListedOffset>& out) {
    protocol::ListOffsetsRequest request;
    request.replica_id = kConsumerReplicaId;
    request.isolation_level = static_cast<std::int8_t>(isolation);
    request.timeout_ms = static_cast<std::int32_t>(cluster_->config().request_timeout_ms);
    add_partitions(request, partitions,
                   [&](auto& partition, const TopicPartition& key) { partition.timestamp = timestamps.at(key); });
    const auto value = [](const auto& got) { return ListedOffset{got.offset, got.timestamp, got.leader_epoch}; };
    return ask_leader(leader, partitions, std::move(request), value, out);
  };
  co_return co_await ask_leaders<ListedOffset>(keys_of(timestamps), ask);
}

Task<PerPartition<std::int64_t>> Admin::delete_records(std::map<TopicPartition, std::int64_t> before) {
  const auto ask = [&](std::int32_t leader, const std::vector<TopicPartition>& partitions,
                       PerPartition<std::int64_t>& out) {
    protocol::DeleteRecordsRequest request;
    request.timeout_ms = static_cast<std::int32_t>(cluster_->config().request_timeout_ms);
    add_partitions(request, partitions,
                   [&](auto& partition, const TopicPartition& key) { partition.offset = before.at(key); });
    return ask_leader(leader, partitions, std::move(request), [](const auto& got) { return got.low_watermark; }, out);
  };
  co_return co_await ask_leaders<std::int64_t>(keys_of(before), ask);
}

Task<PerNode<Reply<protocol::DescribeLogDirsResponse>>> Admin::describe_log_dirs(
    std::vector<std::int32_t> nodes, protocol::DescribeLogDirsRequest request) {
  PerNode<Reply<protocol::DescribeLogDirsResponse>> out;
  for (const std::int32_t node : nodes) out.emplace(node, co_await call_node(node, request));
  co_return out;
}

Task<PerNode<Reply<protocol::ListGroupsResponse>>> Admin::list_groups(protocol::ListGroupsRequest request) {
  PerNode<Reply<protocol::ListGroupsResponse>> out;
  const auto nodes = co_await brokers();
  if (!nodes) {
    out.emplace(kNoNode, std::unexpected(nodes.error()));
    co_return out;
  }
  for (const std::int32_t node : *nodes) out.emplace(node, co_await call_node(node, request));
  co_return out;
}

Task<Answer<PerPartition<CommittedOffset>>> Admin::list_group_offsets(
    std::string group, std::optional<std::vector<TopicPartition>> partitions, bool require_stable) {
  protocol::OffsetFetchRequest request;
  request.require_stable = require_stable;
  auto& asked = request.groups.emplace_back();
  asked.group_id = Text(group);
  if (partitions) {
    for (const auto& [name, indexes] : by_topic(*partitions)) {
      auto& topic = asked.topics->emplace_back();
      topic.name = Text(name);
      topic.partition_indexes = indexes;
    }
  } else {
    asked.topics.reset();
  }
  const auto asks_again = [](const protocol::OffsetFetchResponse& body) {
    return body.groups.empty() ? std::int16_t{0} : body.groups.front().error_code;
  };
  auto reply = co_await call_coordinator(CoordinatorType::kGroup, group, std::move(request), asks_again,
                                         {.min_version = 8, .max_version = kLastOffsetFetchByName});
  if (!reply) co_return std::unexpected(std::move(reply).error());
  if (reply->body.groups.size() != 1) co_return failure(ErrorCode::kUnknownServerError);
  const auto& answered = reply->body.groups.front();
  if (answered.error_code != 0) co_return failure(answered.error_code);
  PerPartition<CommittedOffset> out;
  for (const auto& topic : answered.topics) {
    for (const auto& got : topic.partitions) {
      const TopicPartition key{topic.name.str(), got.partition_index};
      if (got.error_code != 0) {
        out.insert_or_assign(key, failure(got.error_code));
      } else {
        const std::string metadata = got.metadata ? got.metadata->str() : std::string();
        out.insert_or_assign(key, CommittedOffset{got.committed_offset, got.committed_leader_epoch, metadata});
      }
    }
  }
  co_return out;
}

Task<Answer<PerPartition<void>>> Admin::alter_group_offsets(std::string group,
                                                            std::map<TopicPartition, CommittedOffset> offsets) {
  protocol::OffsetCommitRequest request;
  request.group_id = Text(group);
  add_partitions(request, keys_of(offsets), [&](auto& partition, const TopicPartition& key) {
    const CommittedOffset& offset = offsets.at(key);
    partition.committed_offset = offset.offset;
    partition.committed_leader_epoch = offset.leader_epoch;
    partition.committed_metadata = Text(offset.metadata);
  });
  const auto asks_again = [](const protocol::OffsetCommitResponse& body) {
    for (const auto& topic : body.topics) {
      for (const auto& partition : topic.partitions) {
        if (is_coordinator_error(partition.error_code)) return partition.error_code;
      }
    }
    return std::int16_t{0};
  };
  auto reply = co_await call_coordinator(CoordinatorType::kGroup, group, std::move(request), asks_again,
                                         {.max_version = kLastOffsetCommitByName});
  if (!reply) co_return std::unexpected(std::move(reply).error());
  PerPartition<void> out;
  for (const auto& topic : reply->body.topics) {
    for (const auto& got : topic.partitions) {
      const TopicPartition key{topic.name.str(), got.partition_index};
      out.insert_or_assign(key, got.error_code == 0 ? Answer<>{} : Answer<>(failure(got.error_code)));
    }
  }
  co_return out;
}

}  // namespace dohle::client

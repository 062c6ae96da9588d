#include <client/cluster_metadata.h>

#include <algorithm>
#include <utility>

#include <protocol/messages/metadata_response.h>

namespace dohle::client {

namespace {

using protocol::MetadataResponse;

PartitionInfo partition_of(const MetadataResponse::MetadataResponsePartition& from) {
  return {from.partition_index, protocol::error_code_from(from.error_code),
          from.leader_id,       from.leader_epoch,
          from.replica_nodes,   from.isr_nodes,
          from.offline_replicas};
}

TopicInfo topic_of(const MetadataResponse::MetadataResponseTopic& from, const TopicInfo* before) {
  TopicInfo topic;
  topic.name = from.name ? from.name->str() : std::string();
  topic.id = from.topic_id;
  topic.error = protocol::error_code_from(from.error_code);
  topic.internal = from.is_internal;
  for (const auto& partition : from.partitions) topic.partitions.push_back(partition_of(partition));
  std::ranges::sort(topic.partitions, {}, &PartitionInfo::index);
  if (before == nullptr || before->id != topic.id) return topic;
  for (auto& partition : topic.partitions) {
    const PartitionInfo* known = before->partition(partition.index);
    const bool stale = known != nullptr && partition.leader_epoch >= 0 && partition.leader_epoch < known->leader_epoch;
    if (stale) partition = *known;
  }
  return topic;
}

}  // namespace

const TopicInfo* ClusterMetadata::topic(std::string_view name) const {
  const auto found = topics.find(name);
  return found == topics.end() ? nullptr : &found->second;
}

const TopicInfo* ClusterMetadata::topic(const Uuid& id) const {
  const auto found = std::ranges::find_if(topics, [&](const auto& entry) { return entry.second.id == id; });
  return found == topics.end() ? nullptr : &found->second;
}

const PartitionInfo* ClusterMetadata::partition(std::string_view name, std::int32_t index) const {
  const TopicInfo* found = topic(name);
  return found == nullptr ? nullptr : found->partition(index);
}

void ClusterMetadata::update(const MetadataResponse& response, bool all_topics) {
  if (response.cluster_id) cluster_id = response.cluster_id->str();
  controller = response.controller_id;
  nodes.clear();
  for (const auto& broker : response.brokers) {
    NodeInfo node{broker.node_id, {broker.host.str(), static_cast<std::uint16_t>(broker.port)}, std::nullopt};
    if (broker.rack) node.rack = broker.rack->str();
    nodes.emplace(broker.node_id, std::move(node));
  }
  std::map<std::string, TopicInfo, std::less<>> named;
  for (const auto& from : response.topics) {
    const std::string name = from.name ? from.name->str() : std::string();
    named[name] = topic_of(from, topic(name));
  }
  if (all_topics) topics.clear();
  for (auto& [name, topic] : named) topics[name] = std::move(topic);
}

}  // namespace dohle::client

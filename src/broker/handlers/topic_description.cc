#include "handlers/topic_description.h"

#include <algorithm>

namespace dohle::broker {
namespace {

using protocol::ErrorCode;

// The broker, when it is not fenced and has the listener.
const metadata::EndpointImage* reachable(const metadata::MetadataImage& image, std::int32_t broker_id,
                                         std::string_view listener) {
  const auto* broker = image.cluster().broker(broker_id);
  return broker == nullptr || broker->fenced ? nullptr : broker->endpoint(listener);
}

bool is_offline(const metadata::MetadataImage& image, const metadata::PartitionRegistration& partition,
                std::int32_t broker_id, std::string_view listener) {
  if (reachable(image, broker_id, listener) == nullptr) return true;
  return !image.cluster().broker(broker_id)->has_online_directory(partition.directory(broker_id));
}

std::vector<std::int32_t> keep_reachable(const metadata::MetadataImage& image, std::vector<std::int32_t> brokers,
                                         const DescribeRules& rules) {
  if (rules.only_reachable_replicas) {
    std::erase_if(brokers, [&](std::int32_t id) { return reachable(image, id, rules.listener) == nullptr; });
  }
  return brokers;
}

}  // namespace

PartitionDescription describe_partition(const metadata::MetadataImage& image,
                                        const metadata::PartitionRegistration& partition, const DescribeRules& rules) {
  PartitionDescription out;
  out.leader_epoch = partition.leader_epoch;
  out.replicas = keep_reachable(image, partition.replicas, rules);
  out.isr = keep_reachable(image, partition.isr, rules);
  for (const std::int32_t replica : partition.replicas) {
    if (is_offline(image, partition, replica, rules.listener)) out.offline.push_back(replica);
  }
  if (reachable(image, partition.leader, rules.listener) == nullptr) {
    const bool registered = image.cluster().broker(partition.leader) != nullptr;
    out.error =
        registered && rules.name_missing_listener ? ErrorCode::kListenerNotFound : ErrorCode::kLeaderNotAvailable;
    return out;
  }
  out.leader = partition.leader;
  const bool hidden = out.replicas.size() < partition.replicas.size() || out.isr.size() < partition.isr.size();
  if (hidden) out.error = ErrorCode::kReplicaNotAvailable;
  return out;
}

}  // namespace dohle::broker

// AlterPartitionReassignments and ListPartitionReassignments (KIP-455).
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <controller/partition_control.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

// In ascending order.
ReplicaIds difference(const ReplicaIds& a, const ReplicaIds& b) {
  std::set<std::int32_t> out(a.begin(), a.end());
  for (const std::int32_t id : b) out.erase(id);
  return {out.begin(), out.end()};
}
ReplicaIds without(ReplicaIds ids, const ReplicaIds& out) {
  std::erase_if(ids, [&](std::int32_t id) { return std::ranges::find(out, id) != out.end(); });
  return ids;
}

// Replicas a partition will have when what goes on now has ended.
std::size_t settled_replicas(const PartitionRegistration& partition) {
  if (!partition.is_reassigning()) return partition.replicas.size();
  std::set<std::int32_t> all(partition.replicas.begin(), partition.replicas.end());
  all.insert(partition.adding_replicas.begin(), partition.adding_replicas.end());
  for (const std::int32_t id : partition.removing_replicas) all.erase(id);
  return all.size();
}

}  // namespace

ApiError PartitionControl::check_manual_assignment(const ControlView& view, const ReplicaIds& replicas,
                                                   std::size_t replication_factor) {
  const auto invalid = [](std::string text) { return ApiError(ErrorCode::kInvalidReplicaAssignment, std::move(text)); };
  if (replicas.empty()) return invalid("The manual partition assignment includes an empty replica list.");
  ReplicaIds sorted = replicas;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const BrokerRegistration* broker = view.image.cluster().broker(sorted[i]);
    if (broker == nullptr) {
      return invalid(fmt::format(
          "The manual partition assignment includes broker {}, but no such broker is registered.", sorted[i]));
    }
    if (!broker->has_uncordoned_directory()) {
      return invalid(fmt::format(
          "The manual partition assignment includes broker {}, but all its log directories are cordoned.", sorted[i]));
    }
    if (i > 0 && sorted[i] == sorted[i - 1]) {
      return invalid(fmt::format("The manual partition assignment includes the broker {} more than once.", sorted[i]));
    }
  }
  if (replication_factor != 0 && sorted.size() != replication_factor) {
    return invalid(
        fmt::format("The manual partition assignment includes a partition with {} replica(s), but this is not "
                    "consistent with previous partitions, which have {} replica(s).",
                    sorted.size(), replication_factor));
  }
  return {};
}

ApiError PartitionControl::cancel_reassignment(const ControlView& view, const TopicImage& topic, std::int32_t id,
                                               const PartitionRegistration& partition, RecordList& out) const {
  if (!partition.is_reassigning()) {
    return {ErrorCode::kNoReassignmentInProgress, "No partition reassignment is in progress."};
  }
  const bool unclean_allowed = configs_.unclean_leader_election(view.image, topic.name);
  ReplicaIds replicas = without(partition.replicas, partition.adding_replicas);
  ReplicaIds isr = without(partition.isr, partition.adding_replicas);
  if (isr.empty()) {
    // Only new replicas are in sync: to go back means to start from one that is behind.
    if (replicas.empty()) {
      return {ErrorCode::kInvalidReplicaAssignment,
              "Invalid replica assignment: addingReplicas contains all replicas."};
    }
    if (!unclean_allowed) {
      return {ErrorCode::kInvalidReplicaAssignment,
              fmt::format("Unable to revert partition assignment for {}:{} because it would require an unclean leader "
                          "election.",
                          topic.name, id)};
    }
    isr = {replicas.front()};
  }
  PartitionChange builder = change(view, topic, id, partition);
  if (unclean_allowed) builder.election(Election::kUnclean);
  builder.isr(std::move(isr)).replicas(std::move(replicas)).removing({}).adding({});
  add_change(view, builder, out);
  return {};
}

ApiError PartitionControl::reassign_one(
    const ControlView& view, std::string_view name,
    const protocol::AlterPartitionReassignmentsRequest::ReassignablePartition& target,
    bool allow_replication_factor_change, RecordList& out) const {
  const TopicImage* topic = view.image.topics().find(name);
  if (topic == nullptr) {
    return {ErrorCode::kUnknownTopicOrPartition, fmt::format("Unable to find a topic named {}.", name)};
  }
  const PartitionRegistration* partition = topic->find(target.partition_index);
  if (partition == nullptr) {
    return {ErrorCode::kUnknownTopicOrPartition,
            fmt::format("Unable to find partition {}:{}.", name, target.partition_index)};
  }
  if (!target.replicas) return cancel_reassignment(view, *topic, target.partition_index, *partition, out);
  if (ApiError error = check_manual_assignment(view, *target.replicas, 0); error.failed()) return error;
  if (!allow_replication_factor_change && settled_replicas(*partition) != target.replicas->size()) {
    return {ErrorCode::kInvalidReplicationFactor, fmt::format("The replication factor is changed from {} to {}",
                                                              settled_replicas(*partition), target.replicas->size())};
  }
  const ReplicaIds removing = difference(partition->replicas, *target.replicas);
  const ReplicaIds adding = difference(*target.replicas, partition->replicas);
  ReplicaIds merged = *target.replicas;
  merged.insert(merged.end(), removing.begin(), removing.end());
  PartitionChange builder = change(view, *topic, target.partition_index, *partition);
  if (merged != partition->replicas) builder.replicas(std::move(merged));
  if (!removing.empty()) builder.removing(removing);
  if (!adding.empty()) builder.adding(adding);
  add_change(view, builder, out);
  return {};
}

Decided<protocol::AlterPartitionReassignmentsResponse> PartitionControl::alter_reassignments(
    const ControlView& view, const protocol::AlterPartitionReassignmentsRequest& request) const {
  Decision<protocol::AlterPartitionReassignmentsResponse> decision;
  decision.response.error_message.reset();
  decision.response.allow_replication_factor_change = request.allow_replication_factor_change;
  for (const auto& asked : request.topics) {
    auto& topic = decision.response.responses.emplace_back();
    topic.name = asked.name.str();
    for (const auto& target : asked.partitions) {
      const ApiError error =
          reassign_one(view, asked.name.get(), target, request.allow_replication_factor_change, decision.records);
      auto& result = topic.partitions.emplace_back();
      result.partition_index = target.partition_index;
      result.error_code = error.number();
      result.error_message.reset();
      if (error.message) result.error_message = *error.message;
    }
  }
  return decision;
}

protocol::ListPartitionReassignmentsResponse PartitionControl::list_reassignments(
    const MetadataImage& image, const protocol::ListPartitionReassignmentsRequest& request) const {
  protocol::ListPartitionReassignmentsResponse response;
  response.error_message.reset();
  const auto add = [](auto& to, std::int32_t id, const PartitionRegistration* partition) {
    if (partition == nullptr || !partition->is_reassigning()) return;
    auto& ongoing = to.partitions.emplace_back();
    ongoing.partition_index = id;
    ongoing.replicas = partition->replicas;
    ongoing.adding_replicas = partition->adding_replicas;
    ongoing.removing_replicas = partition->removing_replicas;
  };
  protocol::ListPartitionReassignmentsResponse::OngoingTopicReassignment ongoing;
  const auto finish = [&response, &ongoing](std::string_view name) {
    ongoing.name = name;
    if (!ongoing.partitions.empty()) response.topics.push_back(std::move(ongoing));
    ongoing = {};
  };
  if (!request.topics) {
    for (auto [name, topic] : image.topics().by_name()) {
      for (auto [id, partition] : topic->partitions) add(ongoing, id, partition.get());
      finish(name);
    }
    return response;
  }
  for (const auto& asked : *request.topics) {
    const TopicImage* topic = image.topics().find(asked.name.get());
    if (topic == nullptr) continue;
    for (const std::int32_t id : asked.partition_indexes) add(ongoing, id, topic->find(id));
    finish(topic->name);
  }
  return response;
}

}  // namespace dohle::metadata

// AlterPartition and AssignReplicasToDirs: what a broker reports about its own partitions.
#include <algorithm>
#include <set>
#include <utility>

#include <controller/partition_control.h>
#include <image/partition_records.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
using PartitionData = protocol::AlterPartitionRequest::PartitionData;

struct NewIsr {
  ReplicaIds ids;
  std::vector<std::int64_t> epochs;  // -1: not checked
};

NewIsr new_isr(const PartitionData& data, std::int16_t version) {
  NewIsr out;
  if (version < 3) {
    out.ids = data.new_isr;
    out.epochs.assign(data.new_isr.size(), -1);
  } else {
    for (const auto& broker : data.new_isr_with_epochs) {
      out.ids.push_back(broker.broker_id);
      out.epochs.push_back(broker.broker_epoch);
    }
  }
  return out;
}

bool is_valid_isr(const PartitionRegistration& partition, const ReplicaIds& isr) {
  if (isr.empty() || std::ranges::find(isr, partition.leader) == isr.end()) return false;
  const std::set<std::int32_t> distinct(isr.begin(), isr.end());
  return distinct.size() == isr.size() &&
         std::ranges::all_of(isr, [&](std::int32_t id) { return id >= 0 && partition.is_replica(id); });
}

bool all_eligible(const ClusterImage& cluster, const NewIsr& isr) {
  for (std::size_t i = 0; i < isr.ids.size(); ++i) {
    const BrokerRegistration* broker = cluster.broker(isr.ids[i]);
    if (broker == nullptr || !broker->is_active()) return false;
    if (isr.epochs[i] != -1 && isr.epochs[i] != broker->epoch) return false;
  }
  return true;
}

ErrorCode check(const ControlView& view, std::int32_t broker, const PartitionRegistration* partition,
                const PartitionData& data, const NewIsr& isr) {
  if (partition == nullptr) return ErrorCode::kUnknownTopicOrPartition;
  // A broker that knows more than this controller has heard of a newer one.
  if (data.leader_epoch > partition->leader_epoch || data.partition_epoch > partition->partition_epoch) {
    return ErrorCode::kNotController;
  }
  if (data.leader_epoch < partition->leader_epoch) return ErrorCode::kFencedLeaderEpoch;
  if (broker != partition->leader) return ErrorCode::kInvalidRequest;
  if (data.partition_epoch < partition->partition_epoch) return ErrorCode::kInvalidUpdateVersion;
  if (!is_valid_isr(*partition, isr.ids)) return ErrorCode::kInvalidRequest;
  if (data.leader_recovery_state != 0 && data.leader_recovery_state != 1) return ErrorCode::kInvalidRequest;
  const bool recovering = data.leader_recovery_state == static_cast<std::int8_t>(LeaderRecoveryState::kRecovering);
  if (recovering && isr.ids.size() > 1) return ErrorCode::kInvalidRequest;
  if (recovering && partition->leader_recovery_state == LeaderRecoveryState::kRecovered)
    return ErrorCode::kInvalidRequest;
  return all_eligible(view.image.cluster(), isr) ? ErrorCode::kNone : ErrorCode::kIneligibleReplica;
}

}  // namespace

Decided<protocol::AlterPartitionResponse> PartitionControl::alter_partition(
    const ControlView& view, const protocol::AlterPartitionRequest& request, std::int16_t request_version) const {
  if (ApiError error = view.check_broker_epoch(request.broker_id, request.broker_epoch); error.failed()) {
    return std::unexpected(std::move(error));
  }
  Decision<protocol::AlterPartitionResponse> decision{.records = {}, .response = {}, .atomic = false};
  for (const auto& asked : request.topics) {
    auto& answer = decision.response.topics.emplace_back();
    answer.topic_id = asked.topic_id;
    const TopicImage* topic = view.image.topics().find(TopicId{asked.topic_id});
    for (const PartitionData& data : asked.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = data.partition_index;
      if (topic == nullptr) {
        result.error_code = number(ErrorCode::kUnknownTopicId);
        continue;
      }
      const PartitionRegistration* partition = topic->find(data.partition_index);
      const NewIsr isr = new_isr(data, request_version);
      const ErrorCode error = check(view, request.broker_id, partition, data, isr);
      if (error != ErrorCode::kNone) {
        result.error_code = number(error);
        continue;
      }
      PartitionChange builder = change(view, *topic, data.partition_index, *partition);
      if (configs_.unclean_leader_election(view.image, topic->name)) builder.election(Election::kUnclean);
      builder.isr(isr.ids).recovery_state(static_cast<LeaderRecoveryState>(data.leader_recovery_state));
      PartitionRegistration after = *partition;
      if (const auto record = builder.build()) {
        decision.records.add(*record, view.version().partition_change_record());
        if (auto merged = merge_partition(after, *record)) after = std::move(*merged);
        // The change ended a reassignment and the leader with it: it must read the metadata before it asks again.
        if (record->leader != kNoLeaderChange && record->leader != request.broker_id) {
          result.error_code = number(ErrorCode::kNewLeaderElected);
          continue;
        }
      }
      result.leader_id = after.leader;
      result.leader_epoch = after.leader_epoch;
      result.isr = after.isr;
      result.leader_recovery_state = static_cast<std::int8_t>(after.leader_recovery_state);
      result.partition_epoch = after.partition_epoch;
    }
  }
  return decision;
}

Decided<protocol::AssignReplicasToDirsResponse> PartitionControl::assign_replicas_to_dirs(
    const ControlView& view, const protocol::AssignReplicasToDirsRequest& request) const {
  if (!view.version().has_directory_assignment()) {
    return std::unexpected(ApiError(ErrorCode::kUnsupportedVersion, "Directory assignment is not supported yet."));
  }
  if (ApiError error = view.check_broker_epoch(request.broker_id, request.broker_epoch); error.failed()) {
    return std::unexpected(std::move(error));
  }
  const std::int32_t broker = request.broker_id;
  const BrokerRegistration& registration = *view.image.cluster().broker(broker);
  Decision<protocol::AssignReplicasToDirsResponse> decision{.records = {}, .response = {}, .atomic = false};
  std::set<TopicIdPartition> offline;
  for (const auto& asked_directory : request.directories) {
    auto& directory = decision.response.directories.emplace_back();
    directory.id = asked_directory.id;
    const bool is_offline = !registration.has_online_directory(asked_directory.id);
    for (const auto& asked_topic : asked_directory.topics) {
      auto& answer = directory.topics.emplace_back();
      answer.topic_id = asked_topic.topic_id;
      const TopicImage* topic = view.image.topics().find(TopicId{asked_topic.topic_id});
      for (const auto& asked : asked_topic.partitions) {
        auto& result = answer.partitions.emplace_back();
        result.partition_index = asked.partition_index;
        const PartitionRegistration* partition = topic == nullptr ? nullptr : topic->find(asked.partition_index);
        if (topic == nullptr) {
          result.error_code = number(ErrorCode::kUnknownTopicId);
        } else if (partition == nullptr) {
          result.error_code = number(ErrorCode::kUnknownTopicOrPartition);
        } else if (!partition->is_replica(broker)) {
          result.error_code = number(ErrorCode::kNotLeaderOrFollower);
        } else {
          PartitionChange builder = change(view, *topic, asked.partition_index, *partition);
          builder.directory(broker, asked_directory.id);
          add_change(view, builder, decision.records);
          if (is_offline) offline.insert({topic->id, asked.partition_index});
        }
      }
    }
  }
  for (const TopicIdPartition& at : offline) {
    const TopicImage* topic = view.image.topics().find(at.topic);
    update_one(view, {.remove = broker}, *topic, at.partition, *topic->find(at.partition), decision.records);
  }
  return decision;
}

}  // namespace dohle::metadata

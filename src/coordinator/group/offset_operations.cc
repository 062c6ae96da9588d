// OffsetCommit, OffsetFetch, OffsetDelete, and the expiry of offsets.
#include <limits>

#include <coordinator/group/java_string.h>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>

#include "group/group_machine.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

namespace {

constexpr std::string_view kExpiryTimer = "expire-offsets";

std::optional<std::string_view> view(const std::optional<Text>& text) {
  if (!text) return std::nullopt;
  return text->get();
}

}  // namespace

ErrorCode GroupMachine::validate_commit(Turn& turn, const RequestContext& context,
                                        const protocol::OffsetCommitRequest& request) {
  const std::int32_t generation = request.generation_id_or_member_epoch;
  if (groups_.is_modern(request.group_id)) return ErrorCode::kUnknownMemberId;
  ClassicGroup* group = groups_.find(request.group_id);
  if (group == nullptr) {
    // Without a generation: an administrator, or a consumer that manages its partitions itself. It needs no group.
    if (generation < 0) return ErrorCode::kNone;
    return context.api_version >= 9 ? ErrorCode::kGroupIdNotFound : ErrorCode::kIllegalGeneration;
  }
  if (generation < 0 && group->is(GroupState::kEmpty)) return ErrorCode::kNone;
  if (generation < 0 && request.member_id.empty() && !request.group_instance_id) return ErrorCode::kUnknownMemberId;
  if (const auto error = group->validate_member(request.member_id, view(request.group_instance_id));
      error != ErrorCode::kNone) {
    return error;
  }
  if (generation != group->generation() && !DOHLE_MUTANT("coordinator.old_generation_commits")) {
    DOHLE_MARK("coordinator.old_generation_refused");
    return ErrorCode::kIllegalGeneration;
  }
  // The member has this generation's assignment not yet; it is to sync first.
  if (group->is(GroupState::kCompletingRebalance)) return ErrorCode::kRebalanceInProgress;
  classic_.touch(turn, *group, *group->find(request.member_id));
  return ErrorCode::kNone;
}

Decision<protocol::OffsetCommitResponse> GroupMachine::commit_offsets(Turn& turn, const RequestContext& context,
                                                                      const protocol::OffsetCommitRequest& request) {
  if (const auto error = validate_commit(turn, context, request); error != ErrorCode::kNone) {
    return std::unexpected(error);
  }
  CommittedOffset committed;
  committed.commit_timestamp_ms = turn.wall_ms();
  if (request.retention_time_ms != -1) {
    // Whoever asks for the end of time gets it.
    constexpr auto kEndOfTime = std::numeric_limits<std::int64_t>::max();
    const std::int64_t now = turn.wall_ms();
    committed.expire_timestamp_ms =
        request.retention_time_ms > kEndOfTime - now ? kEndOfTime : now + request.retention_time_ms;
  }
  protocol::OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.name = Text(topic.name.get());
    topic_out.topic_id = topic.topic_id;
    committed.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& out = topic_out.partitions.emplace_back();
      out.partition_index = partition.partition_index;
      const std::string_view metadata = view(partition.committed_metadata).value_or("");
      if (utf16_length(metadata) > static_cast<std::size_t>(config_.offset_metadata_max_bytes)) {
        out.error_code = number(ErrorCode::kOffsetMetadataTooLarge);
        continue;
      }
      committed.offset = partition.committed_offset;
      committed.leader_epoch = partition.committed_leader_epoch;
      committed.metadata = metadata;
      turn.add(offset_record(request.group_id, topic.name, partition.partition_index, committed));
    }
  }
  return response;
}

namespace {

using FetchedPartition = protocol::OffsetFetchResponse::OffsetFetchResponsePartitions;

FetchedPartition fetched(std::int32_t partition, const CommittedOffset* committed, bool unstable) {
  FetchedPartition out;
  out.partition_index = partition;
  out.committed_offset = -1;
  if (unstable) {
    out.error_code = number(ErrorCode::kUnstableOffsetCommit);
  } else if (committed != nullptr) {
    out.committed_offset = committed->offset;
    out.committed_leader_epoch = committed->leader_epoch;
    out.metadata = Text(committed->metadata);
  }
  return out;
}

// An offset that was committed for an earlier topic of that name is not this topic's.
bool is_of_topic(const CommittedOffset& committed, const Uuid& topic_id) {
  return committed.topic_id.is_zero() || topic_id.is_zero() || committed.topic_id == topic_id;
}

}  // namespace

protocol::OffsetFetchResponse::OffsetFetchResponseGroup GroupMachine::fetch_offsets(
    const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const {
  protocol::OffsetFetchResponse::OffsetFetchResponseGroup response;
  response.group_id = Text(request.group_id.get());
  const std::string_view group = request.group_id;
  if (request.topics) {
    for (const auto& topic : *request.topics) {
      auto& topic_out = response.topics.emplace_back();
      topic_out.name = Text(topic.name.get());
      topic_out.topic_id = topic.topic_id;
      for (const std::int32_t partition : topic.partition_indexes) {
        const CommittedOffset* committed = offsets_.find(group, topic.name, partition);
        if (committed != nullptr && !is_of_topic(*committed, topic.topic_id)) committed = nullptr;
        const bool unstable = require_stable && offsets_.has_pending(group, topic.name, partition);
        topic_out.partitions.push_back(fetched(partition, committed, unstable));
      }
    }
    return response;
  }
  const auto* by_topic = offsets_.find(group);
  if (by_topic == nullptr) return response;
  for (const auto& [topic, by_partition] : *by_topic) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.name = Text(topic);
    for (const auto& [partition, committed] : by_partition) {
      const bool unstable = require_stable && offsets_.has_pending(group, topic, partition);
      topic_out.partitions.push_back(fetched(partition, &committed, unstable));
    }
  }
  return response;
}

ErrorCode GroupMachine::validate_offset_delete(std::string_view group_id) {
  if (groups_.is_modern(group_id)) return ErrorCode::kNonEmptyGroup;
  const ClassicGroup* group = groups_.find(group_id);
  if (group == nullptr) return ErrorCode::kGroupIdNotFound;
  // Only of consumers do we know what they read.
  if (!group->is(GroupState::kEmpty) && !group->uses_consumer_protocol()) return ErrorCode::kNonEmptyGroup;
  return ErrorCode::kNone;
}

Decision<protocol::OffsetDeleteResponse> GroupMachine::delete_offsets(Turn& turn,
                                                                      const protocol::OffsetDeleteRequest& request) {
  if (const auto error = validate_offset_delete(request.group_id); error != ErrorCode::kNone) {
    return std::unexpected(error);
  }
  const ClassicGroup& group = *groups_.find(request.group_id);
  protocol::OffsetDeleteResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.name = Text(topic.name.get());
    const bool subscribed = group.is_subscribed(topic.name);
    for (const auto& partition : topic.partitions) {
      auto& out = topic_out.partitions.emplace_back();
      out.partition_index = partition.partition_index;
      if (subscribed) {
        out.error_code = number(ErrorCode::kGroupSubscribedToTopic);
      } else if (offsets_.find(group.id(), topic.name, partition.partition_index) != nullptr ||
                 offsets_.has_pending(group.id(), topic.name, partition.partition_index)) {
        turn.add(offset_tombstone(group.id(), topic.name, partition.partition_index));
      }
    }
  }
  return response;
}

void GroupMachine::schedule_expiry(Turn& turn) {
  turn.timers().schedule(std::string(kExpiryTimer), config_.offsets_retention_check_interval_ms,
                         [this](Turn& later) { expire(later); });
}

void GroupMachine::expire(Turn& turn) {
  schedule_expiry(turn);
  turn.may_split();
  std::size_t groups = 0;
  for (const auto& [id, group] : groups_.all()) {
    if (!expire_offsets(turn, *group) || !group->is(GroupState::kEmpty) || group->has_pending()) continue;
    turn.add(group_tombstone(id));
    ++groups;
  }
  const std::size_t offsets = turn.records().size() - groups;
  if (offsets > 0) log::info("coordinator", "{} tombstones for expired offsets", offsets);
}

bool GroupMachine::expire_offsets(Turn& turn, const ClassicGroup& group) {
  const bool open_transaction = offsets_.has_pending(group.id());
  const auto* by_topic = offsets_.find(group.id());
  if (by_topic == nullptr) return !open_transaction;
  // From when retention counts: the moment a group with a protocol became empty; else the commit. A group that is
  // rebalancing keeps all.
  const bool empty = group.is(GroupState::kEmpty);
  if (group.protocol_type() && !empty &&
      !(group.is(GroupState::kStable) && group.uses_consumer_protocol() && group.subscribed_topics())) {
    return false;
  }
  const auto since = group.protocol_type() && empty ? group.state_since_ms() : std::nullopt;
  bool all_expired = true;
  for (const auto& [topic, by_partition] : *by_topic) {
    const bool subscribed = group.is_subscribed(topic);
    for (const auto& [partition, committed] : by_partition) {
      const std::int64_t base_ms = since.value_or(committed.commit_timestamp_ms);
      const bool due = committed.expire_timestamp_ms ? turn.settled_wall_ms() >= *committed.expire_timestamp_ms
                                                     : turn.settled_wall_ms() - base_ms >= config_.offsets_retention_ms;
      if (!subscribed && due && !offsets_.has_pending(group.id(), topic, partition)) {
        turn.add(offset_tombstone(group.id(), topic, partition));
      } else {
        all_expired = false;
      }
    }
  }
  return all_expired && !open_transaction;
}

void GroupMachine::topics_deleted(Turn& turn, const std::vector<DeletedTopic>& topics) {
  turn.may_split();
  const auto sweep = [&](const OffsetStore::ByGroup& offsets) {
    for (const auto& [group, by_topic] : offsets) {
      for (const auto& deleted : topics) {
        const auto at = by_topic.find(deleted.name);
        if (at == by_topic.end()) continue;
        for (const auto& [partition, committed] : at->second) {
          if (!is_of_topic(committed, deleted.id.uuid)) continue;
          turn.add(offset_tombstone(group, deleted.name, partition));
        }
      }
    }
  };
  sweep(offsets_.all());
  for (const auto& [producer, offsets] : offsets_.pending()) sweep(offsets);
}

}  // namespace dohle::coordinator

// GroupCoordinator: the group coordinator of one runtime shard. It leads the groups of those partitions of
// __consumer_offsets that live on this shard; GroupRouter finds the right one for a group.
//
// Requests are passed by reference and must stay alive until the task ends. Answers own what they hold, so they may
// cross shards. JoinGroup and SyncGroup are parked for as long as a rebalance takes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/ids.h>
#include <coordinator/group/deleted_topic.h>
#include <coordinator/group/group_config.h>
#include <coordinator/group/request_context.h>
#include <coordinator/partition_writer.h>
#include <protocol/error_code.h>
#include <protocol/messages/delete_groups_response.h>
#include <protocol/messages/describe_groups_response.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <protocol/messages/join_group_request.h>
#include <protocol/messages/join_group_response.h>
#include <protocol/messages/leave_group_request.h>
#include <protocol/messages/leave_group_response.h>
#include <protocol/messages/list_groups_request.h>
#include <protocol/messages/list_groups_response.h>
#include <protocol/messages/offset_commit_request.h>
#include <protocol/messages/offset_commit_response.h>
#include <protocol/messages/offset_delete_request.h>
#include <protocol/messages/offset_delete_response.h>
#include <protocol/messages/offset_fetch_request.h>
#include <protocol/messages/offset_fetch_response.h>
#include <protocol/messages/sync_group_request.h>
#include <protocol/messages/sync_group_response.h>
#include <runtime/settled_clock.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::coordinator {

class GroupMachine;
class PartitionRuntime;

using DescribedGroups = std::vector<protocol::DescribeGroupsResponse::DescribedGroup>;
using DeletedGroups = std::vector<protocol::DeleteGroupsResponse::DeletableGroupResult>;
using FetchGroup = protocol::OffsetFetchRequest::OffsetFetchRequestGroup;
using FetchedGroup = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;

// What a group has committed for a partition.
struct CommittedPosition {
  std::string group;
  TopicPartition partition;
  std::int64_t offset = -1;
};

class GroupCoordinator {
 public:
  // On `shard`, which runs everything; `writer` and `clock` must outlive this object. Call stop() before destroying it.
  GroupCoordinator(runtime::Shard& shard, PartitionWriter& writer, runtime::SettledClock& clock, GroupConfig config);
  ~GroupCoordinator();
  GroupCoordinator(const GroupCoordinator&) = delete;
  GroupCoordinator& operator=(const GroupCoordinator&) = delete;

  // This node leads `partition` from now on: loads it, and answers COORDINATOR_LOAD_IN_PROGRESS meanwhile. Older epochs
  // than the present one are ignored.
  void elected(std::int32_t partition, LeaderEpoch epoch);
  // It leads no more (in `epoch`, when known: older ones are ignored): everyone gets NOT_COORDINATOR.
  void resigned(std::int32_t partition, std::optional<LeaderEpoch> epoch);
  // Removes the offsets of these topics.
  void topics_deleted(const std::vector<DeletedTopic>& topics);
  // Unloads all partitions and waits until nothing runs. Requests get COORDINATOR_NOT_AVAILABLE from then on.
  [[nodiscard]] runtime::Task<void> stop();
  // Whether `partition` is loaded and serving.
  [[nodiscard]] bool is_active(std::int32_t partition) const;
  // Of the groups of `partition`, in order; none unless it is active.
  [[nodiscard]] std::vector<CommittedPosition> committed_positions(std::int32_t partition) const;

  // `partition` is the one of the request's group. Answers as Kafka's handlers give them, in the context's version.
  [[nodiscard]] runtime::Task<protocol::JoinGroupResponse> join_group(std::int32_t partition, RequestContext context,
                                                                      const protocol::JoinGroupRequest& request);
  [[nodiscard]] runtime::Task<protocol::SyncGroupResponse> sync_group(std::int32_t partition, RequestContext context,
                                                                      const protocol::SyncGroupRequest& request);
  [[nodiscard]] runtime::Task<protocol::HeartbeatResponse> heartbeat(std::int32_t partition, RequestContext context,
                                                                     const protocol::HeartbeatRequest& request);
  [[nodiscard]] runtime::Task<protocol::LeaveGroupResponse> leave_group(std::int32_t partition, RequestContext context,
                                                                        const protocol::LeaveGroupRequest& request);
  // Topics carry their names, and their ids where known, in every version.
  [[nodiscard]] runtime::Task<protocol::OffsetCommitResponse> commit_offsets(
      std::int32_t partition, RequestContext context, const protocol::OffsetCommitRequest& request);
  [[nodiscard]] runtime::Task<FetchedGroup> fetch_offsets(std::int32_t partition, RequestContext context,
                                                          const FetchGroup& request, bool require_stable);
  [[nodiscard]] runtime::Task<protocol::OffsetDeleteResponse> delete_offsets(
      std::int32_t partition, RequestContext context, const protocol::OffsetDeleteRequest& request);
  // Groups of one partition.
  [[nodiscard]] runtime::Task<DescribedGroups> describe_groups(std::int32_t partition, RequestContext context,
                                                               std::vector<std::string> group_ids);
  [[nodiscard]] runtime::Task<DeletedGroups> delete_groups(std::int32_t partition, RequestContext context,
                                                           std::vector<std::string> group_ids);
  // Groups of all partitions of this shard.
  [[nodiscard]] runtime::Task<protocol::ListGroupsResponse> list_groups(RequestContext context,
                                                                        const protocol::ListGroupsRequest& request);

 private:
  struct Partition;

  // The error of requests that need this partition now, or kNone and a partition that lives as long as its pin.
  [[nodiscard]] protocol::ErrorCode find(std::int32_t partition, std::shared_ptr<Partition>& found) const;
  void retire(std::shared_ptr<Partition> partition);
  static runtime::Task<void> drain(std::shared_ptr<Partition> partition, runtime::Gate::Pass);

  runtime::Shard& shard_;
  PartitionWriter& writer_;
  runtime::SettledClock& clock_;
  const GroupConfig config_;
  std::map<std::int32_t, std::shared_ptr<Partition>> partitions_;
  bool stopped_ = false;
  runtime::Gate gate_;
};

}  // namespace dohle::coordinator

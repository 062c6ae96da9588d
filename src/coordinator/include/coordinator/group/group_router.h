// GroupRouter: finds the shard that leads a request's group, and asks its GroupCoordinator. For handlers; may be used
// from any shard, as it only reads what is fixed at start (set_partitions aside, which start-up calls).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <coordinator/group/group_coordinator.h>
#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::coordinator {

class GroupRouter {
 public:
  // `coordinators[i]` lives on shard i. `shard_of` says on which shard a partition of __consumer_offsets lives; called
  // on any shard.
  GroupRouter(runtime::Shards& shards, std::vector<GroupCoordinator*> coordinators,
              std::function<std::size_t(std::int32_t)> shard_of, std::int32_t partitions);

  // How many partitions __consumer_offsets really has; until it exists, offsets.topic.num.partitions.
  void set_partitions(std::int32_t partitions) { partitions_.store(partitions, std::memory_order_relaxed); }
  [[nodiscard]] std::int32_t partition_for(std::string_view group_id) const;

  // As in GroupCoordinator; `request` must stay alive until the task ends.
  [[nodiscard]] runtime::Task<protocol::JoinGroupResponse> join_group(RequestContext context,
                                                                      const protocol::JoinGroupRequest& request);
  [[nodiscard]] runtime::Task<protocol::SyncGroupResponse> sync_group(RequestContext context,
                                                                      const protocol::SyncGroupRequest& request);
  [[nodiscard]] runtime::Task<protocol::HeartbeatResponse> heartbeat(RequestContext context,
                                                                     const protocol::HeartbeatRequest& request);
  [[nodiscard]] runtime::Task<protocol::LeaveGroupResponse> leave_group(RequestContext context,
                                                                        const protocol::LeaveGroupRequest& request);
  [[nodiscard]] runtime::Task<protocol::OffsetCommitResponse> commit_offsets(
      RequestContext context, const protocol::OffsetCommitRequest& request);
  [[nodiscard]] runtime::Task<FetchedGroup> fetch_offsets(RequestContext context, const FetchGroup& request,
                                                          bool require_stable);
  [[nodiscard]] runtime::Task<protocol::OffsetDeleteResponse> delete_offsets(
      RequestContext context, const protocol::OffsetDeleteRequest& request);
  // Over all their partitions; in the order of the partitions.
  [[nodiscard]] runtime::Task<DescribedGroups> describe_groups(RequestContext context,
                                                               std::vector<std::string> group_ids);
  [[nodiscard]] runtime::Task<DeletedGroups> delete_groups(RequestContext context, std::vector<std::string> group_ids);
  // Over all shards.
  [[nodiscard]] runtime::Task<protocol::ListGroupsResponse> list_groups(RequestContext context,
                                                                        const protocol::ListGroupsRequest& request);

 private:
  template <typename R, typename Request>
  runtime::Task<R> forward(runtime::Task<R> (GroupCoordinator::*method)(std::int32_t, RequestContext, const Request&),
                           RequestContext context, const Request& request);
  template <typename R>
  runtime::Task<R> fan_out(runtime::Task<R> (GroupCoordinator::*method)(std::int32_t, RequestContext,
                                                                        std::vector<std::string>),
                           RequestContext context, std::vector<std::string> group_ids);

  runtime::Shards& shards_;
  std::vector<GroupCoordinator*> coordinators_;
  std::function<std::size_t(std::int32_t)> shard_of_;
  std::atomic<std::int32_t> partitions_;
};

}  // namespace dohle::coordinator

// GroupRouter: finds the shard that leads a request's group, and asks its GroupCoordinator. For handlers; one for each
// shard that serves requests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <coordinator/group/group_coordinator.h>
#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::coordinator {

// Where __consumer_offsets lives, as this shard knows it.
struct GroupPlacement {
  // How many partitions it has; offsets.topic.num.partitions until it exists.
  std::function<std::int32_t()> partitions;
  // The shard of one of them; any shard when it is not here: its coordinator then says NOT_COORDINATOR.
  std::function<std::size_t(std::int32_t partition)> shard_of;
};

class GroupRouter {
 public:
  // `coordinators[i]` lives on shard i.
  GroupRouter(runtime::Shards& shards, std::vector<GroupCoordinator*> coordinators, GroupPlacement placement)
      : shards_(shards), coordinators_(std::move(coordinators)), placement_(std::move(placement)) {}

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
  GroupPlacement placement_;
};

}  // namespace dohle::coordinator

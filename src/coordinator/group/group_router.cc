#include <coordinator/group/group_router.h>

#include <map>
#include <utility>

#include <coordinator/group/java_string.h>

namespace dohle::coordinator {

using runtime::Task;

std::int32_t GroupRouter::partition_for(std::string_view group_id) const {
  return partition_for_group(group_id, placement_.partitions());
}

template <typename R, typename Request>
Task<R> GroupRouter::forward(Task<R> (GroupCoordinator::*method)(std::int32_t, RequestContext, const Request&),
                             RequestContext context, const Request& request) {
  const std::int32_t partition = partition_for(request.group_id);
  const std::size_t shard = placement_.shard_of(partition);
  GroupCoordinator* coordinator = coordinators_.at(shard);
  co_return co_await runtime::submit_to(
      shards_.at(shard), [coordinator, method, partition, context = std::move(context), &request]() mutable {
        return (coordinator->*method)(partition, std::move(context), request);
      });
}

template <typename R>
Task<R> GroupRouter::fan_out(Task<R> (GroupCoordinator::*method)(std::int32_t, RequestContext,
                                                                 std::vector<std::string>),
                             RequestContext context, std::vector<std::string> group_ids) {
  std::map<std::int32_t, std::vector<std::string>> by_partition;
  for (auto& group_id : group_ids) {
    const std::int32_t partition = partition_for(group_id);
    by_partition[partition].push_back(std::move(group_id));
  }
  R all;
  for (auto& [partition, ids] : by_partition) {
    const std::size_t shard = placement_.shard_of(partition);
    GroupCoordinator* coordinator = coordinators_.at(shard);
    auto part = co_await runtime::submit_to(
        shards_.at(shard), [coordinator, method, at = partition, context, part_ids = std::move(ids)]() mutable {
          return (coordinator->*method)(at, std::move(context), std::move(part_ids));
        });
    all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  }
  co_return all;
}

Task<protocol::JoinGroupResponse> GroupRouter::join_group(RequestContext context,
                                                          const protocol::JoinGroupRequest& request) {
  return forward(&GroupCoordinator::join_group, std::move(context), request);
}

Task<protocol::SyncGroupResponse> GroupRouter::sync_group(RequestContext context,
                                                          const protocol::SyncGroupRequest& request) {
  return forward(&GroupCoordinator::sync_group, std::move(context), request);
}

Task<protocol::HeartbeatResponse> GroupRouter::heartbeat(RequestContext context,
                                                         const protocol::HeartbeatRequest& request) {
  return forward(&GroupCoordinator::heartbeat, std::move(context), request);
}

Task<protocol::LeaveGroupResponse> GroupRouter::leave_group(RequestContext context,
                                                            const protocol::LeaveGroupRequest& request) {
  return forward(&GroupCoordinator::leave_group, std::move(context), request);
}

Task<protocol::OffsetCommitResponse> GroupRouter::commit_offsets(RequestContext context,
                                                                 const protocol::OffsetCommitRequest& request) {
  return forward(&GroupCoordinator::commit_offsets, std::move(context), request);
}

Task<protocol::OffsetDeleteResponse> GroupRouter::delete_offsets(RequestContext context,
                                                                 const protocol::OffsetDeleteRequest& request) {
  return forward(&GroupCoordinator::delete_offsets, std::move(context), request);
}

Task<FetchedGroup> GroupRouter::fetch_offsets(RequestContext context, const FetchGroup& request, bool require_stable) {
  const std::int32_t partition = partition_for(request.group_id);
  const std::size_t shard = placement_.shard_of(partition);
  GroupCoordinator* coordinator = coordinators_.at(shard);
  co_return co_await runtime::submit_to(
      shards_.at(shard), [coordinator, partition, context = std::move(context), &request, require_stable]() mutable {
        return coordinator->fetch_offsets(partition, std::move(context), request, require_stable);
      });
}

Task<DescribedGroups> GroupRouter::describe_groups(RequestContext context, std::vector<std::string> group_ids) {
  return fan_out(&GroupCoordinator::describe_groups, std::move(context), std::move(group_ids));
}

Task<DeletedGroups> GroupRouter::delete_groups(RequestContext context, std::vector<std::string> group_ids) {
  return fan_out(&GroupCoordinator::delete_groups, std::move(context), std::move(group_ids));
}

Task<protocol::ListGroupsResponse> GroupRouter::list_groups(RequestContext context,
                                                            const protocol::ListGroupsRequest& request) {
  protocol::ListGroupsResponse all;
  for (std::size_t shard = 0; shard < coordinators_.size(); ++shard) {
    GroupCoordinator* coordinator = coordinators_[shard];
    auto part = co_await runtime::submit_to(shards_.at(shard), [coordinator, context, &request]() mutable {
      return coordinator->list_groups(std::move(context), request);
    });
    if (part.error_code != 0) co_return part;
    all.groups.insert(all.groups.end(), std::make_move_iterator(part.groups.begin()),
                      std::make_move_iterator(part.groups.end()));
  }
  co_return all;
}

}  // namespace dohle::coordinator

// GroupCoordinator's answers about offsets, and about groups as a whole.
#include <algorithm>

#include <base/log.h>
#include <coordinator/core/partition_runtime.h>
#include <coordinator/group/group_coordinator.h>

#include "core/operation_error.h"
#include "group/group_machine.h"
#include "group/group_partition.h"

namespace dohle::coordinator {

using protocol::ErrorCode;
using runtime::Task;

namespace {

// Every partition of the request with the same error.
protocol::OffsetCommitResponse commit_error(const protocol::OffsetCommitRequest& request, ErrorCode error) {
  protocol::OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.name = Text(topic.name.get());
    topic_out.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& out = topic_out.partitions.emplace_back();
      out.partition_index = partition.partition_index;
      out.error_code = number(error);
    }
  }
  return response;
}

// Version 1 has no place for an error of the group.
FetchedGroup fetch_error(const FetchGroup& request, ErrorCode error, std::int16_t api_version) {
  FetchedGroup response;
  response.group_id = Text(request.group_id.get());
  if (api_version >= 2) {
    response.error_code = number(error);
    return response;
  }
  if (!request.topics) return response;
  for (const auto& topic : *request.topics) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.name = Text(topic.name.get());
    for (const std::int32_t partition : topic.partition_indexes) {
      auto& out = topic_out.partitions.emplace_back();
      out.partition_index = partition;
      out.error_code = number(error);
      out.committed_offset = -1;
    }
  }
  return response;
}

// Consumers before 3.9 neither expect these nor COORDINATOR_NOT_AVAILABLE in OffsetFetch.
ErrorCode fetch_operation_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotEnoughReplicas:
    case ErrorCode::kRequestTimedOut:
      return ErrorCode::kNotCoordinator;
    default:
      return operation_error(error);
  }
}

}  // namespace

Task<protocol::OffsetCommitResponse> GroupCoordinator::commit_offsets(std::int32_t partition, RequestContext context,
                                                                      const protocol::OffsetCommitRequest& request) {
  auto pass = gate_.enter();
  std::shared_ptr<Partition> found;
  if (const ErrorCode error = find(partition, found); error != ErrorCode::kNone) co_return commit_error(request, error);
  auto done =
      co_await found->runtime.run([&](Turn& turn) { return found->machine->commit_offsets(turn, context, request); });
  if (!done) co_return commit_error(request, operation_error(done.error()));
  co_return std::move(*done);
}

Task<FetchedGroup> GroupCoordinator::fetch_offsets(std::int32_t partition, RequestContext context,
                                                   const FetchGroup& request, bool require_stable) {
  auto pass = gate_.enter();
  std::shared_ptr<Partition> found;
  if (const ErrorCode error = find(partition, found); error != ErrorCode::kNone) {
    co_return fetch_error(request, error, context.api_version);
  }
  auto done = co_await found->runtime.run(
      [&](Turn&) -> Decision<FetchedGroup> { return found->machine->fetch_offsets(request, require_stable); });
  if (!done) co_return fetch_error(request, fetch_operation_error(done.error()), context.api_version);
  co_return std::move(*done);
}

Task<protocol::OffsetDeleteResponse> GroupCoordinator::delete_offsets(std::int32_t partition, RequestContext,
                                                                      const protocol::OffsetDeleteRequest& request) {
  auto pass = gate_.enter();
  protocol::OffsetDeleteResponse response;
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error != ErrorCode::kCoordinatorNotAvailable && request.group_id.empty()) error = ErrorCode::kInvalidGroupId;
  if (error == ErrorCode::kNone) {
    auto done = co_await found->runtime.run([&](Turn& turn) { return found->machine->delete_offsets(turn, request); });
    if (done) co_return std::move(*done);
    error = operation_error(done.error());
  }
  response.error_code = number(error);
  co_return response;
}

Task<DescribedGroups> GroupCoordinator::describe_groups(std::int32_t partition, RequestContext context,
                                                        std::vector<std::string> group_ids) {
  auto pass = gate_.enter();
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error == ErrorCode::kNone) {
    auto done = co_await found->runtime.run(
        [&](Turn&) -> Decision<DescribedGroups> { return found->machine->describe(group_ids, context.api_version); });
    if (done) co_return std::move(*done);
    error = operation_error(done.error());
  }
  DescribedGroups failed(group_ids.size());
  for (std::size_t i = 0; i < group_ids.size(); ++i) {
    failed[i].group_id = Text(group_ids[i]);
    failed[i].error_code = number(error);
  }
  co_return failed;
}

Task<DeletedGroups> GroupCoordinator::delete_groups(std::int32_t partition, RequestContext,
                                                    std::vector<std::string> group_ids) {
  auto pass = gate_.enter();
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error == ErrorCode::kNone) {
    auto done = co_await found->runtime.run(
        [&](Turn& turn) -> Decision<DeletedGroups> { return found->machine->delete_groups(turn, group_ids); });
    if (done) co_return std::move(*done);
    error = operation_error(done.error());
  }
  DeletedGroups failed(group_ids.size());
  for (std::size_t i = 0; i < group_ids.size(); ++i) {
    failed[i].group_id = Text(group_ids[i]);
    failed[i].error_code = number(error);
  }
  co_return failed;
}

Task<protocol::ListGroupsResponse> GroupCoordinator::list_groups(RequestContext,
                                                                 const protocol::ListGroupsRequest& request) {
  auto pass = gate_.enter();
  protocol::ListGroupsResponse response;
  if (stopped_) {
    response.error_code = number(ErrorCode::kCoordinatorNotAvailable);
    co_return response;
  }
  const auto partitions = partitions_;  // it may change while we wait
  for (const auto& [id, partition] : partitions) {
    auto done = co_await partition->runtime.run([&](Turn&) -> Decision<protocol::ListGroupsResponse> {
      protocol::ListGroupsResponse part;
      partition->machine->list(request, part.groups);
      return part;
    });
    if (done) {
      response.groups.insert(response.groups.end(), std::make_move_iterator(done->groups.begin()),
                             std::make_move_iterator(done->groups.end()));
    } else if (done.error() != ErrorCode::kNotCoordinator) {
      protocol::ListGroupsResponse failed;
      failed.error_code = number(operation_error(done.error()));
      co_return failed;
    }
  }
  co_return response;
}

}  // namespace dohle::coordinator

// Controller: AlterPartition, AssignReplicasToDirs, ElectLeaders and the reassignments.
#include <controller/controller_state.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

protocol::ElectLeadersResponse failure(const protocol::ElectLeadersRequest& request, const ApiError& error) {
  protocol::ElectLeadersResponse response;
  response.error_code = error.number();
  if (!request.topic_partitions) return response;
  for (const auto& topic : *request.topic_partitions) {
    auto& result = response.replica_election_results.emplace_back();
    result.topic = topic.topic.str();
    for (const std::int32_t id : topic.partitions) {
      auto& partition = result.partition_result.emplace_back();
      partition.partition_id = id;
      partition.error_code = error.number();
      partition.error_message.reset();
      if (error.message) partition.error_message = *error.message;
    }
  }
  return response;
}

protocol::AlterPartitionReassignmentsResponse failure(const protocol::AlterPartitionReassignmentsRequest& request,
                                                      const ApiError& error) {
  protocol::AlterPartitionReassignmentsResponse response;
  response.error_code = error.number();
  response.error_message.reset();
  if (error.message) response.error_message = *error.message;
  for (const auto& topic : request.topics) {
    auto& result = response.responses.emplace_back();
    result.name = topic.name.str();
    for (const auto& asked : topic.partitions) {
      auto& partition = result.partitions.emplace_back();
      partition.partition_index = asked.partition_index;
      partition.error_code = error.number();
      partition.error_message = response.error_message;
    }
  }
  return response;
}

template <typename Response>
Response failure_code(const ApiError& error) {
  Response response;
  response.error_code = error.number();
  return response;
}

}  // namespace

runtime::Task<protocol::AlterPartitionResponse> Controller::handle(const protocol::AlterPartitionRequest& request,
                                                                   ControllerRequestContext context) {
  using Response = protocol::AlterPartitionResponse;
  auto done = co_await write<Response>([this, &request, version = context.api_version](Term& term) {
    return managers_->partitions.alter_partition(term.view(), request, version);
  });
  co_return done ? std::move(*done) : failure_code<Response>(done.error());
}

runtime::Task<protocol::AssignReplicasToDirsResponse> Controller::handle(
    const protocol::AssignReplicasToDirsRequest& request, ControllerRequestContext /*context*/) {
  using Response = protocol::AssignReplicasToDirsResponse;
  auto done = co_await write<Response>(
      [this, &request](Term& term) { return managers_->partitions.assign_replicas_to_dirs(term.view(), request); });
  co_return done ? std::move(*done) : failure_code<Response>(done.error());
}

runtime::Task<protocol::ElectLeadersResponse> Controller::handle(const protocol::ElectLeadersRequest& request,
                                                                 ControllerRequestContext /*context*/) {
  auto done = co_await write<protocol::ElectLeadersResponse>(
      [this, &request](Term& term) { return managers_->partitions.elect_leaders(term.view(), request); });
  co_return done ? std::move(*done) : failure(request, done.error());
}

runtime::Task<protocol::AlterPartitionReassignmentsResponse> Controller::handle(
    const protocol::AlterPartitionReassignmentsRequest& request, ControllerRequestContext /*context*/) {
  auto done = co_await write<protocol::AlterPartitionReassignmentsResponse>(
      [this, &request](Term& term) { return managers_->partitions.alter_reassignments(term.view(), request); });
  co_return done ? std::move(*done) : failure(request, done.error());
}

runtime::Task<protocol::ListPartitionReassignmentsResponse> Controller::handle(
    const protocol::ListPartitionReassignmentsRequest& request, ControllerRequestContext /*context*/) {
  using Response = protocol::ListPartitionReassignmentsResponse;
  // Of what is committed.
  if (is_active()) co_return managers_->partitions.list_reassignments(*loader_.image(), request);
  const ApiError error(ErrorCode::kNotController);
  auto response = failure_code<Response>(error);
  response.error_message = *error.message;
  co_return response;
}

}  // namespace dohle::metadata

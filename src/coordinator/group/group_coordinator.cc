#include <coordinator/group/group_coordinator.h>

#include <algorithm>

#include <base/check.h>
#include <base/log.h>
#include <coordinator/core/partition_runtime.h>

#include "core/operation_error.h"
#include "group/group_machine.h"
#include "group/group_partition.h"

namespace dohle::coordinator {

using protocol::ErrorCode;
using runtime::Task;

GroupCoordinator::GroupCoordinator(runtime::Shard& shard, PartitionWriter& writer, runtime::SettledClock& clock,
                                   GroupConfig config)
    : shard_(shard), writer_(writer), clock_(clock), config_(config) {}

GroupCoordinator::~GroupCoordinator() { DOHLE_CHECK(partitions_.empty() && gate_.count() == 0); }

void GroupCoordinator::elected(std::int32_t partition, LeaderEpoch epoch) {
  if (stopped_) return;
  auto& slot = partitions_[partition];
  if (slot != nullptr) {
    if (slot->runtime.epoch() >= epoch && slot->runtime.state() != PartitionRuntime::State::kClosed) return;
    retire(std::move(slot));
  }
  auto machine = std::make_unique<GroupMachine>(config_, shard_.random());
  const RuntimeConfig config{.load_buffer_bytes = static_cast<std::size_t>(config_.offsets_load_buffer_bytes),
                             .max_batch_bytes = static_cast<std::size_t>(config_.max_batch_bytes),
                             .append_linger_ms = config_.append_linger_ms,
                             .commit_timeout_ms = config_.offsets_commit_timeout_ms,
                             .compression = config_.offsets_compression};
  GroupMachine* raw = machine.get();
  slot = std::make_shared<Partition>(partition, epoch, raw, std::move(machine), writer_, clock_, config);
  log::debug("coordinator", "partition {}: loading in epoch {}", partition, epoch.value());
  slot->runtime.start();
}

void GroupCoordinator::resigned(std::int32_t partition, std::optional<LeaderEpoch> epoch) {
  auto at = partitions_.find(partition);
  if (at == partitions_.end()) return;
  if (epoch && *epoch < at->second->runtime.epoch()) return;
  log::info("coordinator", "partition {}: unloaded", partition);
  retire(std::move(at->second));
  partitions_.erase(at);
}

void GroupCoordinator::retire(std::shared_ptr<Partition> partition) {
  partition->runtime.close();
  runtime::spawn(drain(std::move(partition), gate_.enter()));
}

Task<void> GroupCoordinator::drain(std::shared_ptr<Partition> partition, runtime::Gate::Pass) {
  co_await partition->runtime.drained();
}

Task<void> GroupCoordinator::stop() {
  stopped_ = true;
  for (auto partitions = std::exchange(partitions_, {}); auto& [id, partition] : partitions) {
    retire(std::move(partition));
  }
  co_await gate_.wait_empty();
}

bool GroupCoordinator::is_active(std::int32_t partition) const {
  const auto at = partitions_.find(partition);
  return at != partitions_.end() && at->second->runtime.state() == PartitionRuntime::State::kActive;
}

std::vector<CommittedPosition> GroupCoordinator::committed_positions(std::int32_t partition) const {
  std::vector<CommittedPosition> out;
  if (!is_active(partition)) return out;
  for (const auto& [group, topics] : partitions_.find(partition)->second->machine->offsets().all()) {
    for (const auto& [topic, partitions] : topics) {
      for (const auto& [number, committed] : partitions) out.push_back({group, {topic, number}, committed.offset});
    }
  }
  return out;
}

ErrorCode GroupCoordinator::find(std::int32_t partition, std::shared_ptr<Partition>& found) const {
  if (stopped_) return ErrorCode::kCoordinatorNotAvailable;
  const auto at = partitions_.find(partition);
  if (at == partitions_.end()) return ErrorCode::kNotCoordinator;
  found = at->second;
  return ErrorCode::kNone;
}

void GroupCoordinator::topics_deleted(const std::vector<DeletedTopic>& topics) {
  for (const auto& [id, partition] : partitions_) {
    runtime::spawn(
        [](std::shared_ptr<Partition> self, std::vector<DeletedTopic> deleted, runtime::Gate::Pass) -> Task<void> {
          auto done = co_await self->runtime.run([&](Turn& turn) -> Decision<runtime::Unit> {
            self->machine->topics_deleted(turn, deleted);
            return runtime::Unit{};
          });
          if (!done) {
            log::info("coordinator", "offsets of deleted topics stay for now: {}", protocol::name(done.error()));
          }
        }(partition, topics, gate_.enter()));
  }
}

Task<protocol::JoinGroupResponse> GroupCoordinator::join_group(std::int32_t partition, RequestContext context,
                                                               const protocol::JoinGroupRequest& request) {
  auto pass = gate_.enter();
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error != ErrorCode::kCoordinatorNotAvailable) {
    if (request.group_id.empty()) {
      error = ErrorCode::kInvalidGroupId;
    } else if (request.session_timeout_ms < config_.min_session_timeout_ms ||
               request.session_timeout_ms > config_.max_session_timeout_ms) {
      error = ErrorCode::kInvalidSessionTimeout;
    }
  }
  protocol::JoinGroupResponse response;
  if (error != ErrorCode::kNone) {
    // Kafka names the member in what it finds before it asks the partition, and not after.
    if (error != ErrorCode::kNotCoordinator) response.member_id = Text(request.member_id.get());
    response.error_code = number(error);
  } else {
    runtime::Promise<protocol::JoinGroupResponse> promise;
    auto future = promise.future();
    auto done = co_await found->runtime.run([&](Turn& turn) -> Decision<runtime::Unit> {
      found->machine->classic().join(turn, context, request,
                                     [promise](auto answer) mutable { promise.try_set(std::move(answer)); });
      return runtime::Unit{};
    });
    if (!done) {
      protocol::JoinGroupResponse failed;
      failed.error_code = number(operation_error(done.error()));
      promise.try_set(std::move(failed));
    }
    response = co_await future;
  }
  // "No protocol" is the empty string before version 7, and null from then on.
  if (context.api_version < 7 && !response.protocol_name) response.protocol_name = Text();
  if (context.api_version >= 7 && response.protocol_name && response.protocol_name->empty()) {
    response.protocol_name.reset();
  }
  co_return response;
}

Task<protocol::SyncGroupResponse> GroupCoordinator::sync_group(std::int32_t partition, RequestContext context,
                                                               const protocol::SyncGroupRequest& request) {
  auto pass = gate_.enter();
  protocol::SyncGroupResponse response;
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error != ErrorCode::kCoordinatorNotAvailable && request.group_id.empty()) error = ErrorCode::kInvalidGroupId;
  // From version 5 on they are mandatory, though nullable.
  if (context.api_version >= 5 && (!request.protocol_type || !request.protocol_name)) {
    error = ErrorCode::kInconsistentGroupProtocol;
  }
  if (error != ErrorCode::kNone) {
    response.error_code = number(error);
    co_return response;
  }
  runtime::Promise<protocol::SyncGroupResponse> promise;
  auto future = promise.future();
  auto done = co_await found->runtime.run([&](Turn& turn) -> Decision<runtime::Unit> {
    found->machine->classic().sync(turn, request,
                                   [promise](auto answer) mutable { promise.try_set(std::move(answer)); });
    return runtime::Unit{};
  });
  if (!done) {
    protocol::SyncGroupResponse failed;
    failed.error_code = number(operation_error(done.error()));
    promise.try_set(std::move(failed));
  }
  co_return co_await future;
}

Task<protocol::HeartbeatResponse> GroupCoordinator::heartbeat(std::int32_t partition, RequestContext,
                                                              const protocol::HeartbeatRequest& request) {
  auto pass = gate_.enter();
  protocol::HeartbeatResponse response;
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error != ErrorCode::kCoordinatorNotAvailable && request.group_id.empty()) error = ErrorCode::kInvalidGroupId;
  if (error == ErrorCode::kNone) {
    auto done = co_await found->runtime.run([&](Turn& turn) -> Decision<runtime::Unit> {
      const ErrorCode refused = found->machine->classic().heartbeat(turn, request);
      if (refused != ErrorCode::kNone) return std::unexpected(refused);
      return runtime::Unit{};
    });
    if (!done) error = operation_error(done.error());
    // While loading nobody can know better: the member is to carry on.
    if (error == ErrorCode::kCoordinatorLoadInProgress) error = ErrorCode::kNone;
  }
  response.error_code = number(error);
  co_return response;
}

Task<protocol::LeaveGroupResponse> GroupCoordinator::leave_group(std::int32_t partition, RequestContext context,
                                                                 const protocol::LeaveGroupRequest& request) {
  auto pass = gate_.enter();
  const auto normal = normalized(request, context.api_version);
  protocol::LeaveGroupResponse response;
  std::shared_ptr<Partition> found;
  ErrorCode error = find(partition, found);
  if (error != ErrorCode::kCoordinatorNotAvailable && request.group_id.empty()) error = ErrorCode::kInvalidGroupId;
  if (error == ErrorCode::kNone) {
    auto done = co_await found->runtime.run([&](Turn& turn) -> Decision<protocol::LeaveGroupResponse> {
      protocol::LeaveGroupResponse out;
      found->machine->classic().leave(turn, normal, out);
      return out;
    });
    if (done) {
      response = std::move(*done);
    } else {
      error = operation_error(done.error());
    }
  }
  response.error_code = number(error);
  if (context.api_version < 3 && error == ErrorCode::kNone) {
    response.error_code = response.members.at(0).error_code;
    response.members.clear();
  }
  co_return response;
}

}  // namespace dohle::coordinator

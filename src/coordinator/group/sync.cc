// SyncGroup, Heartbeat, LeaveGroup.
#include <map>
#include <memory>

#include <base/log.h>

#include "group/classic_groups.h"
#include "group/record_codec.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

namespace {

protocol::SyncGroupResponse sync_error(ErrorCode error) {
  protocol::SyncGroupResponse response;
  response.error_code = number(error);
  return response;
}

std::optional<std::string_view> view(const std::optional<Text>& text) {
  if (!text) return std::nullopt;
  return text->get();
}

bool contradicts(const std::optional<Text>& claimed, const std::optional<std::string>& actual) {
  return claimed && actual && claimed->get() != *actual;
}

}  // namespace

void ClassicGroups::sync(Turn& turn, const protocol::SyncGroupRequest& request, SyncReply reply) {
  ClassicGroup* group = groups_.find(request.group_id);
  if (group == nullptr || group->is(GroupState::kEmpty)) {
    reply(sync_error(ErrorCode::kUnknownMemberId));
    return;
  }
  if (const ErrorCode error = validate_sync(*group, request); error != ErrorCode::kNone) {
    reply(sync_error(error));
    return;
  }
  const std::string member_id = request.member_id.str();
  ClassicMember& member = *group->find(member_id);
  if (group->is(GroupState::kPreparingRebalance)) {
    reply(sync_error(ErrorCode::kRebalanceInProgress));
    return;
  }
  member_has_synced(turn, *group, member_id);
  if (group->is(GroupState::kStable)) {
    protocol::SyncGroupResponse response;
    if (group->protocol_type()) response.protocol_type = Text(*group->protocol_type());
    if (group->protocol_name()) response.protocol_name = Text(*group->protocol_name());
    response.assignment = Blob(member.assignment);
    reply(std::move(response));
    return;
  }
  // A client that syncs again has given up on its earlier request.
  group->complete_sync(member, sync_error(ErrorCode::kRebalanceInProgress));
  member.awaiting_sync = std::move(reply);
  if (group->is_leader(member_id)) persist_assignments(turn, *group, request);
}

ErrorCode ClassicGroups::validate_sync(const ClassicGroup& group, const protocol::SyncGroupRequest& request) const {
  if (const auto error = group.validate_member(request.member_id, view(request.group_instance_id));
      error != ErrorCode::kNone) {
    return error;
  }
  if (request.generation_id != group.generation()) return ErrorCode::kIllegalGeneration;
  if (contradicts(request.protocol_type, group.protocol_type()) ||
      contradicts(request.protocol_name, group.protocol_name())) {
    return ErrorCode::kInconsistentGroupProtocol;
  }
  return ErrorCode::kNone;
}

void ClassicGroups::persist_assignments(Turn& turn, ClassicGroup& group, const protocol::SyncGroupRequest& request) {
  using Assignments = std::map<std::string, ByteVector, std::less<>>;
  Assignments assignments;
  for (const auto& [id, member] : group.members()) assignments[id];  // who is left out gets an empty assignment
  for (const auto& given : request.assignments) {
    const Bytes bytes = given.assignment.get();
    if (auto at = assignments.find(given.member_id.get()); at != assignments.end()) {
      at->second.assign(bytes.begin(), bytes.end());
    }
  }
  log::info("coordinator", "group {}: leader {} assigned generation {}", group.id(), request.member_id.get(),
            group.generation());
  turn.add(group_record(
      group, [&](const ClassicMember& member) -> const ByteVector& { return assignments.find(member.id)->second; }));
  turn.already_applied();
  turn.on_outcome([this, group_id = group.id(), generation = group.generation(), assignments = std::move(assignments)](
                      Turn& later, ErrorCode error) mutable {
    ClassicGroup* found = groups_.find(group_id);
    // The group may have moved on meanwhile.
    if (found == nullptr || !found->is(GroupState::kCompletingRebalance) || found->generation() != generation) return;
    if (error != ErrorCode::kNone) {
      fail_assignments(later, *found, append_error_of_group(error));
      rebalance_or_complete_join(later, *found,
                                 fmt::format("its assignment could not be stored: {}", protocol::name(error)));
      return;
    }
    for (auto& [id, member] : found->members()) {
      auto at = assignments.find(id);
      member.assignment = at == assignments.end() ? ByteVector() : std::move(at->second);
    }
    propagate_assignments(later, *found, ErrorCode::kNone);
    found->transition_to(GroupState::kStable, later.wall_ms());
  });
}

ErrorCode ClassicGroups::heartbeat(Turn& turn, const protocol::HeartbeatRequest& request) {
  ClassicGroup* group = groups_.find(request.group_id);
  if (group == nullptr) return ErrorCode::kUnknownMemberId;
  if (const auto error = group->validate_member(request.member_id, view(request.group_instance_id));
      error != ErrorCode::kNone) {
    return error;
  }
  if (request.generation_id != group->generation()) return ErrorCode::kIllegalGeneration;
  touch(turn, *group, *group->find(request.member_id));
  return group->is(GroupState::kPreparingRebalance) ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone;
}

protocol::LeaveGroupRequest normalized(const protocol::LeaveGroupRequest& request, std::int16_t api_version) {
  if (api_version >= 3) return request;
  protocol::LeaveGroupRequest out;
  out.group_id = request.group_id;
  out.members.emplace_back().member_id = request.member_id;
  return out;
}

void ClassicGroups::leave(Turn& turn, const protocol::LeaveGroupRequest& request,
                          protocol::LeaveGroupResponse& response) {
  ClassicGroup* group = groups_.find(request.group_id);
  bool any_left = false;
  for (const auto& member : request.members) {
    auto& out = response.members.emplace_back();
    out.member_id = Text(member.member_id.get());
    out.group_instance_id.reset();
    if (member.group_instance_id) out.group_instance_id = Text(member.group_instance_id->get());
    const ErrorCode error = group == nullptr
                                ? ErrorCode::kUnknownMemberId
                                : leave_one(turn, *group, member.member_id, view(member.group_instance_id));
    out.error_code = number(error);
    any_left |= error == ErrorCode::kNone;
  }
  if (!any_left) return;
  if (group->is(GroupState::kStable) || group->is(GroupState::kCompletingRebalance)) {
    rebalance_or_complete_join(turn, *group, "members left");
  } else if (group->is(GroupState::kPreparingRebalance)) {
    complete_join_phase_if_ready(turn, *group);
  }
}

ErrorCode ClassicGroups::leave_one(Turn& turn, ClassicGroup& group, std::string_view member_id,
                                   const std::optional<std::string_view>& instance_id) {
  if (member_id.empty()) {
    // An administrator removes a static member by its instance id.
    const std::string* existing = instance_id ? group.static_member(*instance_id) : nullptr;
    if (existing == nullptr) return ErrorCode::kUnknownMemberId;
    remove_leaving(turn, group, std::string(*existing));
    return ErrorCode::kNone;
  }
  if (!group.is_pending(member_id)) {
    if (const auto error = group.validate_member(member_id, instance_id); error != ErrorCode::kNone) return error;
  }
  remove_leaving(turn, group, std::string(member_id));
  return ErrorCode::kNone;
}

}  // namespace dohle::coordinator

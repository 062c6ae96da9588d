// JoinGroup: new members, known ones, static ones.
#include <algorithm>

#include <base/check.h>
#include <base/log.h>

#include "group/classic_groups.h"
#include "group/record_codec.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

struct ClassicGroups::Join {
  ClassicGroup& group;
  const RequestContext& context;
  const protocol::JoinGroupRequest& request;
  JoinReply reply;
  std::vector<MemberProtocol> protocols;

  [[nodiscard]] std::string_view member_id() const { return request.member_id; }
  [[nodiscard]] std::optional<std::string> instance_id() const {
    if (!request.group_instance_id) return std::nullopt;
    return request.group_instance_id->str();
  }
  // Version 0 has no rebalance time-out of its own.
  [[nodiscard]] std::int32_t rebalance_timeout_ms() const {
    return context.api_version == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms;
  }
  [[nodiscard]] std::string_view reason() const {
    return request.reason && !request.reason->empty() ? request.reason->get() : std::string_view("not provided");
  }
};

namespace {

protocol::JoinGroupResponse join_error(std::string_view member_id, ErrorCode error) {
  protocol::JoinGroupResponse response;
  response.member_id = Text(member_id);
  response.error_code = number(error);
  return response;
}

std::string uuid_text(Uuid uuid) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", uuid.high >> 32U, (uuid.high >> 16U) & 0xffffU,
                     uuid.high & 0xffffU, uuid.low >> 48U, uuid.low & 0xffff'ffff'ffffULL);
}

}  // namespace

std::string ClassicGroups::new_member_id(std::string_view prefix) {
  return std::string(prefix) + "-" + uuid_text(random_.uuid());
}

void ClassicGroups::join(Turn& turn, const RequestContext& context, const protocol::JoinGroupRequest& request,
                         JoinReply reply) {
  const std::string_view group_id = request.group_id;
  if (groups_.is_modern(group_id)) {
    reply(join_error("", ErrorCode::kInconsistentGroupProtocol));
    return;
  }
  ClassicGroup* group = groups_.find(group_id);
  if (group == nullptr) {
    // Only one who does not claim to be a member yet may found a group.
    if (!request.member_id.empty()) {
      reply(join_error(request.member_id, ErrorCode::kUnknownMemberId));
      return;
    }
    group = &groups_.put(std::make_unique<ClassicGroup>(std::string(group_id), turn.wall_ms()), turn.undo());
    turn.add(empty_group_record(*group));
    turn.already_applied();
  }
  if (!accepts(*group, request.member_id)) {
    if (ClassicMember* member = group->find(request.member_id)) {
      group->complete_join(*member, join_error("", ErrorCode::kGroupMaxSizeReached));
    }
    group->remove(request.member_id);
    reply(join_error("", ErrorCode::kGroupMaxSizeReached));
    return;
  }
  Join join{*group, context, request, std::move(reply), {}};
  for (const auto& protocol : request.protocols) {
    const Bytes metadata = protocol.metadata.get();
    join.protocols.push_back({protocol.name.str(), ByteVector(metadata.begin(), metadata.end())});
  }
  if (!group->supports(request.protocol_type, join.protocols)) {
    join.reply(join_error(request.member_id, ErrorCode::kInconsistentGroupProtocol));
  } else if (request.member_id.empty()) {
    join_new_member(turn, std::move(join));
  } else {
    join_existing_member(turn, std::move(join));
  }
}

bool ClassicGroups::accepts(ClassicGroup& group, std::string_view member_id) const {
  const auto max_size = static_cast<std::size_t>(config_.max_size);
  const ClassicMember* member = group.find(member_id);
  switch (group.state()) {
    case GroupState::kEmpty:
    case GroupState::kDead:
      return true;
    case GroupState::kPreparingRebalance:
      // Counting those who wait, not members: after the limit was lowered, the last to rejoin stay out.
      return (member != nullptr && member->awaiting_join) || group.awaiting_join() < max_size;
    case GroupState::kCompletingRebalance:
    case GroupState::kStable:
      break;
  }
  return member != nullptr || group.members().size() < max_size;
}

void ClassicGroups::join_new_member(Turn& turn, Join join) {
  ClassicGroup& group = join.group;
  const auto instance_id = join.instance_id();
  const std::string member_id = new_member_id(instance_id ? *instance_id : join.context.client_id);
  if (instance_id) {
    const std::string* existing = group.static_member(*instance_id);
    if (existing == nullptr) {
      log::info("coordinator", "group {}: static member {} joins as {}", group.id(), *instance_id, member_id);
      add_member(turn, std::move(join), member_id);
    } else {
      log::info("coordinator", "group {}: static member {} joins as {} in place of {}", group.id(), *instance_id,
                member_id, *existing);
      replace_static_member(turn, std::move(join), std::string(*existing), member_id);
    }
    return;
  }
  if (join.context.api_version < 4) {
    add_member(turn, std::move(join), member_id);
    return;
  }
  // From version 4 on a member first learns its id and then joins with it, so that a lost answer leaves no ghost.
  group.add_pending(member_id);
  schedule_session(turn, group, member_id, join.request.session_timeout_ms);
  join.reply(join_error(member_id, ErrorCode::kMemberIdRequired));
}

void ClassicGroups::join_existing_member(Turn& turn, Join join) {
  ClassicGroup& group = join.group;
  const std::string member_id(join.member_id());
  std::optional<std::string_view> instance_id;
  if (join.request.group_instance_id) instance_id = join.request.group_instance_id->get();
  if (group.is_pending(member_id)) {
    if (instance_id) {
      // Ids are handed out to dynamic members only.
      join.reply(join_error(member_id, ErrorCode::kUnknownServerError));
      return;
    }
    add_member(turn, std::move(join), member_id);
    return;
  }
  if (const ErrorCode error = group.validate_member(member_id, instance_id); error != ErrorCode::kNone) {
    join.reply(join_error(member_id, error));
    return;
  }
  ClassicMember& member = *group.find(member_id);
  switch (group.state()) {
    case GroupState::kPreparingRebalance:
      update_member(turn, std::move(join), member, "joins again");
      return;
    case GroupState::kCompletingRebalance:
    case GroupState::kStable:
      rejoin_stable_or_completing(turn, std::move(join), member);
      return;
    case GroupState::kEmpty:
    case GroupState::kDead:
      break;
  }
  join.reply(join_error(member_id, ErrorCode::kUnknownMemberId));
}

void ClassicGroups::rejoin_stable_or_completing(Turn& turn, Join join, ClassicMember& member) {
  ClassicGroup& group = join.group;
  const bool leads = group.is_leader(member.id);
  if (member.protocols != join.protocols) {
    update_member(turn, std::move(join), member, "changed its metadata");
  } else if (group.is(GroupState::kStable) && leads) {
    // The leader may have seen what changes the assignment without changing its metadata: new partitions, for one.
    update_member(turn, std::move(join), member, "leads and joins again");
  } else {
    // It missed its answer, or wants to sync once more: the current generation, without a new rebalance.
    join.reply(group.join_response(member.id, leads && group.is(GroupState::kCompletingRebalance)));
  }
}

void ClassicGroups::add_member(Turn& turn, Join join, const std::string& member_id) {
  ClassicGroup& group = join.group;
  ClassicMember member{.id = member_id,
                       .instance_id = join.instance_id(),
                       .client_id = join.context.client_id,
                       .client_host = join.context.client_host,
                       .rebalance_timeout_ms = join.rebalance_timeout_ms(),
                       .session_timeout_ms = join.request.session_timeout_ms,
                       .protocol_type = join.request.protocol_type.str(),
                       .protocols = std::move(join.protocols),
                       .awaiting_join = std::move(join.reply),
                       .is_new = true};
  if (group.is(GroupState::kPreparingRebalance) && group.previous_state() == GroupState::kEmpty) {
    group.set_new_member_added(true);
  }
  // supports() was asked before, the id is new, and the instance id is free: the group takes the member.
  DOHLE_CHECK(group.add(std::move(member)));
  // A new member cannot send heartbeats: it does not know its id. Should its client be gone, this ends it.
  schedule_session(turn, group, member_id, config_.new_member_join_timeout_ms);
  rebalance_or_complete_join(turn, group, fmt::format("new member {}; its reason: {}", member_id, join.reason()));
}

void ClassicGroups::update_member(Turn& turn, Join join, ClassicMember& member, std::string_view reason) {
  ClassicGroup& group = join.group;
  // A client that joins again has given up on its earlier request.
  group.complete_join(member, join_error(member.id, ErrorCode::kRebalanceInProgress));
  group.update(member, std::move(join.protocols), join.rebalance_timeout_ms(), join.request.session_timeout_ms,
               std::move(join.reply));
  rebalance_or_complete_join(turn, group,
                             fmt::format("member {} {}; its reason: {}", member.id, reason, join.reason()));
}

void ClassicGroups::replace_static_member(Turn& turn, Join join, const std::string& old_id, const std::string& new_id) {
  ClassicGroup& group = join.group;
  const std::string old_leader = group.leader().value_or("");
  ClassicMember& member = group.replace_static(*join.instance_id(), old_id, new_id);
  schedule_session(turn, group, new_id, member.session_timeout_ms);
  auto old_protocols = member.protocols;
  const std::pair<int, int> old_timeouts{member.rebalance_timeout_ms, member.session_timeout_ms};
  group.update(member, std::move(join.protocols), join.rebalance_timeout_ms(), join.request.session_timeout_ms,
               std::move(join.reply));
  switch (group.state()) {
    case GroupState::kStable:
      if (group.protocol_name() == group.select_protocol()) {
        // Nothing changes for the others: no rebalance, only the new id is written down.
        persist_static_replacement(turn, group, member, old_leader, join.context.api_version, std::move(old_protocols),
                                   old_timeouts, old_id);
      } else {
        rebalance_or_complete_join(turn, group, fmt::format("static member {} changes the protocol", new_id));
      }
      return;
    case GroupState::kCompletingRebalance:
      // The leader may be computing an assignment for the old id.
      prepare_rebalance(turn, group, fmt::format("static member {} came back as {}", old_id, new_id));
      return;
    case GroupState::kPreparingRebalance:
      complete_join_phase_if_ready(turn, group);
      return;
    case GroupState::kEmpty:
    case GroupState::kDead:
      break;
  }
  DOHLE_CHECK(false);  // such a group has no members
}

void ClassicGroups::persist_static_replacement(Turn& turn, ClassicGroup& group, const ClassicMember& replaced,
                                               const std::string& old_leader, std::int16_t api_version,
                                               std::vector<MemberProtocol> old_protocols,
                                               std::pair<int, int> old_timeouts, const std::string& old_id) {
  turn.add(group_record(group, [](const ClassicMember& member) -> const ByteVector& { return member.assignment; }));
  turn.already_applied();
  turn.on_outcome([this, group_id = group.id(), instance_id = *replaced.instance_id, new_id = replaced.id, old_id,
                   old_leader, api_version, old_protocols = std::move(old_protocols),
                   old_timeouts](Turn& later, ErrorCode error) mutable {
    ClassicGroup* found = groups_.find(group_id);
    ClassicMember* member = found == nullptr ? nullptr : found->find(new_id);
    if (member == nullptr) return;
    if (error != ErrorCode::kNone) {
      log::warn("coordinator", "group {}: the new id {} of static member {} could not be written: {}", group_id, new_id,
                instance_id, protocol::name(error));
      auto failed = found->join_response(new_id, false);
      failed.member_id = Text("");
      failed.leader = Text(old_leader);
      failed.error_code = number(append_error_of_group(error));
      found->complete_join(*member, std::move(failed));
      found->update(*member, std::move(old_protocols), old_timeouts.first, old_timeouts.second, nullptr);
      found->replace_static(instance_id, new_id, old_id);
      schedule_session(later, *found, old_id, old_timeouts.second);
      return;
    }
    const bool leads = found->is_leader(new_id);
    const bool can_skip = api_version >= 9;
    auto response = found->join_response(new_id, can_skip && leads && found->protocol_name().has_value());
    // Versions before 9 cannot say "you lead, but leave the assignment as it is": the new id is not told that it leads.
    if (!can_skip) response.leader = Text(old_leader);
    response.skip_assignment = can_skip && leads;
    found->complete_join(*member, std::move(response));
  });
}

}  // namespace dohle::coordinator

// Rebalances: from PREPARING_REBALANCE (members join) over COMPLETING_REBALANCE (members sync) to STABLE, and the
// sessions of members.
#include <algorithm>

#include <base/check.h>
#include <base/log.h>
#include <base/mark.h>

#include "group/classic_groups.h"
#include "group/record_codec.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

namespace {

// A zero byte, which can be in neither, keeps "a-b"+"c" apart from "a"+"b-c".
std::string session_key(std::string_view group, std::string_view member) {
  return std::string("session").append(1, '\0').append(group).append(1, '\0').append(member);
}
std::string join_key(std::string_view group) { return std::string("join").append(1, '\0').append(group); }
std::string sync_key(std::string_view group) { return std::string("sync").append(1, '\0').append(group); }

}  // namespace

void ClassicGroups::on_loaded(Turn& turn) {
  std::vector<ClassicGroup*> too_large;
  for (const auto& [id, group] : groups_.all()) {
    for (const auto& [member_id, member] : group->members()) {
      schedule_session(turn, *group, member_id, member.session_timeout_ms);
    }
    if (group->members().size() > static_cast<std::size_t>(config_.max_size)) too_large.push_back(group.get());
  }
  for (ClassicGroup* group : too_large) prepare_rebalance(turn, *group, "loaded with more members than allowed");
}

void ClassicGroups::on_unloaded() {
  for (const auto& [id, group] : groups_.all()) answer_parked(*group, ErrorCode::kNotCoordinator);
}

void ClassicGroups::touch(Turn& turn, ClassicGroup& group, ClassicMember& member) {
  schedule_session(turn, group, member.id, member.session_timeout_ms);
}

void ClassicGroups::schedule_session(Turn& turn, ClassicGroup& group, const std::string& member_id,
                                     std::int64_t timeout_ms) {
  turn.timers().schedule(
      session_key(group.id(), member_id), timeout_ms,
      [this, group_id = group.id(), member_id](Turn& later) { expire_session(later, group_id, member_id); });
}

void ClassicGroups::expire_session(Turn& turn, const std::string& group_id, const std::string& member_id) {
  DOHLE_MARK("coordinator.session_expired");
  ClassicGroup* group = groups_.find(group_id);
  if (group == nullptr) return;
  if (group->is_pending(member_id)) {
    group->remove(member_id);
    if (group->is(GroupState::kPreparingRebalance) && group->has_all_joined()) complete_join_phase(turn, *group);
    return;
  }
  ClassicMember* member = group->find(member_id);
  if (member == nullptr || member->has_satisfied_heartbeat()) return;
  log::info("coordinator", "group {}: member {} is gone: no heartbeat within its session time-out", group_id,
            member_id);
  remove_failed_member(turn, *group, *member);
}

void ClassicGroups::remove_failed_member(Turn& turn, ClassicGroup& group, ClassicMember& member) {
  const std::string member_id = member.id;
  protocol::JoinGroupResponse unknown;
  unknown.error_code = number(ErrorCode::kUnknownMemberId);
  group.complete_join(member, std::move(unknown));
  group.remove(member_id);
  if (group.is(GroupState::kStable) || group.is(GroupState::kCompletingRebalance)) {
    rebalance_or_complete_join(turn, group, "member " + member_id + " failed");
  } else if (group.is(GroupState::kPreparingRebalance) && group.has_all_joined()) {
    complete_join_phase(turn, group);
  }
}

void ClassicGroups::rebalance_or_complete_join(Turn& turn, ClassicGroup& group, std::string_view reason) {
  if (group.can_rebalance()) {
    prepare_rebalance(turn, group, reason);
  } else {
    complete_join_phase_if_ready(turn, group);
  }
}

void ClassicGroups::prepare_rebalance(Turn& turn, ClassicGroup& group, std::string_view reason) {
  if (group.is(GroupState::kCompletingRebalance)) fail_assignments(turn, group, ErrorCode::kRebalanceInProgress);
  group.pending_sync().clear();
  turn.timers().cancel(sync_key(group.id()));

  const bool initial = group.is(GroupState::kEmpty);
  if (initial) {
    // A group that forms gets time for its members to arrive, or each of them would cause a rebalance.
    const std::int32_t delay_ms = config_.initial_rebalance_delay_ms;
    const std::int32_t remaining_ms = std::max(group.rebalance_timeout_ms() - delay_ms, 0);
    turn.timers().schedule(join_key(group.id()), delay_ms,
                           [this, id = group.id(), delay_ms, remaining_ms](Turn& later) {
                             extend_or_complete_initial_rebalance(later, id, delay_ms, remaining_ms);
                           });
  }
  log::info("coordinator", "group {}: rebalance of generation {} in state {}: {}", group.id(), group.generation(),
            to_string(group.state()), reason);
  group.transition_to(GroupState::kPreparingRebalance, turn.wall_ms());
  if (initial) return;
  if (group.has_all_joined()) {
    complete_join_phase(turn, group);
  } else {
    schedule_join_completion(turn, group);
  }
}

void ClassicGroups::schedule_join_completion(Turn& turn, ClassicGroup& group) {
  turn.timers().schedule(join_key(group.id()), group.rebalance_timeout_ms(), [this, id = group.id()](Turn& later) {
    if (ClassicGroup* found = groups_.find(id); found != nullptr && found->is(GroupState::kPreparingRebalance)) {
      complete_join_phase(later, *found);
    }
  });
}

void ClassicGroups::extend_or_complete_initial_rebalance(Turn& turn, const std::string& group_id, std::int32_t delay_ms,
                                                         std::int32_t remaining_ms) {
  ClassicGroup* group = groups_.find(group_id);
  if (group == nullptr || !group->is(GroupState::kPreparingRebalance)) return;
  if (!group->new_member_added() || remaining_ms == 0) {
    complete_join_phase(turn, *group);
    return;
  }
  group->set_new_member_added(false);
  const std::int32_t next_delay_ms = std::min(config_.initial_rebalance_delay_ms, remaining_ms);
  const std::int32_t next_remaining_ms = std::max(remaining_ms - delay_ms, 0);
  turn.timers().schedule(join_key(group_id), next_delay_ms,
                         [this, group_id, next_delay_ms, next_remaining_ms](Turn& later) {
                           extend_or_complete_initial_rebalance(later, group_id, next_delay_ms, next_remaining_ms);
                         });
}

void ClassicGroups::complete_join_phase_if_ready(Turn& turn, ClassicGroup& group) {
  if (!group.is(GroupState::kPreparingRebalance) || group.previous_state() == GroupState::kEmpty) return;
  if (group.has_all_joined()) complete_join_phase(turn, group);
}

void ClassicGroups::complete_join_phase(Turn& turn, ClassicGroup& group) {
  turn.timers().cancel(join_key(group.id()));
  // Dynamic members that did not come back are out; static ones may, until their session ends.
  std::vector<std::string> absent;
  for (const auto& [id, member] : group.members()) {
    if (!member.awaiting_join && !member.instance_id) absent.push_back(id);
  }
  for (const auto& id : absent) {
    group.remove(id);
    turn.timers().cancel(session_key(group.id(), id));
  }
  if (!group.elect_joined_leader() && !group.members().empty()) {
    log::warn("coordinator", "group {}: nobody joined again; waiting for sessions to end", group.id());
    schedule_join_completion(turn, group);
    return;
  }
  group.begin_next_generation(turn.wall_ms());
  if (group.is(GroupState::kEmpty)) {
    log::info("coordinator", "group {}: empty in generation {}", group.id(), group.generation());
    turn.add(group_record(group, [](const ClassicMember& member) -> const ByteVector& { return member.assignment; }));
    turn.already_applied();
    return;
  }
  log::info("coordinator", "group {}: generation {} has {} members", group.id(), group.generation(),
            group.members().size());
  for (auto& [id, member] : group.members()) {
    group.complete_join(member, group.join_response(id, group.is_leader(id)));
    schedule_session(turn, group, id, member.session_timeout_ms);
    member.is_new = false;
    group.pending_sync().insert(id);
  }
  turn.timers().schedule(sync_key(group.id()), group.rebalance_timeout_ms(),
                         [this, id = group.id(), generation = group.generation()](Turn& later) {
                           expire_pending_sync(later, id, generation);
                         });
}

void ClassicGroups::expire_pending_sync(Turn& turn, const std::string& group_id, std::int32_t generation) {
  ClassicGroup* group = groups_.find(group_id);
  if (group == nullptr || group->generation() != generation) return;
  DOHLE_MARK("coordinator.sync_expired");
  if (!group->is(GroupState::kCompletingRebalance) && !group->is(GroupState::kStable)) return;
  if (group->pending_sync().empty()) return;
  const auto silent = group->pending_sync();
  for (const auto& id : silent) {
    group->remove(id);
    turn.timers().cancel(session_key(group_id, id));
  }
  prepare_rebalance(turn, *group, fmt::format("{} members did not send SyncGroup in time", silent.size()));
}

void ClassicGroups::fail_assignments(Turn& turn, ClassicGroup& group, ErrorCode error) {
  DOHLE_CHECK(group.is(GroupState::kCompletingRebalance));
  for (auto& [id, member] : group.members()) member.assignment.clear();
  propagate_assignments(turn, group, error);
}

void ClassicGroups::propagate_assignments(Turn& turn, ClassicGroup& group, ErrorCode error) {
  for (auto& [id, member] : group.members()) {
    protocol::SyncGroupResponse response;
    response.error_code = number(error);
    response.assignment = Blob(member.assignment);
    if (error == ErrorCode::kNone) {
      if (group.protocol_type()) response.protocol_type = Text(*group.protocol_type());
      if (group.protocol_name()) response.protocol_name = Text(*group.protocol_name());
    }
    // A parked member needed no heartbeat; from its answer on it does again.
    if (group.complete_sync(member, std::move(response))) schedule_session(turn, group, id, member.session_timeout_ms);
  }
}

void ClassicGroups::member_has_synced(Turn& turn, ClassicGroup& group, const std::string& member_id) {
  group.pending_sync().erase(member_id);
  if (group.pending_sync().empty()) turn.timers().cancel(sync_key(group.id()));
}

void ClassicGroups::remove_leaving(Turn& turn, ClassicGroup& group, const std::string& member_id) {
  turn.timers().cancel(session_key(group.id(), member_id));
  if (ClassicMember* member = group.find(member_id)) {
    protocol::JoinGroupResponse join;
    join.error_code = number(ErrorCode::kUnknownMemberId);
    group.complete_join(*member, std::move(join));
    protocol::SyncGroupResponse sync;
    sync.error_code = number(ErrorCode::kUnknownMemberId);
    group.complete_sync(*member, std::move(sync));
  }
  group.remove(member_id);
}

}  // namespace dohle::coordinator

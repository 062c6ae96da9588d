// ClassicGroups: decides JoinGroup, SyncGroup, Heartbeat and LeaveGroup, and moves groups through their rebalances.
// Sans-I/O: time comes with the turn, timers and records leave with it. Model: Kafka's GroupMetadataManager.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <coordinator/core/turn.h>
#include <coordinator/group/group_config.h>
#include <coordinator/group/request_context.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/leave_group_request.h>
#include <protocol/messages/leave_group_response.h>
#include <protocol/messages/sync_group_request.h>
#include <runtime/random.h>

#include "group/classic_group.h"
#include "group/group_map.h"

namespace dohle::coordinator {

class ClassicGroups {
 public:
  ClassicGroups(GroupMap& groups, const GroupConfig& config, runtime::Random& random)
      : groups_(groups), config_(config), random_(random) {}

  // `reply` is called in this turn or in a later one. Requests must have passed the checks that need no group.
  void join(Turn& turn, const RequestContext& context, const protocol::JoinGroupRequest& request, JoinReply reply);
  void sync(Turn& turn, const protocol::SyncGroupRequest& request, SyncReply reply);
  [[nodiscard]] protocol::ErrorCode heartbeat(Turn& turn, const protocol::HeartbeatRequest& request);
  // `request.members` is filled in every version (see normalized()); each gets an answer of its own.
  void leave(Turn& turn, const protocol::LeaveGroupRequest& request, protocol::LeaveGroupResponse& response);

  // An offset commit of a member is a sign of life.
  void touch(Turn& turn, ClassicGroup& group, ClassicMember& member);
  // Sessions begin anew on this coordinator.
  void on_loaded(Turn& turn);
  void on_unloaded();

 private:
  struct Join;  // a JoinGroup request on its way through

  // join.cc
  void join_new_member(Turn& turn, Join join);
  void join_existing_member(Turn& turn, Join join);
  void rejoin_stable_or_completing(Turn& turn, Join join, ClassicMember& member);
  void add_member(Turn& turn, Join join, const std::string& member_id);
  void update_member(Turn& turn, Join join, ClassicMember& member, std::string_view reason);
  void replace_static_member(Turn& turn, Join join, const std::string& old_id, const std::string& new_id);
  void persist_static_replacement(Turn& turn, ClassicGroup& group, const ClassicMember& replaced,
                                  const std::string& old_leader, std::int16_t api_version,
                                  std::vector<MemberProtocol> old_protocols, std::pair<int, int> old_timeouts,
                                  const std::string& old_id);
  [[nodiscard]] bool accepts(ClassicGroup& group, std::string_view member_id) const;
  [[nodiscard]] std::string new_member_id(std::string_view prefix);

  // rebalance.cc
  void rebalance_or_complete_join(Turn& turn, ClassicGroup& group, std::string_view reason);
  void prepare_rebalance(Turn& turn, ClassicGroup& group, std::string_view reason);
  void complete_join_phase_if_ready(Turn& turn, ClassicGroup& group);
  void complete_join_phase(Turn& turn, ClassicGroup& group);
  void extend_or_complete_initial_rebalance(Turn& turn, const std::string& group_id, std::int32_t delay_ms,
                                            std::int32_t remaining_ms);
  void expire_session(Turn& turn, const std::string& group_id, const std::string& member_id);
  void expire_pending_sync(Turn& turn, const std::string& group_id, std::int32_t generation);
  void remove_failed_member(Turn& turn, ClassicGroup& group, ClassicMember& member);
  void schedule_session(Turn& turn, ClassicGroup& group, const std::string& member_id, std::int64_t timeout_ms);
  void schedule_join_completion(Turn& turn, ClassicGroup& group);
  void fail_assignments(Turn& turn, ClassicGroup& group, protocol::ErrorCode error);
  void propagate_assignments(Turn& turn, ClassicGroup& group, protocol::ErrorCode error);

  // sync.cc
  [[nodiscard]] protocol::ErrorCode validate_sync(const ClassicGroup& group,
                                                  const protocol::SyncGroupRequest& request) const;
  void member_has_synced(Turn& turn, ClassicGroup& group, const std::string& member_id);
  void persist_assignments(Turn& turn, ClassicGroup& group, const protocol::SyncGroupRequest& request);
  [[nodiscard]] protocol::ErrorCode leave_one(Turn& turn, ClassicGroup& group, std::string_view member_id,
                                              const std::optional<std::string_view>& instance_id);
  void remove_leaving(Turn& turn, ClassicGroup& group, const std::string& member_id);

  GroupMap& groups_;
  const GroupConfig& config_;
  runtime::Random& random_;
};

// Versions before 3 name one member in the request itself.
[[nodiscard]] protocol::LeaveGroupRequest normalized(const protocol::LeaveGroupRequest& request,
                                                     std::int16_t api_version);

}  // namespace dohle::coordinator

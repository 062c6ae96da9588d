// ClassicGroup: one group of the classic protocol: its members, state and generation. Decides nothing by itself; see
// classic_groups.h. Model: Kafka's ClassicGroup.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <protocol/error_code.h>
#include <protocol/messages/join_group_request.h>
#include <protocol/messages/join_group_response.h>
#include <protocol/messages/sync_group_response.h>

namespace dohle::coordinator {

using ByteVector = std::vector<std::uint8_t>;
// Called exactly once each.
using JoinReply = std::move_only_function<void(protocol::JoinGroupResponse)>;
using SyncReply = std::move_only_function<void(protocol::SyncGroupResponse)>;

inline constexpr std::string_view kConsumerProtocolType = "consumer";

enum class GroupState : std::uint8_t { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable, kDead };
// As DescribeGroups and ListGroups say it: "PreparingRebalance".
[[nodiscard]] std::string_view to_string(GroupState state);

// An assignor a member supports, with what it wants to tell the leader (opaque to us).
struct MemberProtocol {
  std::string name;
  ByteVector metadata;
  friend bool operator==(const MemberProtocol&, const MemberProtocol&) = default;
};

struct ClassicMember {
  std::string id;
  std::optional<std::string> instance_id;  // static member
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  std::string protocol_type;
  std::vector<MemberProtocol> protocols;  // most wanted first
  ByteVector assignment;
  JoinReply awaiting_join;
  SyncReply awaiting_sync;
  bool is_new = false;  // has not got its first JoinGroup answer

  // Parked members need no heartbeat, except new ones: they do not know their id yet.
  [[nodiscard]] bool has_satisfied_heartbeat() const { return !is_new && (awaiting_join || awaiting_sync); }
  // Null when not supported.
  [[nodiscard]] const ByteVector* metadata(std::string_view protocol) const;
};

class ClassicGroup {
 public:
  using Members = std::map<std::string, ClassicMember, std::less<>>;

  // A new, empty group.
  ClassicGroup(std::string id, std::int64_t now_ms) : id_(std::move(id)), state_since_ms_(now_ms) {}
  // A loaded one: stable with members, else empty.
  ClassicGroup(std::string id, bool has_members, std::int32_t generation, std::optional<std::string> protocol_type,
               std::optional<std::string> protocol_name, std::optional<std::string> leader,
               std::optional<std::int64_t> state_since_ms);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] GroupState state() const { return state_; }
  [[nodiscard]] bool is(GroupState state) const { return state_ == state; }
  [[nodiscard]] GroupState previous_state() const { return previous_state_; }
  [[nodiscard]] std::int32_t generation() const { return generation_; }
  [[nodiscard]] const std::optional<std::string>& protocol_type() const { return protocol_type_; }
  [[nodiscard]] const std::optional<std::string>& protocol_name() const { return protocol_name_; }
  [[nodiscard]] const std::optional<std::string>& leader() const { return leader_; }
  [[nodiscard]] bool is_leader(std::string_view member) const { return leader_ && *leader_ == member; }
  // When the state was entered, wall clock; unknown for groups from very old records.
  [[nodiscard]] std::optional<std::int64_t> state_since_ms() const { return state_since_ms_; }
  [[nodiscard]] bool uses_consumer_protocol() const { return protocol_type_ == kConsumerProtocolType; }
  [[nodiscard]] bool can_rebalance() const;

  [[nodiscard]] const Members& members() const { return members_; }
  [[nodiscard]] Members& members() { return members_; }
  [[nodiscard]] ClassicMember* find(std::string_view member);
  [[nodiscard]] bool has(std::string_view member) const { return members_.contains(member); }
  // The id of the member with this instance id, or null.
  [[nodiscard]] const std::string* static_member(std::string_view instance_id) const;
  // kNone, kUnknownMemberId or kFencedInstanceId.
  [[nodiscard]] protocol::ErrorCode validate_member(std::string_view member,
                                                    const std::optional<std::string_view>& instance_id) const;

  // False, and nothing changes, when the member contradicts the group (protocol type, instance id taken).
  [[nodiscard]] bool add(ClassicMember member);
  // Also removes a pending member of that name. Parked requests of the member must have been answered.
  void remove(std::string_view member);
  // A static member came back under a new id: the old one is fenced, its parked requests are answered.
  ClassicMember& replace_static(const std::string& instance_id, const std::string& old_id, const std::string& new_id);
  // `reply` may be null: the member is not (or no longer) parked.
  void update(ClassicMember& member, std::vector<MemberProtocol> protocols, std::int32_t rebalance_timeout_ms,
              std::int32_t session_timeout_ms, JoinReply reply);

  // Members that were told their id (MEMBER_ID_REQUIRED) and have not come back with it yet.
  void add_pending(std::string_view member) { pending_join_.emplace(member); }
  [[nodiscard]] bool is_pending(std::string_view member) const { return pending_join_.contains(member); }
  [[nodiscard]] bool has_pending() const { return !pending_join_.empty(); }
  [[nodiscard]] bool has_all_joined() const { return members_.size() == awaiting_join_ && pending_join_.empty(); }
  [[nodiscard]] std::size_t awaiting_join() const { return awaiting_join_; }
  // Members that have not sent SyncGroup in this generation.
  [[nodiscard]] std::set<std::string, std::less<>>& pending_sync() { return pending_sync_; }

  // In a rebalance that follows the empty state, whether somebody joined since the last look.
  [[nodiscard]] bool new_member_added() const { return new_member_added_; }
  void set_new_member_added(bool added) { new_member_added_ = added; }

  [[nodiscard]] bool supports(std::string_view protocol_type, const std::vector<MemberProtocol>& protocols) const;
  // The protocol all members support that most of them prefer; the group has members.
  [[nodiscard]] std::string select_protocol() const;
  [[nodiscard]] std::int32_t rebalance_timeout_ms() const;
  // Makes sure that the leader is one who joined; false when nobody did.
  [[nodiscard]] bool elect_joined_leader();

  // Checks that Kafka's state machine has this edge.
  void transition_to(GroupState state, std::int64_t now_ms);
  // To COMPLETING_REBALANCE with a chosen protocol, or to EMPTY.
  void begin_next_generation(std::int64_t now_ms);

  void complete_join(ClassicMember& member, protocol::JoinGroupResponse response);
  // True when there was a parked SyncGroup.
  bool complete_sync(ClassicMember& member, protocol::SyncGroupResponse response);
  // What a member is told when its join succeeds; the member list goes to the leader alone.
  [[nodiscard]] protocol::JoinGroupResponse join_response(const std::string& member, bool with_members) const;

  // Topics of all members' subscriptions; unknown when they cannot be read or the group is no consumer group.
  [[nodiscard]] const std::optional<std::set<std::string, std::less<>>>& subscribed_topics() const { return topics_; }
  [[nodiscard]] bool is_subscribed(std::string_view topic) const;
  void compute_subscribed_topics();

 private:
  void count_protocols(const ClassicMember& member, int by);

  std::string id_;
  GroupState state_ = GroupState::kEmpty;
  GroupState previous_state_ = GroupState::kDead;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_type_;
  std::optional<std::string> protocol_name_;
  std::optional<std::string> leader_;
  std::optional<std::int64_t> state_since_ms_;
  Members members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id -> member id
  std::set<std::string, std::less<>> pending_join_;
  std::set<std::string, std::less<>> pending_sync_;
  std::map<std::string, std::size_t, std::less<>> supported_protocols_;  // by how many members
  std::size_t awaiting_join_ = 0;
  bool new_member_added_ = false;
  std::optional<std::set<std::string, std::less<>>> topics_;
};

}  // namespace dohle::coordinator

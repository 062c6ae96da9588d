// join: members of one classic group, all at once, until each has its assignment in one generation of all.
//
//   group= members=500 topic=
//
// Each has a connection, joins, syncs and sends heartbeats as clients do, but every second. A request here is a member
// that has its assignment; its latency counts from the beginning.
#include <protocol/error_code.h>
#include <protocol/messages/find_coordinator_request.h>
#include <protocol/messages/find_coordinator_response.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <protocol/messages/join_group_request.h>
#include <protocol/messages/join_group_response.h>
#include <protocol/messages/leave_group_request.h>
#include <protocol/messages/leave_group_response.h>
#include <protocol/messages/sync_group_request.h>
#include <protocol/messages/sync_group_response.h>

#include "groups.h"
#include "loads.h"
#include "report.h"

namespace dohle::load {
namespace {

using protocol::ErrorCode;

constexpr std::int16_t kJoinVersion = 5;
constexpr std::int16_t kSyncVersion = 3;
constexpr std::int16_t kHeartbeatVersion = 3;
constexpr std::int16_t kLeaveVersion = 3;
constexpr auto kHeartbeatEvery = std::chrono::seconds(1);
constexpr auto kPatience = std::chrono::seconds(120);
constexpr std::size_t kAssignmentBytes = 40;
constexpr std::size_t kSubscriptionBytes = 40;

struct Member {
  enum class State : std::uint8_t { kJoining, kSyncing, kStable };
  State state = State::kJoining;
  bool in_heartbeat = false;
  std::string id;
  std::int32_t generation = -1;
  Time next_heartbeat;
  Frame frame;
};

class Group final : public Load {
 public:
  Group(std::string name, int members, const Endpoint& broker)
      : name_(std::move(name)), wires_(*this, broker, members, 4096), members_(static_cast<std::size_t>(members)) {}

  void run(const Endpoint& broker) {
    report_.ready();
    start_ = now();
    for (int i = 0; i < wires_.size(); ++i) join(wires_.at(i));
    while (!is_stable()) {
      if (now() > start_ + kPatience) give_up("the group does not become stable");
      wires_.turn(now() + std::chrono::milliseconds(50));
      send_heartbeats();
    }
    const auto elapsed = now() - start_;
    for (int i = 0; i < wires_.size(); ++i) report_.add_latency(elapsed);
    report_.note("generation", members_[0].generation);
    report_.print(elapsed);
    leave(broker);
  }

  void answered(Wire& wire, Bytes bytes) override {
    Member& member = of(wire);
    if (member.in_heartbeat) return take_heartbeat(wire, bytes);
    member.state == Member::State::kJoining ? take_join(wire, bytes) : take_sync(wire, bytes);
  }

  void sent(Wire& /*wire*/) override {}

 private:
  Member& of(const Wire& wire) { return members_[static_cast<std::size_t>(wire.index())]; }

  [[nodiscard]] bool is_stable() const {
    for (const auto& member : members_) {
      if (member.state != Member::State::kStable || member.generation != full_generation_) return false;
    }
    return true;
  }

  template <typename Request>
  void send(Wire& wire, const Request& request, std::int16_t version) {
    of(wire).frame = make_frame(request, version);
    wire.send(of(wire).frame);
  }

  void join(Wire& wire) {
    Member& member = of(wire);
    member.state = Member::State::kJoining;
    protocol::JoinGroupRequest request;
    request.group_id = Text(name_);
    request.session_timeout_ms = 45'000;
    request.rebalance_timeout_ms = 60'000;
    request.member_id = Text(member.id);
    request.protocol_type = Text("consumer");
    auto& protocol = request.protocols.emplace_back();
    protocol.name = Text("range");
    protocol.metadata = Blob::view(subscription_);
    send(wire, request, kJoinVersion);
  }

  void take_join(Wire& wire, Bytes bytes) {
    Member& member = of(wire);
    const auto answer = parse_answer<protocol::JoinGroupResponse>(bytes, kJoinVersion);
    if (protocol::error_code_from(answer.error_code) == ErrorCode::kMemberIdRequired) {
      member.id = answer.member_id.str();
      return join(wire);
    }
    check_error(answer.error_code, "JoinGroup");
    member.id = answer.member_id.str();
    member.generation = answer.generation_id;
    member.state = Member::State::kSyncing;
    protocol::SyncGroupRequest request;
    request.group_id = Text(name_);
    request.generation_id = member.generation;
    request.member_id = Text(member.id);
    if (answer.members.size() == members_.size()) full_generation_ = member.generation;
    for (const auto& other : answer.members) {
      auto& assignment = request.assignments.emplace_back();
      assignment.member_id = other.member_id;
      assignment.assignment = Blob::view(assignment_);
    }
    send(wire, request, kSyncVersion);
  }

  void take_sync(Wire& wire, Bytes bytes) {
    const auto answer = parse_answer<protocol::SyncGroupResponse>(bytes, kSyncVersion);
    if (protocol::error_code_from(answer.error_code) == ErrorCode::kRebalanceInProgress) return join(wire);
    check_error(answer.error_code, "SyncGroup");
    Member& member = of(wire);
    if (answer.assignment.size() != kAssignmentBytes) give_up("a member got another's assignment");
    member.state = Member::State::kStable;
    member.next_heartbeat = now() + kHeartbeatEvery;
  }

  void send_heartbeats() {
    const auto time = now();
    for (int i = 0; i < wires_.size(); ++i) {
      Member& member = of(wires_.at(i));
      if (member.state != Member::State::kStable || member.in_heartbeat || member.next_heartbeat > time) continue;
      member.in_heartbeat = true;
      protocol::HeartbeatRequest request;
      request.group_id = Text(name_);
      request.generation_id = member.generation;
      request.member_id = Text(member.id);
      send(wires_.at(i), request, kHeartbeatVersion);
    }
  }

  void take_heartbeat(Wire& wire, Bytes bytes) {
    Member& member = of(wire);
    member.in_heartbeat = false;
    member.next_heartbeat = now() + kHeartbeatEvery;
    const auto answer = parse_answer<protocol::HeartbeatResponse>(bytes, kHeartbeatVersion);
    if (protocol::error_code_from(answer.error_code) == ErrorCode::kRebalanceInProgress) return join(wire);
    check_error(answer.error_code, "Heartbeat");
  }

  void leave(const Endpoint& broker) {
    protocol::LeaveGroupRequest request;
    request.group_id = Text(name_);
    for (const auto& member : members_) request.members.emplace_back().member_id = Text(member.id);
    Caller caller(broker);
    check_error(caller.call(request, kLeaveVersion).error_code, "LeaveGroup");
  }

  std::string name_;
  Wires wires_;
  std::vector<Member> members_;
  Frame subscription_ = Frame(kSubscriptionBytes);
  Frame assignment_ = Frame(kAssignmentBytes);
  std::int32_t full_generation_ = -1;  // the one that all have joined
  Time start_;
  Report report_;
};

}  // namespace

void wait_for_coordinator(const std::string& group, const Endpoint& broker) {
  protocol::FindCoordinatorRequest where;
  where.key = Text(group);
  protocol::HeartbeatRequest heartbeat;
  heartbeat.group_id = Text(group);
  heartbeat.generation_id = 1;
  heartbeat.member_id = Text("nobody");
  Caller caller(broker);
  // It answers for the group when it says that it does not know the member.
  for (const auto until = now() + kPatience; now() < until; pause_for(std::chrono::milliseconds(20))) {
    if (caller.call(where, 2).error_code != 0) continue;
    const auto code = caller.call(heartbeat, kHeartbeatVersion).error_code;
    if (protocol::error_code_from(code) == ErrorCode::kUnknownMemberId) return;
  }
  give_up("there is no coordinator");
}

void join(const Options& options) {
  const auto broker = options.broker();
  const auto name = options.required("group");
  const auto members = static_cast<int>(options.number("members", 500));
  options.check_all_used();
  wait_for_coordinator(name, broker);
  Group(name, members, broker).run(broker);
}

}  // namespace dohle::load

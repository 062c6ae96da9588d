#include "group_membership.h"

#include <algorithm>
#include <utility>

#include <base/log.h>
#include <fmt/core.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <protocol/messages/leave_group_request.h>
#include <protocol/messages/leave_group_response.h>

namespace dohle::client {

using protocol::ErrorCode;
using runtime::Task;

namespace {

constexpr std::string_view kProtocolType = "consumer";
// How much longer than the rebalance itself its answer may take.
constexpr std::int64_t kJoinSlackMs = 5'000;

}  // namespace

GroupMembership::GroupMembership(Cluster& cluster, const ConsumerConfig& config, std::function<void()> wake)
    : cluster_(cluster),
      config_(config),
      wake_(std::move(wake)),
      last_poll_(cluster.now()),
      naps_(std::make_shared<runtime::StopSource>()) {}

GroupMembership::~GroupMembership() { DOHLE_CHECK(gate_.count() == 0); }

std::optional<Text> GroupMembership::instance_id() const {
  if (!config_.group_instance_id) return std::nullopt;
  return Text(*config_.group_instance_id);
}

void GroupMembership::request_join(std::string reason) {
  needs_join_ = true;
  reason_ = std::move(reason);
  wake_();
}

void GroupMembership::forget_member() {
  identity_ = {};
  owned_generation_ = -1;
}

void GroupMembership::outdate() {
  ++ticket_;
  naps_->stop();
  naps_ = std::make_shared<runtime::StopSource>();
}

void GroupMembership::forget_coordinator() { cluster_.forget_coordinator(CoordinatorType::kGroup, *config_.group_id); }

void GroupMembership::note_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownMemberId:
    case ErrorCode::kIllegalGeneration:
      forget_member();
      expelled_ = true;
      request_join("the group dropped this member");
      return;
    case ErrorCode::kRebalanceInProgress:
      request_join("group is already rebalancing");
      return;
    default:
      return;
  }
}

std::optional<Answer<std::vector<TopicPartition>>> GroupMembership::take_outcome() {
  return std::exchange(outcome_, std::nullopt);
}

void GroupMembership::start_join(std::vector<std::string> topics, std::vector<TopicPartition> owned) {
  topics_ = std::move(topics);
  owned_ = std::move(owned);
  owned_generation_ = identity_.generation;
  needs_join_ = false;
  joining_ = true;
  outcome_.reset();
  outdate();
  runtime::spawn(run_join(ticket_));
}

Task<void> GroupMembership::run_join(std::uint64_t ticket) {
  const auto pass = gate_.enter();
  Backoff backoff(cluster_.config().retry_backoff_ms, cluster_.config().retry_backoff_max_ms,
                  cluster_.shard().random());
  for (;;) {
    auto step = co_await join_once(ticket);
    if (ticket != ticket_ || cluster_.closed()) co_return;
    if (!step && !step.error().is_retriable()) {
      outcome_ = std::unexpected(std::move(step).error());
      break;
    }
    if (step && *step == Step::kDone) break;
    if (!step) forget_coordinator();
    if (step && *step == Step::kAgain) continue;
    const auto naps = naps_;
    co_await runtime::sleep_for(std::chrono::milliseconds(backoff.next_ms()), naps.get());
    if (ticket != ticket_) co_return;
  }
  joining_ = false;
  if (outcome_ && *outcome_) runtime::spawn(beat(ticket));
  wake_();
}

protocol::JoinGroupRequest GroupMembership::join_request() const {
  protocol::JoinGroupRequest request;
  request.group_id = Text(*config_.group_id);
  request.session_timeout_ms = static_cast<std::int32_t>(config_.session_timeout_ms);
  request.rebalance_timeout_ms = static_cast<std::int32_t>(config_.max_poll_interval_ms);
  request.member_id = Text(identity_.member_id);
  request.group_instance_id = instance_id();
  request.protocol_type = Text(kProtocolType);
  if (!reason_.empty()) request.reason = Text(reason_);
  Subscription subscription{topics_, owned_, owned_generation_, std::nullopt};
  if (!cluster_.config().client_rack.empty()) subscription.rack = cluster_.config().client_rack;
  for (const Assignor assignor : config_.partition_assignment_strategy) {
    auto& offered = request.protocols.emplace_back();
    offered.name = Text(to_string(assignor));
    offered.metadata = Blob(encode_subscription(assignor, subscription));
  }
  return request;
}

// What to do after an answer with an error code.
Answer<GroupMembership::Step> GroupMembership::step_after(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownMemberId:
    case ErrorCode::kIllegalGeneration:
      forget_member();
      return Step::kAgain;
    case ErrorCode::kRebalanceInProgress:
      return Step::kAgain;
    case ErrorCode::kNotCoordinator:
    case ErrorCode::kCoordinatorNotAvailable:
      forget_coordinator();
      return Step::kAgainAfterBackoff;
    case ErrorCode::kCoordinatorLoadInProgress:
      return Step::kAgainAfterBackoff;
    default:
      return failure(code);
  }
}

// The answer may come only when the other members have joined; leave() does not wait for it.
CallOptions GroupMembership::patient_options() const {
  return {.timeout_ms = std::max(cluster_.config().request_timeout_ms, config_.max_poll_interval_ms + kJoinSlackMs),
          .unwanted = naps_};
}

Task<Answer<GroupMembership::Step>> GroupMembership::join_once(std::uint64_t ticket) {
  const auto coordinator = co_await cluster_.coordinator(CoordinatorType::kGroup, *config_.group_id);
  if (ticket != ticket_) co_return Step::kDone;
  if (!coordinator) co_return std::unexpected(coordinator.error());
  joins_at_ = *coordinator;
  auto reply = co_await cluster_.send(*coordinator, join_request(), patient_options());
  if (ticket != ticket_) co_return Step::kDone;
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const auto& joined = reply->body;
  const ErrorCode code = protocol::error_code_from(joined.error_code);
  if (code == ErrorCode::kMemberIdRequired) {
    identity_.member_id = joined.member_id.str();
    co_return Step::kAgain;
  }
  if (code != ErrorCode::kNone) co_return step_after(code);
  identity_ = {joined.member_id.str(), joined.generation_id, joined.protocol_name ? joined.protocol_name->str() : ""};
  const auto assignor = assignor_named(identity_.protocol);
  if (!assignor) co_return failure(ErrorCode::kInconsistentGroupProtocol);
  assignor_ = *assignor;
  co_return co_await sync(ticket, *coordinator, joined);
}

Task<Answer<std::map<std::string, std::vector<std::uint8_t>>>> GroupMembership::lead(
    const protocol::JoinGroupResponse& joined, Assignor assignor) {
  std::vector<GroupMember> members;
  std::vector<std::string> topics;
  for (const auto& member : joined.members) {
    auto subscription = decode_subscription(assignor, member.metadata.get());
    if (!subscription) co_return failure(ErrorCode::kUnknownServerError, subscription.error().message);
    std::optional<std::string> instance;
    if (member.group_instance_id) instance = member.group_instance_id->str();
    topics.insert(topics.end(), subscription->topics.begin(), subscription->topics.end());
    members.push_back({member.member_id.str(), std::move(instance), std::move(*subscription)});
  }
  std::ranges::sort(topics);
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  auto refreshed = co_await cluster_.refresh_metadata(topics, config_.allow_auto_create_topics);
  if (!refreshed) co_return std::unexpected(std::move(refreshed).error());
  PartitionCounts counts;
  for (const auto& name : topics) {
    const TopicInfo* topic = cluster_.metadata().topic(name);
    if (topic != nullptr && topic->error == ErrorCode::kNone) {
      counts[name] = static_cast<std::int32_t>(topic->partitions.size());
    }
  }
  std::map<std::string, std::vector<std::uint8_t>> out;
  for (const auto& [member, partitions] : assign(assignor, members, counts))
    out[member] = encode_assignment(partitions);
  led_topics_ = std::move(counts);
  co_return out;
}

Task<Answer<GroupMembership::Step>> GroupMembership::sync(std::uint64_t ticket, std::int32_t coordinator,
                                                          const protocol::JoinGroupResponse& joined) {
  protocol::SyncGroupRequest request;
  request.group_id = Text(*config_.group_id);
  request.generation_id = identity_.generation;
  request.member_id = Text(identity_.member_id);
  request.group_instance_id = instance_id();
  request.protocol_type = Text(kProtocolType);
  request.protocol_name = Text(identity_.protocol);
  led_topics_.reset();
  // With skip_assignment a static leader came back and what was assigned before holds.
  if (joined.leader == joined.member_id && !joined.skip_assignment) {
    auto assignments = co_await lead(joined, assignor_);
    if (ticket != ticket_) co_return Step::kDone;
    if (!assignments) co_return std::unexpected(std::move(assignments).error());
    for (auto& [member, bytes] : *assignments) {
      auto& assigned = request.assignments.emplace_back();
      assigned.member_id = Text(member);
      assigned.assignment = Blob(std::move(bytes));
    }
  }
  auto reply = co_await cluster_.send(coordinator, std::move(request), patient_options());
  if (ticket != ticket_) co_return Step::kDone;
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const ErrorCode code = protocol::error_code_from(reply->body.error_code);
  if (code != ErrorCode::kNone) co_return step_after(code);
  auto partitions = decode_assignment(reply->body.assignment.get());
  if (!partitions) co_return failure(ErrorCode::kUnknownServerError, partitions.error().message);
  outcome_ = std::move(*partitions);
  reason_.clear();
  co_return Step::kDone;
}

Task<void> GroupMembership::beat(std::uint64_t ticket) {
  const auto pass = gate_.enter();
  for (;;) {
    const auto naps = naps_;
    co_await runtime::sleep_for(std::chrono::milliseconds(config_.heartbeat_interval_ms), naps.get());
    if (ticket != ticket_ || cluster_.closed() || identity_.member_id.empty()) co_return;
    if (cluster_.now() - last_poll_ > std::chrono::milliseconds(config_.max_poll_interval_ms)) {
      log::warn("client",
                "Group {}: poll() was not called for max.poll.interval.ms ({}): this member leaves. Records may take "
                "too long to work on.",
                *config_.group_id, config_.max_poll_interval_ms);
      expelled_ = true;
      request_join("consumer poll timeout has expired.");
      co_await leave("consumer poll timeout has expired.");
      co_return;
    }
    if (!co_await beat_once(ticket)) co_return;
  }
}

// False when this member need not beat any more.
Task<bool> GroupMembership::beat_once(std::uint64_t ticket) {
  const auto coordinator = co_await cluster_.coordinator(CoordinatorType::kGroup, *config_.group_id);
  if (ticket != ticket_) co_return false;
  if (!coordinator) co_return true;
  protocol::HeartbeatRequest request;
  request.group_id = Text(*config_.group_id);
  request.generation_id = identity_.generation;
  request.member_id = Text(identity_.member_id);
  request.group_instance_id = instance_id();
  const auto reply = co_await cluster_.send(*coordinator, std::move(request));
  if (ticket != ticket_) co_return false;
  if (!reply) {
    forget_coordinator();
    co_return true;
  }
  const ErrorCode code = protocol::error_code_from(reply->body.error_code);
  switch (code) {
    case ErrorCode::kNone:
      co_return true;
    case ErrorCode::kNotCoordinator:
    case ErrorCode::kCoordinatorNotAvailable:
      forget_coordinator();
      co_return true;
    case ErrorCode::kRebalanceInProgress:
      if (!needs_join_) request_join("group is already rebalancing");
      co_return true;
    case ErrorCode::kUnknownMemberId:
    case ErrorCode::kIllegalGeneration:
      note_error(code);
      co_return false;
    default:
      if (code == ErrorCode::kCoordinatorLoadInProgress) co_return true;
      outcome_ = failure(code);
      wake_();
      co_return false;
  }
}

Task<void> GroupMembership::leave(std::string reason) {
  const auto pass = gate_.enter();
  outdate();
  const bool was_joining = std::exchange(joining_, false);
  outcome_.reset();
  const auto before = std::exchange(identity_, {});
  owned_generation_ = -1;
  // The answer to the join may be long in coming, and nothing overtakes it on its connection. Or it never comes, from a
  // node that lost its power.
  if (was_joining && joins_at_) co_await cluster_.disconnect(*joins_at_);
  if (before.member_id.empty() || config_.group_instance_id) co_return;
  const auto coordinator = co_await cluster_.coordinator(CoordinatorType::kGroup, *config_.group_id);
  if (!coordinator) co_return;
  protocol::LeaveGroupRequest request;
  request.group_id = Text(*config_.group_id);
  auto& member = request.members.emplace_back();
  member.member_id = Text(before.member_id);
  member.reason = Text(reason);
  (void)co_await cluster_.send(*coordinator, std::move(request), {.min_version = 3});
}

Task<void> GroupMembership::stop() {
  outdate();
  co_await gate_.wait_empty();
}

}  // namespace dohle::client

#include "group/classic_group.h"

#include <algorithm>

#include <base/check.h>
#include <base/mutant.h>
#include <base/reader.h>

namespace dohle::coordinator {
namespace {

using protocol::ErrorCode;

std::optional<Text> text_or_null(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return Text(*text);
}

// The topics of a consumer's subscription (ConsumerProtocolSubscription, of which version 0 is a prefix of all).
bool read_topics(Bytes metadata, std::set<std::string, std::less<>>& topics) {
  Reader reader(metadata);
  if (reader.read<std::int16_t>() < 0) return false;
  const auto count = reader.read<std::int32_t>();
  if (count < 0 || static_cast<std::size_t>(count) > reader.remaining() / 2) return false;
  for (std::int32_t i = 0; i < count; ++i) {
    const auto length = reader.read<std::int16_t>();
    if (length < 0) return false;
    topics.emplace(as_text(reader.read_bytes(static_cast<std::size_t>(length))));
  }
  const auto user_data = reader.read<std::int32_t>();
  if (user_data > 0) (void)reader.read_bytes(static_cast<std::size_t>(user_data));
  return reader.ok();
}

bool has_edge(GroupState from, GroupState to) {
  switch (to) {
    case GroupState::kEmpty:
    case GroupState::kCompletingRebalance:
      return from == GroupState::kPreparingRebalance;
    case GroupState::kPreparingRebalance:
      return from == GroupState::kStable || from == GroupState::kCompletingRebalance || from == GroupState::kEmpty;
    case GroupState::kStable:
      return from == GroupState::kCompletingRebalance;
    case GroupState::kDead:
      return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::kEmpty:
      return "Empty";
    case GroupState::kPreparingRebalance:
      return "PreparingRebalance";
    case GroupState::kCompletingRebalance:
      return "CompletingRebalance";
    case GroupState::kStable:
      return "Stable";
    case GroupState::kDead:
      break;
  }
  return "Dead";
}

const ByteVector* ClassicMember::metadata(std::string_view protocol) const {
  auto at = std::ranges::find(protocols, protocol, &MemberProtocol::name);
  return at == protocols.end() ? nullptr : &at->metadata;
}

ClassicGroup::ClassicGroup(std::string id, bool has_members, std::int32_t generation,
                           std::optional<std::string> protocol_type, std::optional<std::string> protocol_name,
                           std::optional<std::string> leader, std::optional<std::int64_t> state_since_ms)
    : id_(std::move(id)),
      state_(has_members ? GroupState::kStable : GroupState::kEmpty),
      generation_(generation),
      protocol_type_(std::move(protocol_type)),
      protocol_name_(std::move(protocol_name)),
      leader_(std::move(leader)),
      state_since_ms_(state_since_ms) {}

bool ClassicGroup::can_rebalance() const { return has_edge(state_, GroupState::kPreparingRebalance); }

ClassicMember* ClassicGroup::find(std::string_view member) {
  auto at = members_.find(member);
  return at == members_.end() ? nullptr : &at->second;
}

const std::string* ClassicGroup::static_member(std::string_view instance_id) const {
  auto at = static_members_.find(instance_id);
  return at == static_members_.end() ? nullptr : &at->second;
}

ErrorCode ClassicGroup::validate_member(std::string_view member,
                                        const std::optional<std::string_view>& instance_id) const {
  if (instance_id) {
    const std::string* existing = static_member(*instance_id);
    if (existing == nullptr) return ErrorCode::kUnknownMemberId;
    if (*existing != member) return ErrorCode::kFencedInstanceId;
  }
  return has(member) ? ErrorCode::kNone : ErrorCode::kUnknownMemberId;
}

bool ClassicGroup::add(ClassicMember member) {
  if (has(member.id) || (member.instance_id && static_members_.contains(*member.instance_id))) return false;
  if (!members_.empty() && protocol_type_ != member.protocol_type) return false;
  if (members_.empty()) protocol_type_ = member.protocol_type;
  if (member.instance_id) static_members_[*member.instance_id] = member.id;
  if (!leader_) leader_ = member.id;
  count_protocols(member, 1);
  if (member.awaiting_join) ++awaiting_join_;
  pending_join_.erase(member.id);
  std::string id = member.id;
  members_.emplace(std::move(id), std::move(member));
  return true;
}

void ClassicGroup::remove(std::string_view member) {
  if (auto at = members_.find(member); at != members_.end()) {
    count_protocols(at->second, -1);
    if (at->second.awaiting_join) --awaiting_join_;
    if (at->second.instance_id) static_members_.erase(*at->second.instance_id);
    const bool led = is_leader(member);
    pending_sync_.erase(at->first);
    pending_join_.erase(at->first);
    members_.erase(at);
    if (led) leader_ = members_.empty() ? std::nullopt : std::optional(members_.begin()->first);
    return;
  }
  if (auto at = pending_join_.find(member); at != pending_join_.end()) pending_join_.erase(at);
}

ClassicMember& ClassicGroup::replace_static(const std::string& instance_id, const std::string& old_id,
                                            const std::string& new_id) {
  auto node = members_.extract(old_id);
  DOHLE_CHECK(!node.empty());
  ClassicMember& member = node.mapped();
  protocol::JoinGroupResponse fenced_join;
  fenced_join.member_id = Text(old_id);
  fenced_join.error_code = number(ErrorCode::kFencedInstanceId);
  complete_join(member, std::move(fenced_join));
  protocol::SyncGroupResponse fenced_sync;
  fenced_sync.error_code = number(ErrorCode::kFencedInstanceId);
  complete_sync(member, std::move(fenced_sync));

  member.id = new_id;
  member.is_new = false;
  node.key() = new_id;
  pending_sync_.erase(old_id);
  if (is_leader(old_id)) leader_ = new_id;
  static_members_[instance_id] = new_id;
  return members_.insert(std::move(node)).position->second;
}

void ClassicGroup::update(ClassicMember& member, std::vector<MemberProtocol> protocols,
                          std::int32_t rebalance_timeout_ms, std::int32_t session_timeout_ms, JoinReply reply) {
  count_protocols(member, -1);
  member.protocols = std::move(protocols);
  count_protocols(member, 1);
  member.rebalance_timeout_ms = rebalance_timeout_ms;
  member.session_timeout_ms = session_timeout_ms;
  if (reply && !member.awaiting_join) ++awaiting_join_;
  if (!reply && member.awaiting_join) --awaiting_join_;
  member.awaiting_join = std::move(reply);
}

void ClassicGroup::count_protocols(const ClassicMember& member, int by) {
  // A name counts once per member: peers may repeat themselves.
  for (auto protocol_at = member.protocols.begin(); protocol_at != member.protocols.end(); ++protocol_at) {
    const auto& protocol = *protocol_at;
    if (std::ranges::find(member.protocols.begin(), protocol_at, protocol.name, &MemberProtocol::name) != protocol_at) {
      continue;
    }
    auto& count = supported_protocols_[protocol.name];
    count += static_cast<std::size_t>(by);
    if (count == 0) supported_protocols_.erase(protocol.name);
  }
}

bool ClassicGroup::supports(std::string_view protocol_type, const std::vector<MemberProtocol>& protocols) const {
  if (is(GroupState::kEmpty)) return !protocol_type.empty() && !protocols.empty();
  return protocol_type_ == protocol_type && std::ranges::any_of(protocols, [this](const MemberProtocol& protocol) {
           auto at = supported_protocols_.find(protocol.name);
           return (at == supported_protocols_.end() ? 0 : at->second) == members_.size();
         });
}

std::string ClassicGroup::select_protocol() const {
  std::map<std::string_view, int> votes;
  for (const auto& [id, member] : members_) {
    auto vote = std::ranges::find_if(member.protocols, [this](const MemberProtocol& protocol) {
      auto at = supported_protocols_.find(protocol.name);
      return at != supported_protocols_.end() && at->second == members_.size();
    });
    DOHLE_CHECK(vote != member.protocols.end());
    ++votes[vote->name];
  }
  DOHLE_CHECK(!votes.empty());
  return std::string(std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first);
}

std::int32_t ClassicGroup::rebalance_timeout_ms() const {
  std::int32_t longest = 0;
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

bool ClassicGroup::elect_joined_leader() {
  if (!leader_) return false;
  const ClassicMember* current = find(*leader_);
  if (current != nullptr && current->awaiting_join) return true;
  for (const auto& [id, member] : members_) {
    if (!member.awaiting_join) continue;
    leader_ = id;
    return true;
  }
  return false;
}

void ClassicGroup::transition_to(GroupState state, std::int64_t now_ms) {
  DOHLE_CHECK(has_edge(state_, state));
  previous_state_ = state_;
  state_ = state;
  state_since_ms_ = now_ms;
}

void ClassicGroup::begin_next_generation(std::int64_t now_ms) {
  if (!DOHLE_MUTANT("coordinator.generation_reused")) ++generation_;
  if (members_.empty()) {
    protocol_name_.reset();
    compute_subscribed_topics();
    transition_to(GroupState::kEmpty, now_ms);
  } else {
    protocol_name_ = select_protocol();
    compute_subscribed_topics();
    transition_to(GroupState::kCompletingRebalance, now_ms);
  }
  pending_sync_.clear();
}

void ClassicGroup::complete_join(ClassicMember& member, protocol::JoinGroupResponse response) {
  if (!member.awaiting_join) return;
  --awaiting_join_;
  std::exchange(member.awaiting_join, nullptr)(std::move(response));
}

bool ClassicGroup::complete_sync(ClassicMember& member, protocol::SyncGroupResponse response) {
  if (!member.awaiting_sync) return false;
  std::exchange(member.awaiting_sync, nullptr)(std::move(response));
  return true;
}

protocol::JoinGroupResponse ClassicGroup::join_response(const std::string& member, bool with_members) const {
  protocol::JoinGroupResponse response;
  response.generation_id = generation_;
  response.protocol_type = text_or_null(protocol_type_);
  response.protocol_name = text_or_null(protocol_name_);
  response.leader = Text(leader_.value_or(""));
  response.member_id = Text(member);
  if (!with_members) return response;
  for (const auto& [id, each] : members_) {
    auto& out = response.members.emplace_back();
    out.member_id = Text(id);
    out.group_instance_id = text_or_null(each.instance_id);
    const ByteVector* metadata = protocol_name_ ? each.metadata(*protocol_name_) : nullptr;
    DOHLE_CHECK(metadata != nullptr);
    out.metadata = Blob(*metadata);
  }
  return response;
}

bool ClassicGroup::is_subscribed(std::string_view topic) const {
  return topics_ ? topics_->contains(topic) : uses_consumer_protocol();
}

void ClassicGroup::compute_subscribed_topics() {
  topics_.reset();
  if (!uses_consumer_protocol()) return;
  std::set<std::string, std::less<>> topics;
  if (!members_.empty()) {
    if (!protocol_name_) return;
    for (const auto& [id, member] : members_) {
      const ByteVector* metadata = member.metadata(*protocol_name_);
      if (metadata == nullptr || !read_topics(*metadata, topics)) return;
    }
  }
  topics_ = std::move(topics);
}

}  // namespace dohle::coordinator

// DescribeGroups, ListGroups, DeleteGroups.
#include <algorithm>
#include <set>

#include <base/log.h>

#include "group/group_machine.h"

namespace dohle::coordinator {

using protocol::ErrorCode;

namespace {

constexpr std::string_view kClassicType = "classic";

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return c < 0x80 ? std::tolower(c) : c; });
  return out;
}

std::string trimmed(std::string text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.erase(0, std::min(text.find_first_not_of(kBlanks), text.size()));
  text.erase(text.find_last_not_of(kBlanks) + 1);
  return text;
}

protocol::DescribeGroupsResponse::DescribedGroup describe_classic(const ClassicGroup& group) {
  protocol::DescribeGroupsResponse::DescribedGroup out;
  out.group_id = Text(group.id());
  out.group_state = Text(to_string(group.state()));
  out.protocol_type = Text(group.protocol_type().value_or(""));
  const bool stable = group.is(GroupState::kStable) && group.protocol_name();
  if (stable) out.protocol_data = Text(*group.protocol_name());
  for (const auto& [id, member] : group.members()) {
    auto& member_out = out.members.emplace_back();
    member_out.member_id = Text(id);
    if (member.instance_id) member_out.group_instance_id = Text(*member.instance_id);
    member_out.client_id = Text(member.client_id);
    member_out.client_host = Text(member.client_host);
    member_out.member_assignment = Blob(member.assignment);
    const ByteVector* metadata = stable ? member.metadata(*group.protocol_name()) : nullptr;
    if (metadata != nullptr) member_out.member_metadata = Blob(*metadata);
  }
  return out;
}

}  // namespace

std::vector<protocol::DescribeGroupsResponse::DescribedGroup> GroupMachine::describe(
    const std::vector<std::string>& group_ids, std::int16_t api_version) {
  std::vector<protocol::DescribeGroupsResponse::DescribedGroup> all;
  for (const auto& group_id : group_ids) {
    if (const ClassicGroup* group = groups_.find(group_id)) {
      all.push_back(describe_classic(*group));
      continue;
    }
    auto& missing = all.emplace_back();
    missing.group_id = Text(group_id);
    missing.group_state = Text(to_string(GroupState::kDead));
    if (api_version >= 6) {
      missing.error_code = number(ErrorCode::kGroupIdNotFound);
      missing.error_message = Text(groups_.is_modern(group_id) ? "Group " + group_id + " is not a classic group."
                                                               : "Group " + group_id + " not found.");
    }
  }
  return all;
}

void GroupMachine::list(const protocol::ListGroupsRequest& filter,
                        std::vector<protocol::ListGroupsResponse::ListedGroup>& out) {
  std::set<std::string> states;
  for (const auto& state : filter.states_filter) states.insert(trimmed(lower_case(state)));
  const bool wanted = filter.types_filter.empty() || std::ranges::any_of(filter.types_filter, [](const Text& type) {
                        return lower_case(type) == kClassicType;
                      });
  if (!wanted) return;
  for (const auto& [id, group] : groups_.all()) {
    const std::string_view state = to_string(group->state());
    if (!states.empty() && !states.contains(lower_case(state))) continue;
    auto& listed = out.emplace_back();
    listed.group_id = Text(id);
    listed.protocol_type = Text(group->protocol_type().value_or(""));
    listed.group_state = Text(state);
    listed.group_type = Text(kClassicType);
  }
}

std::vector<protocol::DeleteGroupsResponse::DeletableGroupResult> GroupMachine::delete_groups(
    Turn& turn, const std::vector<std::string>& group_ids) {
  std::vector<protocol::DeleteGroupsResponse::DeletableGroupResult> results;
  for (const auto& group_id : group_ids) {
    auto& result = results.emplace_back();
    result.group_id = Text(group_id);
    const ClassicGroup* group = groups_.find(group_id);
    if (group == nullptr || !group->is(GroupState::kEmpty)) {
      const bool unknown = group == nullptr && !groups_.is_modern(group_id);
      result.error_code = number(unknown ? ErrorCode::kGroupIdNotFound : ErrorCode::kNonEmptyGroup);
      continue;
    }
    std::set<std::pair<std::string, std::int32_t>> partitions;
    const auto collect = [&](const OffsetStore::ByTopic& by_topic) {
      for (const auto& [topic, by_partition] : by_topic) {
        for (const auto& [partition, committed] : by_partition) partitions.emplace(topic, partition);
      }
    };
    if (const auto* by_topic = offsets_.find(group_id)) collect(*by_topic);
    for (const auto& [producer, offsets] : offsets_.pending()) {
      if (auto at = offsets.find(group_id); at != offsets.end()) collect(at->second);
    }
    for (const auto& [topic, partition] : partitions) turn.add(offset_tombstone(group_id, topic, partition));
    turn.add(group_tombstone(group_id));
    log::info("coordinator", "group {} deleted with {} offsets", group_id, partitions.size());
  }
  return results;
}

}  // namespace dohle::coordinator

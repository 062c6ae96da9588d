// kafka-consumer-groups: list and describe groups, delete them or their offsets, set their offsets anew.
#include <algorithm>
#include <cstdio>
#include <regex>
#include <set>

#include <fmt/core.h>
#include <protocol/messages/delete_groups_request.h>
#include <protocol/messages/delete_groups_response.h>
#include <protocol/messages/offset_delete_request.h>
#include <protocol/messages/offset_delete_response.h>
#include <runtime/clock.h>

#include "group_queries.h"
#include "group_text.h"
#include "name_matcher.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using client::Answer;
using client::CommittedOffset;
using client::KafkaError;
using protocol::ErrorCode;
using runtime::Task;

namespace {

const std::vector<std::string_view> kActions = {"list", "describe", "delete", "reset-offsets", "delete-offsets"};
const std::vector<std::string_view> kScenarios = {"to-offset",   "shift-by",  "to-datetime", "by-duration",
                                                  "to-earliest", "to-latest", "to-current",  "from-file"};

OptionParser parser() {
  return {
      "This tool helps to list, describe, delete and manage the offsets of consumer groups.",
      {{"bootstrap-server", Takes::kText, "server to connect to", "REQUIRED, except for --validate-regex."},
       {"command-config", Takes::kText, "command config property file", "Properties file for the admin client."},
       {"group", Takes::kText, "group id", "The group. Can be repeated.", true},
       {"all-groups", Takes::kNothing, "", "All groups of consumers."},
       {"topic", Takes::kText, "topic", "The topic, or topic:0,1 for some of its partitions. Can be repeated.", true},
       {"all-topics", Takes::kNothing, "", "All topics the group has offsets of."},
       {"list", Takes::kNothing, "", "List the groups."},
       {"describe", Takes::kNothing, "", "Show a group: its offsets and what lags behind."},
       {"delete", Takes::kNothing, "", "Delete groups that have no members."},
       {"timeout", Takes::kLong, "timeout (ms)", "How long to try. (default: 30000)"},
       {"reset-offsets", Takes::kNothing, "",
        "Set offsets of a group without members: one of --to-datetime, --by-duration, --to-earliest, --to-latest, "
        "--shift-by, --from-file, --to-current, --to-offset, for --topic or --all-topics."},
       {"delete-offsets", Takes::kNothing, "", "Delete the offsets of a group for topics."},
       {"dry-run", Takes::kNothing, "", "With --reset-offsets: only show what would be set. The default."},
       {"execute", Takes::kNothing, "", "With --reset-offsets: do it."},
       {"export", Takes::kNothing, "", "With --reset-offsets: show it as CSV for --from-file."},
       {"to-offset", Takes::kLong, "offset", "Reset to this offset."},
       {"from-file", Takes::kText, "path to CSV file", "Reset to what the file says."},
       {"to-datetime", Takes::kText, "datetime", "Reset to a time, as YYYY-MM-DDThh:mm:ss.sss"},
       {"by-duration", Takes::kText, "duration", "Reset to so long ago, as PnDTnHnMnS"},
       {"to-earliest", Takes::kNothing, "", "Reset to the oldest offset."},
       {"to-latest", Takes::kNothing, "", "Reset to the end."},
       {"to-current", Takes::kNothing, "", "Reset to what is committed now."},
       {"shift-by", Takes::kLong, "number-of-offsets", "Reset by so many offsets, backwards when negative."},
       {"members", Takes::kNothing, "", "With --describe: the members."},
       {"verbose", Takes::kNothing, "", "With --describe: more columns."},
       {"offsets", Takes::kNothing, "", "With --describe: offsets and lag. The default."},
       {"state", Takes::kOptionalText, "", "With --describe: the state. With --list: states, or groups in them."},
       {"type", Takes::kOptionalText, "", "With --list: types, or groups of them."},
       {"validate-regex", Takes::kText, "regex", "Say whether this is a regular expression."}}};
}

std::string shown(const std::vector<std::string_view>& names) {
  std::vector<std::string> out;
  for (const auto name : names) out.push_back(fmt::format("[{}]", name));
  return join(out, ", ");
}

Checked<> check_describe(const ParsedOptions& options) {
  if (options.count({"group", "all-groups"}) == 0) {
    return complain_with_usage("Option [describe] takes one of these options: [group], [all-groups]");
  }
  if (options.count({"members", "offsets", "state"}) > 1) {
    return complain_with_usage("Option [describe] takes at most one of these options: [members], [offsets], [state]");
  }
  if (options.text("state")) return complain_with_usage("Option [describe] does not take a value for [state]");
  return {};
}

Checked<> check_reset(const ParsedOptions& options) {
  if (options.count({"dry-run", "execute"}) == 2) {
    return complain_with_usage("Option [reset-offsets] only accepts one of [execute] and [dry-run]");
  }
  if (options.count({"dry-run", "execute"}) == 0) {
    std::fputs(
        "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will "
        "require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if you "
        "are scripting this command and want to keep the current default behavior without prompting.\n",
        stderr);
  }
  if (options.count({"group", "all-groups"}) == 0) {
    return complain_with_usage("Option [reset-offsets] takes one of these options: [group], [all-groups]");
  }
  for (const auto scenario : kScenarios) {
    auto others = kScenarios;
    std::erase(others, scenario);
    if (auto checked = forbid(options, scenario, others); !checked) return checked;
  }
  if (options.count({"all-topics", "topic", "from-file"}) == 0) {
    return complain_with_usage("One of the reset scopes should be defined: --all-topics, --topic.");
  }
  if (options.count(kScenarios) == 0) {
    return complain_with_usage(
        fmt::format("Option '[reset-offsets]' requires one of the following scenarios: [{}]", shown(kScenarios)));
  }
  return {};
}

Checked<> check(const ParsedOptions& options) {
  if (auto checked = require(options, {"bootstrap-server"}); !checked) return checked;
  if (options.has("describe")) {
    if (auto checked = check_describe(options); !checked) return checked;
  }
  if (options.has("delete")) {
    if (options.count({"group", "all-groups"}) == 0) {
      return complain_with_usage("Option [delete] takes one of these options: [group], [all-groups]");
    }
    if (options.has("topic")) {
      return complain_with_usage("The consumer does not support topic-specific offset deletion from a consumer group.");
    }
  }
  if (options.has("delete-offsets") && options.count({"group", "topic"}) != 2) {
    return complain_with_usage("Option [delete-offsets] takes the following options: [group], [topic]");
  }
  if (options.has("reset-offsets")) {
    if (auto checked = check_reset(options); !checked) return checked;
  }
  if (auto checked = forbid(options, "group", {"all-groups", "list"}); !checked) return checked;
  if (auto checked = forbid(options, "topic", {"list", "describe"}); !checked) return checked;
  if (!options.has("describe")) {
    for (const std::string_view only : {"members", "offsets", "verbose"}) {
      if (options.has(only)) {
        return complain_with_usage(fmt::format("Option(s) [{}] are unavailable given other options", only));
      }
    }
  }
  if (options.count(kActions) != 1) {
    return complain_with_usage(
        "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, "
        "--validate-regex");
  }
  return {};
}

void print_error(std::string_view message) { fmt::print("\nError: {}\n", message); }

// As in Kafka's tool a failed command is told on standard output and exits with 0.
int fail_with(std::string_view why) {
  print_error(fmt::format("Executing consumer group command failed due to {}", why));
  return 0;
}
int fail_with(const KafkaError& error) {
  // What the tool itself found out about partitions goes without the name of an exception.
  const bool own = error.code == ErrorCode::kUnknownTopicOrPartition;
  return fail_with(own ? error.message : exception_text(error));
}

Task<Answer<std::vector<std::string>>> groups_of(Admin& admin, const ParsedOptions& options) {
  if (!options.has("all-groups")) {
    auto names = options.all("group");
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    co_return names;
  }
  const auto rows = co_await list_consumer_groups(admin, {}, {});
  if (!rows) co_return std::unexpected(rows.error());
  std::vector<std::string> names;
  for (const ListRow& row : *rows) names.push_back(row.group);
  co_return names;
}

// The names that `text` lists, as Kafka spells them. Case does not matter.
Checked<std::vector<std::string>> choose(std::string_view text, std::string_view one_list, std::string_view what,
                                         const std::vector<std::string>& valid) {
  const auto lower = [](std::string_view word) {
    std::string out(word);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  };
  std::vector<std::string> out;
  for (const std::string& one : split(text, ',')) {
    const auto found = std::ranges::find(valid, lower(trim(one)), lower);
    if (found == valid.end()) {
      return complain_with_usage(
          fmt::format("Invalid {} list '{}'. Valid {} are: {}", one_list, text, what, join(valid, ", ")));
    }
    out.push_back(*found);
  }
  return out;
}

Task<int> list(Admin& admin, const ParsedOptions& options, std::vector<std::string> states,
               std::vector<std::string> types) {
  const auto rows = co_await list_consumer_groups(admin, std::move(states), std::move(types));
  if (!rows) co_return fail_with(rows.error());
  if (options.count({"state", "type"}) > 0) {
    fmt::print("{}", list_text(*rows, options.has("type"), options.has("state")));
  } else {
    for (const ListRow& row : *rows) fmt::print("{}\n", row.group);
  }
  co_return 0;
}

// Says what a group's state means for its table; false when there is nothing to show.
bool say_state(const DescribedGroup& group, std::size_t rows) {
  if (group.state == "Dead") {
    print_error("Consumer group '" + group.id + "' does not exist.");
  } else if (group.state == "Empty") {
    fmt::print(stderr, "\nConsumer group '{}' has no active members.\n", group.id);
  } else if (group.state != "Stable") {
    fmt::print(stderr, "\nWarning: Consumer group '{}' is rebalancing.\n", group.id);
  }
  return group.state != "Dead" && rows > 0;
}

Task<Answer<std::vector<OffsetRow>>> offset_rows(Admin& admin, const DescribedGroup& group) {
  const auto committed = co_await committed_offsets(admin, group.id);
  if (!committed) co_return std::unexpected(committed.error());
  auto members = group.members;
  std::ranges::sort(members, [](const DescribedMember& a, const DescribedMember& b) {
    return a.assignment.size() != b.assignment.size() ? a.assignment.size() > b.assignment.size() : a.id < b.id;
  });
  std::set<TopicPartition> assigned;
  std::vector<OffsetRow> rows;
  for (auto& member : members) {
    std::ranges::sort(member.assignment);
    for (const auto& partition : member.assignment) {
      assigned.insert(partition);
      rows.push_back({.group = group.id,
                      .partition = partition,
                      .consumer_id = member.id,
                      .host = member.host,
                      .client_id = member.client_id});
    }
  }
  for (const auto& [partition, offset] : *committed) {
    if (!assigned.contains(partition)) rows.push_back({.group = group.id, .partition = partition});
  }
  std::map<TopicPartition, std::int64_t> wanted;
  for (const OffsetRow& row : rows) wanted[row.partition] = client::kLatestTimestamp;
  const auto ends = co_await admin.list_offsets(std::move(wanted));
  for (OffsetRow& row : rows) {
    if (const auto found = committed->find(row.partition); found != committed->end()) {
      row.offset = found->second.offset;
      if (found->second.leader_epoch >= 0) row.leader_epoch = found->second.leader_epoch;
    }
    if (const auto end = ends.find(row.partition); end != ends.end() && end->second) row.log_end = end->second->offset;
  }
  co_return rows;
}

Task<Answer<>> describe_one(Admin& admin, const DescribedGroup& group, const ParsedOptions& options) {
  const bool verbose = options.has("verbose");
  if (options.has("state")) {
    if (say_state(group, 1)) {
      const StateRow row{group.id, group.coordinator, group.protocol, group.state, group.members.size()};
      fmt::print("{}", state_text(row, verbose));
    }
    co_return Answer<>{};
  }
  if (options.has("members")) {
    std::vector<MemberRow> rows;
    for (const auto& member : group.members) {
      rows.push_back({group.id, member.id, member.instance_id, member.host, member.client_id, member.assignment});
    }
    static_cast<void>(say_state(group, rows.size()));
    fmt::print("{}", members_text(rows, verbose));
    co_return Answer<>{};
  }
  const auto rows = co_await offset_rows(admin, group);
  if (!rows) co_return std::unexpected(rows.error());
  if (say_state(group, rows->size())) fmt::print("{}", offsets_text(*rows, verbose));
  co_return Answer<>{};
}

Task<int> describe(Admin& admin, const ParsedOptions& options) {
  const auto names = co_await groups_of(admin, options);
  if (!names) co_return fail_with(names.error());
  std::vector<DescribedGroup> groups;
  for (const std::string& name : *names) {
    auto group = co_await describe_group(admin, name);
    if (!group) co_return fail_with(group.error());
    groups.push_back(std::move(*group));
  }
  for (const DescribedGroup& group : groups) {
    std::fflush(stdout);
    if (const auto described = co_await describe_one(admin, group, options); !described) {
      co_return fail_with(described.error());
    }
  }
  co_return 0;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back("'" + name + "'");
  return join(out, ", ");
}

Task<int> remove(Admin& admin, const ParsedOptions& options) {
  const auto names = co_await groups_of(admin, options);
  if (!names) co_return fail_with(names.error());
  std::vector<std::string> deleted;
  std::map<std::string, KafkaError> failed;
  for (const std::string& name : *names) {
    protocol::DeleteGroupsRequest request;
    request.groups_names.emplace_back(name);
    const auto answer = co_await admin.call_coordinator(
        client::CoordinatorType::kGroup, name, std::move(request),
        [](const auto& body) { return body.results.empty() ? std::int16_t{0} : body.results.front().error_code; });
    if (!answer) {
      failed[name] = answer.error();
    } else if (!answer->body.results.empty() && answer->body.results.front().error_code != 0) {
      failed[name] = item_error(answer->body.results.front().error_code, answer->body.results.front().error_message);
    } else {
      deleted.push_back(name);
    }
  }
  if (failed.empty()) {
    fmt::print("Deletion of requested consumer groups ({}) was successful.\n", quoted_list(deleted));
    co_return 0;
  }
  print_error("Deletion of some consumer groups failed:");
  for (const auto& [name, error] : failed) {
    fmt::print("* Group '{}' could not be deleted due to: {}\n", name, exception_text(error));
  }
  if (!deleted.empty()) {
    fmt::print("\nThese consumer groups were deleted successfully: {}\n", quoted_list(deleted));
  }
  co_return 0;
}

// Where each partition goes.
Task<Answer<PartitionOffsets>> new_offsets(Admin& admin, const ParsedOptions& options, std::string group,
                                           Partitions partitions, const ResetPlan& file_plan) {
  const auto refuse = [](std::string message) { return client::failure(ErrorCode::kInvalidRequest, message); };
  if (options.has("from-file")) {
    const auto found = file_plan.find(group);
    if (found == file_plan.end()) {
      print_error("No reset plan for group " + group + " found.");
      co_return PartitionOffsets{};
    }
    for (const auto& [partition, offset] : found->second) partitions.push_back(partition);
    if (auto checked = co_await check_partitions(admin, partitions); !checked) {
      co_return std::unexpected(checked.error());
    }
    co_return co_await into_range(admin, found->second);
  }
  if (auto checked = co_await check_partitions(admin, partitions); !checked) co_return std::unexpected(checked.error());
  if (options.has("to-earliest")) co_return co_await offsets_at(admin, partitions, client::kEarliestTimestamp);
  if (options.has("to-latest")) co_return co_await offsets_at(admin, partitions, client::kLatestTimestamp);
  if (const auto text = options.text("to-datetime")) {
    co_return co_await offsets_at_time(admin, partitions, *parse_datetime_ms(*text));
  }
  if (const auto text = options.text("by-duration")) {
    const std::int64_t now_ms = admin.cluster().shard().clock().wall_ms();
    co_return co_await offsets_at_time(admin, partitions, now_ms - *parse_duration_ms(*text));
  }
  PartitionOffsets wanted;
  if (const auto offset = options.number("to-offset")) {
    for (const auto& partition : partitions) wanted[partition] = *offset;
    co_return co_await into_range(admin, std::move(wanted));
  }
  const auto committed = co_await committed_offsets(admin, group);
  if (!committed) co_return std::unexpected(committed.error());
  Partitions without;
  const auto shift = options.number("shift-by");
  for (const auto& partition : partitions) {
    const auto found = committed->find(partition);
    if (found != committed->end()) {
      wanted[partition] = found->second.offset + shift.value_or(0);
    } else if (shift) {
      co_return refuse(fmt::format("Cannot shift offset for partition {}-{} since there is no current committed offset",
                                   partition.topic, partition.partition));
    } else {
      without.push_back(partition);
    }
  }
  if (shift) co_return co_await into_range(admin, std::move(wanted));
  const auto ends = co_await offsets_at(admin, std::move(without), client::kLatestTimestamp);
  if (!ends) co_return std::unexpected(ends.error());
  wanted.insert(ends->begin(), ends->end());
  co_return wanted;
}

Task<Answer<PartitionOffsets>> reset_group(Admin& admin, const ParsedOptions& options, std::string group,
                                           const ResetPlan& file_plan) {
  const auto described = co_await describe_group(admin, group);
  if (!described && described.error().code != ErrorCode::kGroupIdNotFound) {
    co_return std::unexpected(described.error());
  }
  if (described && described->state != "Empty" && described->state != "Dead") {
    print_error(fmt::format("Assignments can only be reset if the group '{}' is inactive, but the current state is {}.",
                            group, described->state));
    co_return PartitionOffsets{};
  }
  Partitions partitions;
  if (options.has("all-topics")) {
    const auto committed = co_await committed_offsets(admin, group);
    if (!committed) co_return std::unexpected(committed.error());
    for (const auto& [partition, offset] : *committed) partitions.push_back(partition);
  } else {
    auto named = co_await partitions_of(admin, options.all("topic"));
    if (!named) co_return std::unexpected(named.error());
    partitions = std::move(*named);
  }
  auto offsets = co_await new_offsets(admin, options, group, std::move(partitions), file_plan);
  if (!offsets || !options.has("execute") || offsets->empty()) co_return offsets;
  std::map<TopicPartition, CommittedOffset> commits;
  for (const auto& [partition, offset] : *offsets) commits[partition] = {.offset = offset, .metadata = ""};
  const auto altered = co_await admin.alter_group_offsets(group, std::move(commits));
  if (!altered) co_return std::unexpected(altered.error());
  for (const auto& [partition, done] : *altered) {
    if (!done) co_return std::unexpected(done.error());
  }
  co_return offsets;
}

Task<int> reset(Admin& admin, const ParsedOptions& options, const ResetPlan& file_plan) {
  const auto names = co_await groups_of(admin, options);
  if (!names) co_return fail_with(names.error());
  ResetPlan plan;
  for (const std::string& name : *names) {
    const auto offsets = co_await reset_group(admin, options, name, file_plan);
    if (!offsets && offsets.error().code == ErrorCode::kInvalidRequest) {
      fmt::print(stderr, "{}\n{}", offsets.error().message, parser().usage());
      co_return 1;
    }
    if (!offsets) co_return fail_with(offsets.error());
    plan[name] = *offsets;
  }
  if (options.has("export")) {
    fmt::print("{}\n", reset_csv(plan, options.all("group").size() == 1));
  } else {
    fmt::print("{}", reset_text(plan));
  }
  co_return 0;
}

// Nothing: it worked.
using Outcomes = std::map<TopicPartition, std::optional<KafkaError>>;

void print_deleted_offsets(const Outcomes& outcomes) {
  std::size_t width = 15;
  for (const auto& [partition, error] : outcomes) width = std::max(width, partition.topic.size());
  fmt::print("\n{:<{}} {:<10} {:<15}", "TOPIC", width, "PARTITION", "STATUS");
  for (const auto& [partition, error] : outcomes) {
    fmt::print("\n{:<{}} {:<10} {:<15}", partition.topic, width,
               partition.partition < 0 ? "-" : std::to_string(partition.partition),
               error ? "Error: " + exception_text(*error) : "Successful");
  }
  fmt::print("\n");
}

// What the whole request came to: its own error, else the first of a partition.
void say_outcome(const std::string& group, ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone:
      fmt::print("Request succeeded for deleting offsets from group {}.\n", group);
      return;
    case ErrorCode::kInvalidGroupId:
    case ErrorCode::kGroupIdNotFound:
    case ErrorCode::kGroupAuthorizationFailed:
    case ErrorCode::kNonEmptyGroup:
      print_error(protocol::message(code));
      return;
    case ErrorCode::kGroupSubscribedToTopic:
    case ErrorCode::kTopicAuthorizationFailed:
    case ErrorCode::kUnknownTopicOrPartition:
      print_error("Encountered some partition-level error, see the follow-up details.");
      return;
    default:
      print_error(fmt::format("Encountered some unknown error: {}", protocol::name(code)));
  }
}

Task<int> remove_offsets(Admin& admin, const ParsedOptions& options) {
  const std::string group = options.text("group", "");
  Outcomes outcomes;
  protocol::OffsetDeleteRequest request;
  request.group_id = Text(group);
  std::map<std::string, std::vector<std::int32_t>> topics;
  for (const std::string& topic : options.all("topic")) {
    const auto partitions = co_await partitions_of(admin, {topic});
    if (!partitions) {
      outcomes[{topic, -1}] = partitions.error();
      continue;
    }
    for (const auto& partition : *partitions) topics[partition.topic].push_back(partition.partition);
  }
  for (const auto& [name, indexes] : topics) {
    auto& topic = request.topics.emplace_back();
    topic.name = Text(name);
    for (const std::int32_t index : indexes) topic.partitions.emplace_back().partition_index = index;
  }
  const auto answer = co_await admin.call_coordinator(client::CoordinatorType::kGroup, group, std::move(request),
                                                      [](const auto& body) { return body.error_code; });
  std::optional<KafkaError> whole;
  if (!answer) whole = answer.error();
  if (answer && answer->body.error_code != 0) whole = item_error(answer->body.error_code, std::nullopt);
  for (const auto& [name, indexes] : topics) {
    for (const std::int32_t index : indexes) outcomes[{name, index}] = whole;
  }
  ErrorCode code = whole ? whole->code : ErrorCode::kNone;
  if (!whole) {
    for (const auto& topic : answer->body.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code == 0) continue;
        const KafkaError error = item_error(partition.error_code, std::nullopt);
        outcomes[{topic.name.str(), partition.partition_index}] = error;
        if (code == ErrorCode::kNone) code = error.code;
      }
    }
  }
  say_outcome(group, code);
  print_deleted_offsets(outcomes);
  co_return 0;
}

int validate_regex(const std::string& text) {
  if (has_huge_number(text)) {
    fmt::print("The regular expression `{}` is invalid: a number in it is too large.\n", text);
    return 0;
  }
  try {
    const std::regex expression(text);
    fmt::print("The regular expression `{}` is valid.\n", text);
  } catch (const std::regex_error& error) {
    fmt::print("The regular expression `{}` is invalid: {}.\n", text, error.what());
  }
  return 0;
}

struct Prepared {
  std::vector<std::string> states;
  std::vector<std::string> types;
  ResetPlan file_plan;
  std::optional<std::string> failure;  // a value that is none: told like what fails later, by exit code 0 too
};

// What can be wrong before there is a connection.
Checked<Prepared> prepare(const ParsedOptions& options) {
  Prepared out;
  if (options.has("list")) {
    auto states =
        choose(options.text("state", ""), "state", "states",
               {"Assigning", "CompletingRebalance", "Dead", "Empty", "PreparingRebalance", "Reconciling", "Stable"});
    if (!states) return std::unexpected(states.error());
    auto types = choose(options.text("type", ""), "types", "types", {"Classic", "Consumer"});
    if (!types) return std::unexpected(types.error());
    out.states = std::move(*states);
    out.types = std::move(*types);
  }
  if (const auto path = options.text("from-file")) {
    const auto text = load_text(*path);
    if (!text) {
      out.failure = fmt::format("java.io.IOException: Unable to read file {}", *path);
      return out;
    }
    const auto groups = options.all("group");
    auto plan = parse_reset_csv(*text, groups.size() == 1 ? std::optional(groups.front()) : std::nullopt);
    if (!plan) return complain(*path + " is not a CSV file of topic,partition,offset or group,topic,partition,offset");
    out.file_plan = std::move(*plan);
  }
  if (const auto text = options.text("to-datetime"); text && !parse_datetime_ms(*text)) {
    out.failure = text->find('T') == std::string::npos
                      ? "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to "
                        "ISO8601 format"
                      : fmt::format("java.text.ParseException: Unparseable date: \"{}\"", *text);
  }
  if (const auto text = options.text("by-duration"); text && !parse_duration_ms(*text)) {
    out.failure = "Text cannot be parsed to a Duration";
  }
  return out;
}

Checked<int> run(const ParsedOptions& options) {
  if (const auto regex = options.text("validate-regex")) return validate_regex(*regex);
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  const auto prepared = prepare(options);
  if (!prepared) return std::unexpected(prepared.error());
  if (prepared->failure) return fail_with(*prepared->failure);
  auto properties = admin_properties(options);
  if (!properties) return std::unexpected(properties.error());
  (*properties)["default.api.timeout.ms"] = std::to_string(options.number("timeout", 30'000));
  return with_admin(*properties, [&](Admin& admin) -> Task<int> {
    if (options.has("list")) return list(admin, options, prepared->states, prepared->types);
    if (options.has("describe")) return describe(admin, options);
    if (options.has("delete")) return remove(admin, options);
    if (options.has("delete-offsets")) return remove_offsets(admin, options);
    return reset(admin, options, prepared->file_plan);
  });
}

}  // namespace

int run_consumer_groups(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app

// kafka-topics: create, delete, alter, describe and list topics.
#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/core.h>
#include <protocol/messages/create_partitions_request.h>
#include <protocol/messages/create_partitions_response.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/describe_cluster_request.h>
#include <protocol/messages/describe_cluster_response.h>
#include <protocol/messages/describe_topic_partitions_request.h>
#include <protocol/messages/describe_topic_partitions_response.h>
#include <protocol/messages/list_partition_reassignments_request.h>
#include <protocol/messages/list_partition_reassignments_response.h>

#include "tool.h"
#include "tools.h"
#include "topic_text.h"

namespace dohle::app {

using client::Admin;
using client::Answer;
using client::KafkaError;
using protocol::ErrorCode;
using runtime::Task;

namespace {

constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kDefaultConfigSource = 5;
constexpr std::int64_t kPartitionsPerResponse = 2000;
constexpr std::string_view kUseConfigs = " (To alter topic configurations, the kafka-configs tool can be used.)";

OptionParser parser() {
  return {"This tool helps to create, delete, describe, or change a topic.",
          {{"bootstrap-server", Takes::kText, "server to connect to", "REQUIRED: The Kafka server to connect to."},
           {"command-config", Takes::kText, "command config property file", "Properties file for the admin client."},
           {"list", Takes::kNothing, "", "List the names of all topics."},
           {"create", Takes::kNothing, "", "Create a topic."},
           {"delete", Takes::kNothing, "", "Delete topics."},
           {"alter", Takes::kNothing, "", "Add partitions to topics. Settings are changed with kafka-configs."},
           {"describe", Takes::kNothing, "", "Show topics with their partitions."},
           {"topic", Takes::kText, "topic", "The topic; a regular expression, except with --create."},
           {"topic-id", Takes::kText, "topic-id", "The id of the topic to describe."},
           {"config", Takes::kText, "name=value", "A setting of the topic to create. Can be repeated.", true},
           {"delete-config", Takes::kText, "name", "No longer supported since 4.0; use kafka-configs.", true},
           {"partitions", Takes::kInt, "# of partitions",
            "How many partitions the topic gets. More partitions send keys elsewhere than before."},
           {"replication-factor", Takes::kInt, "replication factor", "How many replicas each partition gets."},
           {"replica-assignment", Takes::kText, "broker_id : broker_id , ...",
            "Which brokers hold each partition: 0:1,1:2 puts partition 0 on 0 and 1, partition 1 on 1 and 2."},
           {"under-replicated-partitions", Takes::kNothing, "", "Describe only partitions that lack replicas in sync."},
           {"unavailable-partitions", Takes::kNothing, "", "Describe only partitions without a live leader."},
           {"under-min-isr-partitions", Takes::kNothing, "", "Describe only partitions below min.insync.replicas."},
           {"at-min-isr-partitions", Takes::kNothing, "", "Describe only partitions right at min.insync.replicas."},
           {"topics-with-overrides", Takes::kNothing, "", "Describe only topics with settings of their own."},
           {"if-exists", Takes::kNothing, "", "Do nothing when the topic does not exist."},
           {"if-not-exists", Takes::kNothing, "", "Do nothing when the topic exists already."},
           {"exclude-internal", Takes::kNothing, "", "Leave internal topics out of lists and descriptions."},
           {"partition-size-limit-per-response", Takes::kInt, "maximum number of partitions per response",
            "How many partitions to ask for at a time."}}};
}

Checked<> check(const ParsedOptions& options) {
  const std::vector<std::string_view> actions = {"create", "list", "alter", "describe", "delete"};
  if (options.count(actions) != 1) {
    return complain_with_usage(
        "Command must include exactly one action: --list, --describe, --create, --alter or --delete");
  }
  if (options.has("delete-config")) {
    std::fputs(
        "delete-config option is no longer supported and deprecated since version 4.0. The config will be fully "
        "removed in future releases.\n",
        stderr);
  }
  if (!options.has("bootstrap-server")) return complain("--bootstrap-server must be specified");
  if (options.has("describe") && options.has("if-exists") && options.count({"topic", "topic-id"}) == 0) {
    return complain_with_usage("--topic or --topic-id is required to describe a topic");
  }
  if (!options.has("list") && !options.has("describe")) {
    if (auto checked = require(options, {"topic"}); !checked) return checked;
  }
  if (options.has("alter")) {
    if (options.has("config")) {
      return complain_with_usage(
          fmt::format("Option combination \"[[config], [bootstrap-server]]\" can't be used with option \"[alter]\"{}",
                      kUseConfigs));
    }
    if (auto checked = require(options, {"partitions"}); !checked) return checked;
  }
  // Each option with the actions it goes with; the last ones also exclude each other.
  struct Rule {
    std::string_view option;
    std::set<std::string_view> allowed;
    std::vector<std::string_view> excludes;
  };
  const std::vector<std::string_view> reports = {"under-replicated-partitions", "under-min-isr-partitions",
                                                 "at-min-isr-partitions", "unavailable-partitions"};
  std::vector<Rule> rules = {{"config", {"alter", "create"}, {}},
                             {"partitions", {"alter", "create"}, {}},
                             {"replication-factor", {"create"}, {}},
                             {"replica-assignment", {"alter", "create"}, {}},
                             {"topics-with-overrides", {"describe"}, reports},
                             {"if-exists", {"alter", "delete", "describe"}, {}},
                             {"if-not-exists", {"create"}, {}},
                             {"exclude-internal", {"list", "describe"}, {}}};
  for (const auto report : reports) rules.push_back({report, {"describe"}, {"topics-with-overrides"}});
  if (options.has("create")) {
    rules.push_back({"replica-assignment", {"alter", "create"}, {"partitions", "replication-factor"}});
  }
  for (Rule& rule : rules) {
    for (const auto action : actions) {
      if (!rule.allowed.contains(action)) rule.excludes.push_back(action);
    }
    if (auto checked = forbid(options, rule.option, rule.excludes); !checked) return checked;
  }
  return {};
}

int fail_with(const KafkaError& error) {
  fmt::print("Error while executing topic command : {}\n", error.message);
  return 1;
}
int fail_with(std::string message) { return fail_with(KafkaError{ErrorCode::kInvalidRequest, std::move(message)}); }

// What --topic and --exclude-internal let through, by name.
Task<Answer<std::vector<std::string>>> matching_topics(Admin& admin, const ParsedOptions& options) {
  const auto pattern = TopicPattern::parse(options.text("topic", ".*"));
  if (!pattern) co_return client::failure(ErrorCode::kInvalidRequest, pattern.error().message);
  if (auto refreshed = co_await admin.refresh_metadata(); !refreshed) co_return std::unexpected(refreshed.error());
  std::vector<std::string> out;
  for (const auto& [name, topic] : admin.cluster().metadata().topics) {
    if (options.has("exclude-internal") && is_internal_topic(name)) continue;
    if (!options.has("topic") || pattern->matches(name)) out.push_back(name);
  }
  if (out.empty() && !options.text("topic", "").empty() && !options.has("if-exists") && !options.has("list")) {
    co_return client::failure(ErrorCode::kUnknownTopicOrPartition,
                              fmt::format("Topic '{}' does not exist as expected", options.text("topic", "")));
  }
  co_return out;
}

Answer<protocol::CreateTopicsRequest> creation_of(const ParsedOptions& options) {
  protocol::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = Text(options.text("topic", ""));
  const auto refuse = [](std::string message) { return client::failure(ErrorCode::kInvalidRequest, message); };
  for (const std::string& text : options.all("config")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || trim(text.substr(equals + 1)).empty()) {
      return refuse(
          "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".");
    }
    auto& config = topic.configs.emplace_back();
    config.name = Text(trim(std::string_view(text).substr(0, equals)));
    config.value = Text(trim(std::string_view(text).substr(equals + 1)));
  }
  topic.num_partitions = static_cast<std::int32_t>(options.number("partitions", -1));
  const std::int64_t factor = options.number("replication-factor", -1);
  if (options.has("replication-factor") && (factor < 1 || factor > INT16_MAX)) {
    return refuse("The replication factor must be between 1 and 32767 inclusive");
  }
  if (options.has("partitions") && topic.num_partitions < 1) return refuse("The partitions must be greater than 0");
  topic.replication_factor = static_cast<std::int16_t>(factor);
  const auto assignment = parse_replica_assignment(options.text("replica-assignment", ""));
  if (!assignment) return refuse(assignment.error());
  for (std::size_t i = 0; i < assignment->size(); ++i) {
    topic.assignments.push_back({static_cast<std::int32_t>(i), (*assignment)[i], {}});
  }
  return request;
}

Task<int> create(Admin& admin, const ParsedOptions& options) {
  const std::string name = options.text("topic", "");
  auto request = creation_of(options);
  if (!request) co_return fail_with(request.error());
  if (name.find_first_of("._") != std::string::npos) {
    std::puts(
        "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. "
        "To avoid issues it is best to use either, but not both.");
  }
  const auto answer = co_await admin.call(std::move(*request));
  if (!answer) co_return fail_with(answer.error());
  for (const auto& topic : answer->body.topics) {
    if (topic.error_code == 0) {
      fmt::print("Created topic {}.\n", name);
    } else if (protocol::error_code_from(topic.error_code) != ErrorCode::kTopicAlreadyExists ||
               !options.has("if-not-exists")) {
      co_return fail_with(item_error(topic.error_code, topic.error_message));
    }
  }
  co_return 0;
}

Task<int> remove(Admin& admin, const ParsedOptions& options) {
  const auto names = co_await matching_topics(admin, options);
  if (!names) co_return fail_with(names.error());
  if (names->empty()) co_return 0;
  protocol::DeleteTopicsRequest request;
  request.timeout_ms = static_cast<std::int32_t>(admin.cluster().config().request_timeout_ms);
  for (const std::string& name : *names) {
    request.topics.emplace_back().name = Text(name);
    request.topic_names.emplace_back(name);
  }
  const auto answer = co_await admin.call(std::move(request));
  if (!answer) co_return fail_with(answer.error());
  for (const auto& topic : answer->body.responses) {
    if (topic.error_code != 0) co_return fail_with(item_error(topic.error_code, topic.error_message));
  }
  co_return 0;
}

Task<int> alter(Admin& admin, const ParsedOptions& options) {
  const auto names = co_await matching_topics(admin, options);
  if (!names) co_return fail_with(names.error());
  if (names->empty()) co_return 0;
  const auto assignment = parse_replica_assignment(options.text("replica-assignment", ""));
  if (!assignment) co_return fail_with(assignment.error());
  protocol::CreatePartitionsRequest request;
  for (const std::string& name : *names) {
    auto& topic = request.topics.emplace_back();
    topic.name = Text(name);
    topic.count = static_cast<std::int32_t>(options.number("partitions", 0));
    topic.assignments.reset();
    if (assignment->empty()) continue;
    auto& assigned = topic.assignments.emplace();
    const std::size_t there = admin.cluster().metadata().topic(name)->partitions.size();
    for (std::size_t i = there; i < assignment->size(); ++i) assigned.emplace_back().broker_ids = (*assignment)[i];
  }
  request.timeout_ms = static_cast<std::int32_t>(admin.cluster().config().request_timeout_ms);
  const auto answer = co_await admin.call(std::move(request));
  if (!answer) co_return fail_with(answer.error());
  for (const auto& topic : answer->body.results) {
    if (topic.error_code != 0) co_return fail_with(item_error(topic.error_code, topic.error_message));
  }
  co_return 0;
}

Task<int> list(Admin& admin, const ParsedOptions& options) {
  const auto names = co_await matching_topics(admin, options);
  if (!names) co_return fail_with(names.error());
  fmt::print("{}\n", join(*names, "\n"));
  co_return 0;
}

// Of a broker that has no DescribeTopicPartitions: what Metadata says.
void describe_from_metadata(const client::ClusterMetadata& metadata, const std::vector<std::string>& names,
                            std::map<std::string, TopicText>& out) {
  for (const std::string& name : names) {
    const client::TopicInfo* topic = metadata.topic(name);
    if (topic == nullptr) continue;
    TopicText& text = out[name];
    text.name = name;
    text.id = topic->id;
    for (const auto& partition : topic->partitions) {
      text.partitions.push_back(
          {.index = partition.index, .leader = partition.leader, .replicas = partition.replicas, .isr = partition.isr});
    }
  }
}

Task<Answer<>> describe_partitions(Admin& admin, const ParsedOptions& options, std::vector<std::string> names,
                                   std::map<std::string, TopicText>& out) {
  protocol::DescribeTopicPartitionsRequest request;
  for (const std::string& name : names) request.topics.emplace_back().name = Text(name);
  request.response_partition_limit =
      static_cast<std::int32_t>(options.number("partition-size-limit-per-response", kPartitionsPerResponse));
  for (;;) {
    const auto answer = co_await admin.call(request);
    if (!answer && answer.error().code == ErrorCode::kUnsupportedVersion) {
      describe_from_metadata(admin.cluster().metadata(), names, out);
      co_return Answer<>{};
    }
    if (!answer) co_return std::unexpected(answer.error());
    for (const auto& topic : answer->body.topics) {
      if (topic.error_code != 0) co_return client::failure(topic.error_code);
      TopicText& text = out[topic.name->str()];
      text.name = topic.name->str();
      text.id = topic.topic_id;
      for (const auto& partition : topic.partitions) {
        text.partitions.push_back({partition.partition_index,
                                   partition.leader_id,
                                   partition.replica_nodes,
                                   partition.isr_nodes,
                                   partition.eligible_leader_replicas,
                                   partition.last_known_elr,
                                   {}});
      }
    }
    const auto& next = answer->body.next_cursor;
    if (!next) co_return Answer<>{};
    request.cursor.emplace();
    request.cursor->topic_name = Text(next->topic_name.str());
    request.cursor->partition_index = next->partition_index;
    std::erase_if(request.topics, [&](const auto& topic) { return topic.name.get() < next->topic_name.get(); });
  }
}

Task<Answer<>> describe_settings(Admin& admin, std::map<std::string, TopicText>& topics) {
  protocol::DescribeConfigsRequest request;
  for (const auto& [name, topic] : topics) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kTopicResource;
    resource.resource_name = Text(name);
    resource.configuration_keys.reset();
  }
  const auto answers = co_await admin.describe_configs(std::move(request));
  if (!answers) co_return std::unexpected(answers.error());
  for (const auto& answer : *answers) {
    for (const auto& resource : answer->results) {
      if (resource.error_code != 0) {
        co_return std::unexpected(item_error(resource.error_code, resource.error_message));
      }
      TopicText& topic = topics[resource.resource_name.str()];
      for (const auto& config : resource.configs) {
        const std::string value = config.value ? config.value->str() : "null";
        if (config.name.get() == "min.insync.replicas") {
          topic.min_isr = static_cast<std::int32_t>(parse_number(value).value_or(1));
        }
        if (config.config_source != kDefaultConfigSource) topic.configs.push_back(config.name.str() + "=" + value);
      }
    }
  }
  co_return Answer<>{};
}

Task<Answer<>> describe_reassignments(Admin& admin, std::map<std::string, TopicText>& topics) {
  protocol::ListPartitionReassignmentsRequest request;
  request.topics.emplace();
  for (const auto& [name, topic] : topics) {
    auto& asked = request.topics->emplace_back();
    asked.name = Text(name);
    for (const auto& partition : topic.partitions) asked.partition_indexes.push_back(partition.index);
  }
  const auto answer = co_await admin.call(std::move(request));
  if (!answer) {
    const ErrorCode code = answer.error().code;
    if (code == ErrorCode::kUnsupportedVersion || code == ErrorCode::kClusterAuthorizationFailed) {
      co_return Answer<>{};
    }
    co_return std::unexpected(answer.error());
  }
  for (const auto& moving : answer->body.topics) {
    const auto topic = topics.find(moving.name.str());
    if (topic == topics.end()) continue;
    for (const auto& partition : moving.partitions) {
      for (auto& text : topic->second.partitions) {
        if (text.index != partition.partition_index) continue;
        text.reassignment = {partition.replicas, partition.adding_replicas, partition.removing_replicas};
      }
    }
  }
  co_return Answer<>{};
}

void print_topic(const ParsedOptions& options, const TopicText& topic, const std::set<std::int32_t>& live) {
  const bool reports = options.count({"under-replicated-partitions", "under-min-isr-partitions",
                                      "at-min-isr-partitions", "unavailable-partitions"}) > 0;
  const bool only_overrides = options.has("topics-with-overrides");
  if (!reports && (!only_overrides || !topic.configs.empty())) fmt::print("{}\n", topic.line());
  if (only_overrides) return;
  const auto min_isr = static_cast<std::size_t>(topic.min_isr);
  for (const PartitionText& partition : topic.partitions) {
    const bool has_leader = partition.leader >= 0;
    const bool shown = !reports || (options.has("under-replicated-partitions") && partition.is_under_replicated()) ||
                       (options.has("unavailable-partitions") && (!has_leader || !live.contains(partition.leader))) ||
                       (options.has("under-min-isr-partitions") && (!has_leader || partition.isr.size() < min_isr)) ||
                       (options.has("at-min-isr-partitions") && partition.isr.size() == min_isr);
    if (shown) fmt::print("{}\n", partition.line(topic.name));
  }
}

// The names to describe: of --topic-id, else of --topic.
Task<Answer<std::vector<std::string>>> described_topics(Admin& admin, const ParsedOptions& options) {
  const std::string id_text = options.text("topic-id", "");
  const auto id = Uuid::parse(id_text);
  if (id_text.empty() || (id && id->is_zero())) co_return co_await matching_topics(admin, options);
  if (!id) co_return client::failure(ErrorCode::kInvalidRequest, id.error().message);
  if (auto refreshed = co_await admin.refresh_metadata(); !refreshed) co_return std::unexpected(refreshed.error());
  if (const auto* topic = admin.cluster().metadata().topic(*id)) co_return std::vector{topic->name};
  if (options.has("if-exists")) co_return std::vector<std::string>{};
  co_return client::failure(ErrorCode::kUnknownTopicId,
                            fmt::format("TopicId '{}' does not exist as expected", id_text));
}

Task<int> describe(Admin& admin, const ParsedOptions& options) {
  if (options.has("if-exists") && options.count({"topic", "topic-id"}) == 2) {
    std::puts(
        "Only topic id will be used when both --topic and --topic-id are specified and topicId is not "
        "Uuid.ZERO_UUID");
  }
  const auto names = co_await described_topics(admin, options);
  if (!names) co_return fail_with(names.error());
  if (names->empty()) co_return 0;
  std::map<std::string, TopicText> topics;
  auto done = co_await describe_partitions(admin, options, *names, topics);
  if (done) done = co_await describe_settings(admin, topics);
  if (done) done = co_await describe_reassignments(admin, topics);
  if (!done) co_return fail_with(done.error());
  const auto brokers = co_await admin.brokers();
  if (!brokers) co_return fail_with(brokers.error());
  const std::set<std::int32_t> live(brokers->begin(), brokers->end());
  for (auto& [name, topic] : topics) {
    std::ranges::sort(topic.partitions, {}, &PartitionText::index);
    print_topic(options, topic, live);
  }
  co_return 0;
}

Task<int> act(Admin& admin, const ParsedOptions& options) {
  if (options.has("create")) return create(admin, options);
  if (options.has("alter")) return alter(admin, options);
  if (options.has("delete")) return remove(admin, options);
  return options.has("list") ? list(admin, options) : describe(admin, options);
}

}  // namespace

int run_topics(const Arguments& arguments) {
  return run_tool(parser(), arguments, [](const ParsedOptions& options) -> Checked<int> {
    if (auto checked = check(options); !checked) return std::unexpected(checked.error());
    const auto properties = admin_properties(options);
    if (!properties) return std::unexpected(properties.error());
    return with_admin(*properties, [&](Admin& admin) { return act(admin, options); });
  });
}

}  // namespace dohle::app

// kafka-configs: the dynamic settings of topics, brokers, groups and client metrics.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>
#include <protocol/messages/list_config_resources_request.h>
#include <protocol/messages/list_config_resources_response.h>

#include "group_queries.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using client::Answer;
using client::KafkaError;
using protocol::ErrorCode;
using runtime::Task;

namespace {

constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;

struct EntityType {
  std::string_view name;      // --entity-type
  std::string_view flag;      // the option that names one
  std::string_view defaults;  // the option for the default of all; empty: none
  std::int8_t resource = 0;   // 0: none, or not served here
  std::int8_t dynamic_source = 0;
};
// In the order in which Kafka's tool names them.
constexpr std::array<EntityType, 8> kTypes = {{{"topics", "topic", "", 2, 1},
                                               {"clients", "client", "client-defaults"},
                                               {"users", "user", "user-defaults"},
                                               {"brokers", "broker", "broker-defaults", 4, 2},
                                               {"ips", "ip", "ip-defaults"},
                                               {"client-metrics", "client-metrics", "", 16, 7},
                                               {"groups", "group", "", 32, 8},
                                               {"broker-loggers", "broker-logger", ""}}};
constexpr std::int8_t kDynamicDefaultBroker = 3;

OptionParser parser() {
  return {
      "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics "
      "or group",
      {{"bootstrap-server", Takes::kText, "server to connect to", "The Kafka servers to connect to."},
       {"bootstrap-controller", Takes::kText, "controller to connect to", "The Kafka controllers to connect to."},
       {"command-config", Takes::kText, "command config property file", "Properties file for the admin client."},
       {"alter", Takes::kNothing, "", "Change settings."},
       {"describe", Takes::kNothing, "", "Show settings."},
       {"all", Takes::kNothing, "", "Show all settings, not only those that were set dynamically."},
       {"entity-type", Takes::kText, "",
        "topics, brokers, groups, client-metrics (or broker-loggers, users, clients, "
        "ips).",
        true},
       {"entity-name", Takes::kText, "", "The topic, broker id, group or name of client metrics.", true},
       {"entity-default", Takes::kNothing, "", "The default of all brokers."},
       {"add-config", Takes::kText, "", "k1=v1,k2=[v1,v2]: settings to set; brackets group what has commas."},
       {"add-config-file", Takes::kText, "", "Properties file of settings to set."},
       {"delete-config", Takes::kText, "", "k1,k2: settings to take back.", true},
       {"topic", Takes::kText, "", "The topic's name."},
       {"client", Takes::kText, "", "The client's ID."},
       {"client-defaults", Takes::kNothing, "", "The defaults of all clients."},
       {"user", Takes::kText, "", "The user's principal name."},
       {"user-defaults", Takes::kNothing, "", "The defaults of all users."},
       {"broker", Takes::kText, "", "The broker's ID."},
       {"broker-defaults", Takes::kNothing, "", "The defaults of all brokers."},
       {"broker-logger", Takes::kText, "", "The ID of the broker whose loggers are meant."},
       {"ip-defaults", Takes::kNothing, "", "The defaults of all IPs."},
       {"ip", Takes::kText, "", "The IP address."},
       {"group", Takes::kText, "", "The group's ID."},
       {"client-metrics", Takes::kText, "", "The name of a client metrics subscription."}}};
}

struct Entity {
  const EntityType* type = nullptr;
  std::optional<std::string> name;  // empty: the default of all; nothing: every one
  [[nodiscard]] std::string singular() const { return std::string(type->name.substr(0, type->name.size() - 1)); }
};

Checked<Entity> entity_of(const ParsedOptions& options) {
  std::vector<Entity> found;
  for (const std::string& name : options.all("entity-type")) {
    const auto type = std::ranges::find(kTypes, name, &EntityType::name);
    if (type == kTypes.end()) {
      std::vector<std::string> names;
      for (const EntityType& one : kTypes) names.emplace_back(one.name);
      return complain(
          fmt::format("Invalid entity type {}, the entity type must be one of {} with a --bootstrap-server or "
                      "--bootstrap-controller argument",
                      name, join(names, ", ")));
    }
    found.push_back({&*type, std::nullopt});
  }
  const std::size_t generic = found.size();
  for (const EntityType& type : kTypes) {
    if (options.has(type.flag)) found.push_back({&type, options.text(type.flag)});
    if (!type.defaults.empty() && options.has(type.defaults)) found.push_back({&type, ""});
  }
  if (found.size() > generic && options.count({"entity-name", "entity-type", "entity-default"}) > 0) {
    return complain("--entity-{type,name,default} should not be used in conjunction with specific entity flags");
  }
  if (found.empty()) return complain("At least one entity type must be specified");
  for (const Entity& entity : found) {
    if (entity.type->resource != 0) continue;
    return complain(
        fmt::format("Settings of {} cannot be shown or changed yet; topics, brokers, groups and "
                    "client-metrics can.",
                    entity.type->name));
  }
  if (found.size() > 1) return complain("Only 'users' and 'clients' entity types may be specified together");
  Entity out = found.front();
  if (generic == 1) {
    if (options.has("entity-default")) out.name = "";
    // Several names belong to several types; one type takes the first.
    if (options.has("entity-name")) out.name = options.all("entity-name").front();
  }
  return out;
}

Checked<> check(const ParsedOptions& options, const Entity& entity) {
  const std::string type(entity.type->name);
  const bool is_broker = type == "brokers";
  if (is_broker && entity.name && !entity.name->empty() && !parse_number(*entity.name)) {
    return complain(
        fmt::format("The entity name for {} must be a valid integer broker id, but it is: {}", type, *entity.name));
  }
  if (options.has("describe")) {
    if (!is_broker && options.has("entity-default")) {
      return complain("--entity-default must not be specified with --describe of " + type);
    }
    return {};
  }
  if (is_broker && !entity.name) {
    return complain(
        "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips");
  }
  if (!is_broker && entity.name.value_or("").empty()) {
    return complain("An entity name must be specified with --alter of " + type);
  }
  if (options.count({"add-config", "add-config-file"}) == 2) {
    return complain("Only one of --add-config or --add-config-file must be specified");
  }
  if (options.count({"add-config", "add-config-file", "delete-config"}) == 0) {
    return complain(
        "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter");
  }
  return {};
}

// Parts between commas that are not in brackets.
std::vector<std::string> split_outside_brackets(std::string_view text) {
  std::vector<std::string> out{""};
  bool inside = false;
  for (const char c : text) {
    inside = c == '[' || (inside && c != ']');
    if (c == ',' && !inside) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

Checked<client::Properties> additions(const ParsedOptions& options, const std::string& command_line) {
  client::Properties out;
  if (const auto path = options.text("add-config-file")) {
    auto loaded = load_properties(*path);
    if (!loaded) {
      return complain(
          fmt::format("Error while executing config command with args '{}'\n{}", command_line, loaded.error().message));
    }
    out = std::move(*loaded);
  }
  if (options.has("add-config")) {
    for (const std::string& one : split_outside_brackets(options.text("add-config", ""))) {
      const auto equals = one.find('=');
      if (equals == std::string::npos) {
        return complain(
            "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  "
            "\"key=[val1,val2]\" "
            "to group values which contain commas.");
      }
      std::string value = one.substr(equals + 1);
      std::erase_if(value, [](char c) { return c == '[' || c == ']'; });
      out[std::string(trim(std::string_view(one).substr(0, equals)))] = std::string(trim(value));
    }
  }
  for (const auto& [key, value] : out) {
    const auto is_plain = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '$';
    };
    if (!std::ranges::all_of(key, is_plain)) return complain("Invalid character found for config key: " + key);
  }
  return out;
}

struct Change {
  Entity entity;
  client::Properties add;
  std::vector<std::string> remove;
  std::string command_line;
};

int fail_with(const Change& change, const KafkaError& error) {
  fmt::print(stderr, "Error while executing config command with args '{}'\n{}\n", change.command_line,
             exception_text(error));
  return 1;
}

Task<int> alter(Admin& admin, const Change& change) {
  protocol::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = change.entity.type->resource;
  resource.resource_name = Text(*change.entity.name);
  for (const std::string& name : change.remove) {
    auto& config = resource.configs.emplace_back();
    config.name = Text(name);
    config.config_operation = kDelete;
    config.value = Text("");
  }
  for (const auto& [name, value] : change.add) {
    auto& config = resource.configs.emplace_back();
    config.name = Text(name);
    config.config_operation = kSet;
    config.value = Text(value);
  }
  const auto answers = co_await admin.incremental_alter_configs(std::move(request));
  if (!answers) co_return fail_with(change, answers.error());
  for (const auto& answer : *answers) {
    for (const auto& one : answer->responses) {
      if (one.error_code != 0) co_return fail_with(change, item_error(one.error_code, one.error_message));
    }
  }
  if (change.entity.name->empty()) {
    fmt::print("Completed updating default config for {} in the cluster.\n", change.entity.type->name);
  } else {
    fmt::print("Completed updating config for {} {}.\n", change.entity.singular(), *change.entity.name);
  }
  co_return 0;
}

std::string_view source_name(std::int8_t source) {
  static constexpr std::array<std::string_view, 9> kNames = {"UNKNOWN",
                                                             "DYNAMIC_TOPIC_CONFIG",
                                                             "DYNAMIC_BROKER_CONFIG",
                                                             "DYNAMIC_DEFAULT_BROKER_CONFIG",
                                                             "STATIC_BROKER_CONFIG",
                                                             "DEFAULT_CONFIG",
                                                             "DYNAMIC_BROKER_LOGGER_CONFIG",
                                                             "DYNAMIC_CLIENT_METRICS_CONFIG",
                                                             "DYNAMIC_GROUP_CONFIG"};
  const auto index = static_cast<std::size_t>(source);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

std::string shown(const std::optional<Text>& value) { return value ? value->str() : "null"; }

using Config = protocol::DescribeConfigsResponse::DescribeConfigsResourceResult;

void print_configs(const std::vector<Config>& all, std::optional<std::int8_t> only) {
  std::map<std::string, const Config*> sorted;
  for (const Config& config : all) {
    if (!only || config.config_source == *only) sorted[config.name.str()] = &config;
  }
  for (const auto& [name, config] : sorted) {
    std::vector<std::string> synonyms;
    for (const auto& synonym : config->synonyms) {
      synonyms.push_back(
          fmt::format("{}:{}={}", source_name(synonym.source), synonym.name.get(), shown(synonym.value)));
    }
    fmt::print("  {}={} sensitive={} synonyms={{{}}}\n", name, shown(config->value), config->is_sensitive,
               join(synonyms, ", "));
  }
}

// Those of which the cluster keeps settings.
Task<Answer<std::set<std::string>>> configured(Admin& admin, std::int8_t resource) {
  protocol::ListConfigResourcesRequest request;
  request.resource_types = {resource};
  const auto answer = co_await admin.call(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->body.error_code != 0) co_return client::failure(answer->body.error_code);
  std::set<std::string> out;
  for (const auto& one : answer->body.config_resources) out.insert(one.resource_name.str());
  co_return out;
}

// All topics, all brokers and their default, all groups that exist or have settings, all metrics subscriptions.
Task<Answer<std::vector<std::string>>> names_of(Admin& admin, const Entity& entity) {
  std::vector<std::string> out;
  if (entity.type->name == "topics") {
    if (const auto refreshed = co_await admin.refresh_metadata(); !refreshed) {
      co_return std::unexpected(refreshed.error());
    }
    for (const auto& [name, topic] : admin.cluster().metadata().topics) out.push_back(name);
  } else if (entity.type->name == "brokers") {
    const auto brokers = co_await admin.brokers();
    if (!brokers) co_return std::unexpected(brokers.error());
    for (const std::int32_t id : *brokers) out.push_back(std::to_string(id));
    out.emplace_back();
  } else {
    auto names = co_await configured(admin, entity.type->resource);
    if (!names) co_return std::unexpected(names.error());
    if (entity.type->name == "groups") {
      const auto groups = co_await list_consumer_groups(admin, {}, {});
      if (!groups) co_return std::unexpected(groups.error());
      for (const ListRow& row : *groups) names->insert(row.group);
    }
    out.assign(names->begin(), names->end());
  }
  co_return out;
}

Task<int> describe(Admin& admin, const Change& change, bool all) {
  const Entity& entity = change.entity;
  auto names = co_await names_of(admin, entity);
  if (!names) co_return fail_with(change, names.error());
  if (entity.name) {
    if (!all && std::ranges::find(*names, *entity.name) == names->end()) {
      fmt::print("The {} '{}' doesn't exist and doesn't have dynamic config.\n", entity.singular(), *entity.name);
      co_return 0;
    }
    names = std::vector{*entity.name};
  }
  for (const std::string& name : *names) {
    protocol::DescribeConfigsRequest request;
    request.include_synonyms = true;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = entity.type->resource;
    resource.resource_name = Text(name);
    resource.configuration_keys.reset();
    const auto answers = co_await admin.describe_configs(std::move(request));
    if (!answers) co_return fail_with(change, answers.error());
    if (name.empty()) {
      fmt::print("Default configs for {} in the cluster are:\n", entity.type->name);
    } else {
      fmt::print("{} configs for {} {} are:\n", all ? "All" : "Dynamic", entity.singular(), name);
    }
    const std::int8_t dynamic = name.empty() ? kDynamicDefaultBroker : entity.type->dynamic_source;
    for (const auto& answer : *answers) {
      for (const auto& result : answer->results) {
        if (result.error_code != 0) co_return fail_with(change, item_error(result.error_code, result.error_message));
        print_configs(result.configs, all ? std::nullopt : std::optional(dynamic));
      }
    }
  }
  co_return 0;
}

Checked<int> run(const ParsedOptions& options, const Arguments& arguments) {
  if (options.count({"alter", "describe"}) != 1) {
    return complain_with_usage("Command must include exactly one action: --describe, --alter");
  }
  if (auto checked = forbid(options, "describe", {"alter", "add-config", "delete-config"}); !checked) {
    return std::unexpected(checked.error());
  }
  if (options.count({"bootstrap-server", "bootstrap-controller"}) == 0) {
    return complain("Either --bootstrap-server or --bootstrap-controller must be specified.");
  }
  const auto entity = entity_of(options);
  if (!entity) return std::unexpected(entity.error());
  if (auto checked = check(options, *entity); !checked) return std::unexpected(checked.error());
  const std::string command_line = join(arguments, " ");
  auto add = additions(options, command_line);
  if (!add) return std::unexpected(add.error());
  Change change{*entity, std::move(*add), {}, command_line};
  for (const std::string& list : options.all("delete-config")) {
    for (const std::string& name : split(list, ',')) change.remove.emplace_back(trim(name));
  }
  const auto properties = admin_properties(options);
  if (!properties) return std::unexpected(properties.error());
  return with_admin(*properties, [&](Admin& admin) {
    return options.has("alter") ? alter(admin, change) : describe(admin, change, options.has("all"));
  });
}

}  // namespace

int run_configs(const Arguments& arguments) {
  return run_tool(parser(), arguments, [&](const ParsedOptions& options) { return run(options, arguments); });
}

}  // namespace dohle::app

// kafka-storage: formats log directories and says what is in them.
#include <algorithm>
#include <iostream>

#include <broker/config/properties.h>
#include <broker/config/server_config.h>
#include <fmt/core.h>
#include <metadata/storage_format.h>
#include <runtime/live/system.h>

#include "tool.h"
#include "tools.h"

namespace dohle::app {

using broker::config::ServerConfig;

namespace {

// argparse's way: short and long names, values behind a blank, behind `=`, or right behind the short name.
struct Argument {
  char letter = 0;
  std::string_view name;
  bool takes_value = true;
  bool repeated = false;
  bool required = false;
};

struct Subcommand {
  std::string_view name;
  std::string_view help;
  std::vector<Argument> arguments;
};

const std::vector<Subcommand>& storage_commands() {
  static const std::vector<Subcommand> kCommands = {
      {"info", "Get information about the Kafka log directories on this node.", {{'c', "config", true, false, true}}},
      {"format",
       "Format the Kafka log directories on this node.",
       {{'c', "config", true, false, true},
        {'t', "cluster-id", true, false, true},
        {'S', "add-scram", true, true},
        {'g', "ignore-formatted", false},
        {'r', "release-version"},
        {'f', "feature", true, true},
        {'s', "standalone", false},
        {'N', "no-initial-controllers", false},
        {'I', "initial-controllers"}}},
      {"version-mapping",
       "Look up the corresponding features for a given metadata version.",
       {{'r', "release-version"}}},
      {"feature-dependencies",
       "Look up dependencies for a given feature version.",
       {{'f', "feature", true, true, true}}},
      {"random-uuid", "Print a random UUID.", {}},
  };
  return kCommands;
}

std::string show(const Argument& argument) {
  const std::string value = argument.takes_value ? " " + broker::config::upper(argument.name) : std::string{};
  std::string text = fmt::format("--{}{}", argument.name, value);
  std::ranges::replace(text.begin() + 2 + static_cast<std::ptrdiff_t>(argument.name.size()), text.end(), '-', '_');
  return argument.required ? text : "[" + text + "]";
}

std::string usage(const Subcommand& command) {
  std::string out = fmt::format("usage: kafka-storage {} [-h]", command.name);
  for (const Argument& argument : command.arguments) out += " " + show(argument);
  return out + "\n";
}

std::string usage() {
  std::vector<std::string> names;
  for (const Subcommand& command : storage_commands()) names.emplace_back(command.name);
  return fmt::format("usage: kafka-storage [-h] {{{}}} ...\n", join(names, ","));
}

std::string invalid_choice(std::string_view name) {
  std::vector<std::string> choices;
  for (const Subcommand& command : storage_commands()) choices.push_back(fmt::format("'{}'", command.name));
  return fmt::format("invalid choice: '{}' (choose from {})", name, join(choices, ", "));
}

void print_help(const Subcommand* command) {
  if (command != nullptr) {
    fmt::print("{}\n{}\n\n", usage(*command), command->help);
    for (const Argument& argument : command->arguments) fmt::print("  -{}, {}\n", argument.letter, show(argument));
    return;
  }
  fmt::print("{}\nThe Kafka storage tool.\n\n", usage());
  for (const Subcommand& one : storage_commands()) fmt::print("  {:<22}{}\n", one.name, one.help);
}

using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

// One argument from `at` on; moves `at` to its last piece.
Checked<> read_argument(const Subcommand& command, const Arguments& arguments, std::size_t& at, Given& out) {
  const std::string& token = arguments[at];
  const bool is_long = token.starts_with("--");
  const auto equals = is_long ? token.find('=') : std::string::npos;
  const std::string_view name = std::string_view(token).substr(is_long ? 2 : 0, equals - (is_long ? 2 : 0));
  const auto found = std::ranges::find_if(command.arguments, [&](const Argument& argument) {
    return is_long ? argument.name == name : token.size() > 1 && token[0] == '-' && token[1] == argument.letter;
  });
  if (found == command.arguments.end()) return complain("unrecognized arguments: '" + token + "'");
  auto& values = out[std::string(found->name)];
  if (!found->takes_value) return {};
  if (equals != std::string::npos) {
    values.push_back(token.substr(equals + 1));
  } else if (!is_long && token.size() > 2) {
    values.push_back(token.substr(token[2] == '=' ? 3 : 2));
  } else if (at + 1 == arguments.size()) {
    return complain(fmt::format("argument --{}/-{}: expected one argument", found->name, found->letter));
  } else {
    values.push_back(arguments[++at]);
  }
  if (!found->repeated && values.size() > 1) values.erase(values.begin());
  return {};
}

Checked<Given> parse(const Subcommand& command, const Arguments& arguments) {
  Given out;
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    if (auto read = read_argument(command, arguments, at, out); !read) return std::unexpected(read.error());
  }
  for (const Argument& argument : command.arguments) {
    if (argument.required && !out.contains(argument.name)) {
      return complain(fmt::format("argument --{}/-{} is required", argument.name, argument.letter));
    }
  }
  const std::vector<std::pair<std::string_view, std::string_view>> exclusive = {
      {"standalone/-s", "no-initial-controllers/-N"},
      {"standalone/-s", "initial-controllers/-I"},
      {"no-initial-controllers/-N", "initial-controllers/-I"}};
  const auto given = [&](std::string_view name) { return out.contains(name.substr(0, name.find('/'))); };
  for (const auto& [one, other] : exclusive) {
    if (given(one) && given(other)) {
      return complain(fmt::format("argument --{}: not allowed with argument --{}", other, one));
    }
  }
  return out;
}

std::string one(const Given& given, std::string_view name) {
  const auto found = given.find(name);
  return found == given.end() ? "" : found->second.back();
}
std::optional<std::string> maybe(const Given& given, std::string_view name) {
  return given.contains(name) ? std::optional(one(given, name)) : std::nullopt;
}
std::vector<std::string> all(const Given& given, std::string_view name) {
  const auto found = given.find(name);
  return found == given.end() ? std::vector<std::string>{} : found->second;
}

metadata::StorageSettings settings_of(const ServerConfig& config) {
  metadata::StorageSettings out;
  out.node_id = config.node_id();
  out.has_roles = config.is_broker() || config.is_controller();
  out.is_controller = config.is_controller();
  out.log_dirs = config.log_dirs();
  out.metadata_log_dir = config.metadata_log_dir();
  out.has_static_voters = !config.voters().empty();
  if (!config.controller_listener_names().empty()) out.controller_listener = config.controller_listener_names().front();
  const auto& controllers = config.advertised_controller_listeners();
  if (!controllers.empty()) {
    out.controller_host = controllers.front().host.value_or("");
    out.controller_port = static_cast<std::uint16_t>(controllers.front().port);
  }
  out.unstable_features = config.values().get_bool("unstable.feature.versions.enable");
  return out;
}

metadata::FormatOptions format_options(const Given& given) {
  metadata::FormatOptions out;
  out.cluster_id = one(given, "cluster-id");
  out.release_version = maybe(given, "release-version");
  out.features = all(given, "feature");
  out.ignore_formatted = given.contains("ignore-formatted");
  out.standalone = given.contains("standalone");
  out.no_initial_controllers = given.contains("no-initial-controllers");
  out.initial_controllers = maybe(given, "initial-controllers");
  out.add_scram = all(given, "add-scram");
  return out;
}

Checked<metadata::StorageSettings> load_settings(const std::string& path) {
  const auto text = load_text(path);
  if (!text) return std::unexpected(text.error());
  auto properties = broker::config::parse_properties(*text);
  if (!properties) return complain(properties.error());
  const auto config = ServerConfig::from(std::move(*properties));
  if (!config) return complain(config.error());
  return settings_of(*config);
}

Checked<int> execute(std::string_view command, const Given& given) {
  const auto files = runtime::make_system_files();
  const auto random = runtime::make_system_random();
  const auto clock = runtime::make_system_clock();
  metadata::StorageTool tool{*files, *random, *clock, std::cout, std::cerr};
  if (command == "random-uuid") return tool.random_uuid();
  if (command == "version-mapping") return tool.version_mapping(maybe(given, "release-version"));
  if (command == "feature-dependencies") return tool.feature_dependencies(all(given, "feature"));
  const auto settings = load_settings(one(given, "config"));
  if (!settings) return std::unexpected(settings.error());
  return command == "info" ? tool.info(*settings) : tool.format(*settings, format_options(given));
}

}  // namespace

int run_storage(const Arguments& arguments) {
  const auto is_help = [](const std::string& text) { return text == "-h" || text == "--help"; };
  const std::string_view name = arguments.empty() ? std::string_view{} : arguments.front();
  const auto command = std::ranges::find(storage_commands(), name, &Subcommand::name);
  if (command == storage_commands().end()) {
    if (!arguments.empty() && is_help(arguments.front())) return print_help(nullptr), 0;
    fmt::print(stderr, "{}kafka-storage: error: {}\n", usage(),
               arguments.empty() ? "too few arguments" : invalid_choice(arguments.front()));
    return 1;
  }
  if (std::ranges::any_of(arguments, is_help)) return print_help(&*command), 0;
  const auto given = parse(*command, arguments);
  if (!given) {
    fmt::print(stderr, "{}kafka-storage: error: {}\n", usage(*command), given.error().message);
    return 1;
  }
  const auto code = execute(command->name, *given);
  std::cout.flush();
  if (code) return *code;
  fmt::print(stderr, "{}\n", code.error().message);
  return 1;
}

}  // namespace dohle::app

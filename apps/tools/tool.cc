#include "tool.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <base/log.h>
#include <fmt/core.h>
#include <runtime/live/live_shards.h>
#include <runtime/live/system.h>

#include "name_matcher.h"

namespace dohle::app {

using runtime::Task;

namespace {

constexpr const char* kKafkaVersion = "4.4.0";

void print_complaint(const Complaint& complaint, const OptionParser& parser) {
  const std::string text =
      complaint.with_usage ? parser.usage_error(complaint.message) : fmt::format("{}\n", complaint.message);
  std::fputs(text.c_str(), stderr);
}

// What was taken away with ZooKeeper and the old clients, and what took its place.
std::optional<std::string> replacement(const Arguments& arguments) {
  for (const std::string& argument : arguments) {
    const std::string_view name = std::string_view(argument).substr(0, argument.find('='));
    if (name == "--zookeeper") {
      return "there is no ZooKeeper any more, use --bootstrap-server with the address of a broker";
    }
    if (name == "--broker-list") {
      return "use --bootstrap-server";
    }
  }
  return std::nullopt;
}

Task<int> connect_and_run(runtime::Shards& shards, client::ClientConfig config,
                          const std::function<Task<int>(Session)>& work) {
  client::Cluster cluster(shards.at(0), std::move(config));
  const int code = co_await work({shards, cluster});
  co_await cluster.close();
  co_return code;
}

}  // namespace

std::unexpected<Complaint> complain(std::string message) { return std::unexpected(Complaint{std::move(message)}); }
std::unexpected<Complaint> complain_with_usage(std::string message) {
  return std::unexpected(Complaint{std::move(message), true});
}
std::unexpected<Complaint> complain(const Error& error) { return complain(error.message); }

int run_tool(const OptionParser& parser, const Arguments& arguments,
             const std::function<Checked<int>(const ParsedOptions&)>& body) {
  log::configure(log::Level::kError, log::Format::kText);
  const auto parsed = parser.parse(arguments);
  if (!parsed) {
    std::string message = parsed.error();
    if (const auto hint = replacement(arguments); hint && message.ends_with("is not a recognized option")) {
      message += ": " + *hint;
    }
    print_complaint({message, true}, parser);
    return 1;
  }
  if (arguments.empty() || parsed->has("help")) {
    // Somebody who asks for argparse's help gets it as the answer, not as a complaint.
    fmt::print(parser.is_argparse() ? stdout : stderr, "{}\n{}", parser.about(), parser.usage());
    return parser.is_argparse() ? 0 : 1;
  }
  if (parsed->has("version")) {
    std::puts(kKafkaVersion);
    return 0;
  }
  const auto code = body(*parsed);
  if (std::fflush(stdout) != 0) return 1;
  if (code) return *code;
  print_complaint(code.error(), parser);
  return 1;
}

Checked<> require(const ParsedOptions& options, const std::vector<std::string_view>& names) {
  for (const auto name : names) {
    if (!options.has(name)) return complain_with_usage(fmt::format("Missing required argument \"[{}]\"", name));
  }
  return {};
}

Checked<> require_one(const ParsedOptions& options, const std::vector<std::string_view>& names) {
  if (options.count(names) == 1) return {};
  std::vector<std::string> shown;
  for (const auto name : names) shown.push_back(fmt::format("[{}]", name));
  return complain_with_usage("Exactly one of the following arguments is required: " + join(shown, ", "));
}

Checked<> forbid(const ParsedOptions& options, std::string_view name, const std::vector<std::string_view>& others) {
  if (!options.has(name)) return {};
  for (const auto other : others) {
    if (!options.has(other)) continue;
    return complain_with_usage(fmt::format("Option \"[{}]\" can't be used with option \"[{}]\"", name, other));
  }
  return {};
}

Checked<std::string_view> spelling(const ParsedOptions& options, std::string_view name, std::string_view old_name,
                                   std::string_view warning) {
  if (!options.has(old_name)) return name;
  if (options.has(name)) {
    return complain_with_usage(fmt::format("Options --{} and --{} cannot be specified together.", name, old_name));
  }
  fmt::print("{}\n", warning);
  return old_name;
}

client::Properties key_values(const std::vector<std::string>& texts) {
  client::Properties out;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    out[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  return out;
}

Checked<std::string> load_text(const std::string& path) {
  const auto files = runtime::make_system_files();
  auto text = runtime::read_file(*files, path);
  if (!text) return complain(text.error());
  return std::move(*text);
}

Checked<client::Properties> load_properties(const std::string& path) {
  const auto text = load_text(path);
  if (!text) return std::unexpected(text.error());
  return client::parse_properties(*text);
}

Checked<client::Properties> file_properties(const ParsedOptions& options, std::string_view file_option) {
  const auto path = options.text(file_option);
  return path ? load_properties(*path) : client::Properties{};
}

Checked<client::Properties> merged_properties(const ParsedOptions& options, std::string_view file_option,
                                              std::string_view option) {
  auto out = file_properties(options, file_option);
  if (!out) return out;
  for (const auto& [key, value] : key_values(options.all(option))) (*out)[key] = value;
  return out;
}

Checked<client::Properties> admin_properties(const ParsedOptions& options) {
  auto loaded = file_properties(options, "command-config");
  if (!loaded) return loaded;
  client::Properties properties = std::move(*loaded);
  const bool controllers = options.has("bootstrap-controller");
  if (controllers && options.has("bootstrap-server")) {
    return complain_with_usage("You cannot specify both --bootstrap-controller and --bootstrap-server.");
  }
  properties.erase("bootstrap.controllers");
  properties.erase("bootstrap.servers");
  if (controllers) {
    properties["bootstrap.controllers"] = options.text("bootstrap-controller", "");
  } else {
    properties["bootstrap.servers"] = options.text("bootstrap-server", "");
  }
  return properties;
}

Checked<int> with_cluster(const client::Properties& properties, const std::function<Task<int>(Session)>& work,
                          std::function<void(int)> on_signal) {
  auto config = client::ClientConfig::from(properties);
  if (!config) return complain(config.error());
  runtime::LiveShards shards({.shards = 1, .on_signal = std::move(on_signal)});
  return shards.run([&] { return connect_and_run(shards, std::move(*config), work); });
}

Checked<int> with_admin(const client::Properties& properties, const std::function<Task<int>(client::Admin&)>& work) {
  return with_cluster(properties, [&](Session session) -> Task<int> {
    client::Admin admin(session.cluster);
    co_return co_await work(admin);
  });
}

Checked<TopicPattern> TopicPattern::parse(std::string_view pattern) {
  std::string text;
  for (const char c : trim(pattern)) {
    if (c != ' ') text += c == ',' ? '|' : c;
  }
  const auto unquoted = text.find_first_not_of("\"'");
  text = unquoted == std::string::npos ? "" : text.substr(unquoted, text.find_last_not_of("\"'") - unquoted + 1);
  auto matches = name_matcher(text);
  if (!matches) return std::unexpected(matches.error());
  TopicPattern out;
  out.matches_ = std::move(*matches);
  return out;
}

client::KafkaError item_error(std::int16_t code, const std::optional<Text>& message) {
  const auto known = protocol::error_code_from(code);
  if (message && !message->empty()) return {known, message->str()};
  return {known, std::string(protocol::message(known))};
}

std::string exception_text(const client::KafkaError& error) {
  using enum protocol::ErrorCode;
  static constexpr std::array<std::pair<protocol::ErrorCode, std::string_view>, 7> kOwnNames = {
      {{kUnknownServerError, "UnknownServer"},
       {kRequestTimedOut, "Timeout"},
       {kNonEmptyGroup, "GroupNotEmpty"},
       {kTopicAlreadyExists, "TopicExists"},
       {kInvalidConfig, "InvalidConfiguration"},
       {kInvalidTopicException, "InvalidTopic"},
       {kNetworkException, "Disconnect"}}};
  std::string name;
  const auto own = std::ranges::find(kOwnNames, error.code, [](const auto& entry) { return entry.first; });
  if (own != kOwnNames.end()) {
    name = own->second;
  } else {
    for (const std::string& word : split(protocol::name(error.code), '_')) {
      name += word[0];
      for (const char c : word.substr(1)) name += static_cast<char>(c - 'A' + 'a');
    }
  }
  return fmt::format("org.apache.kafka.common.errors.{}Exception: {}", name, error.message);
}

}  // namespace dohle::app

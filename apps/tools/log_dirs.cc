// kafka-log-dirs: how much each partition takes in the log directories of each broker, as JSON.
#include <algorithm>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <protocol/json_value.h>

#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using protocol::Json;
using runtime::Task;

namespace {

OptionParser parser() {
  return {"This tool helps to query log directory usage on the specified brokers.",
          {{"bootstrap-server", Takes::kText, "The server(s) to use for bootstrapping",
            "REQUIRED: the server(s) to use for bootstrapping"},
           {"command-config", Takes::kText, "Admin client property file", "Properties file for the admin client."},
           {"describe", Takes::kNothing, "", "REQUIRED: Describe the log directories."},
           {"topic-list", Takes::kText, "Topic list", "topic1,topic2; all topics without it."},
           {"broker-list", Takes::kText, "Broker list", "0,1,2; all brokers without it."}}};
}

int fail_with(const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  return 1;
}

// Members in the order in which Kafka's tool happens to print them.
Json directory_json(const protocol::DescribeLogDirsResponse::DescribeLogDirsResult& directory,
                    const std::set<std::string>& topics) {
  Json::Array partitions;
  for (const auto& topic : directory.topics) {
    if (!topics.empty() && !topics.contains(topic.name.str())) continue;
    for (const auto& partition : topic.partitions) {
      partitions.emplace_back(
          Json::Object{{"partition", fmt::format("{}-{}", topic.name.get(), partition.partition_index)},
                       {"size", partition.partition_size},
                       {"offsetLag", partition.offset_lag},
                       {"isFuture", partition.is_future_key}});
    }
  }
  Json error;
  if (directory.error_code != 0) {
    const std::string text = exception_text(item_error(directory.error_code, std::nullopt));
    error = Json(text.substr(0, text.find(':')));
  }
  return Json::Object{{"partitions", std::move(partitions)}, {"error", error}, {"logDir", directory.log_dir.str()}};
}

Task<int> show(Admin& admin, std::set<std::string> topics, std::vector<std::int32_t> wanted) {
  const auto there = co_await admin.brokers();
  if (!there) co_return fail_with(there.error().message);
  std::vector<std::int32_t> missing;
  for (const std::int32_t id : wanted) {
    if (std::ranges::find(*there, id) == there->end()) missing.push_back(id);
  }
  if (!missing.empty()) {
    co_return fail_with(
        fmt::format("ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
                    fmt::join(missing, ","), fmt::join(*there, ",")));
  }
  if (wanted.empty()) wanted = *there;
  fmt::print("Querying brokers for log directories information\n");
  protocol::DescribeLogDirsRequest request;
  request.topics.reset();
  Json::Array brokers;
  for (const auto& [id, answer] : co_await admin.describe_log_dirs(wanted, std::move(request))) {
    if (!answer) co_return fail_with(exception_text(answer.error()));
    if (answer->body.error_code != 0) {
      co_return fail_with(exception_text(item_error(answer->body.error_code, std::nullopt)));
    }
    Json::Array directories;
    for (const auto& directory : answer->body.results) directories.push_back(directory_json(directory, topics));
    brokers.emplace_back(Json::Object{{"broker", std::int64_t{id}}, {"logDirs", std::move(directories)}});
  }
  fmt::print("Received log directory information from brokers {}\n", fmt::join(wanted, ","));
  fmt::print("{}\n", Json(Json::Object{{"brokers", std::move(brokers)}, {"version", std::int64_t{1}}}).print());
  co_return 0;
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = require(options, {"bootstrap-server", "describe"}); !checked) {
    return std::unexpected(checked.error());
  }
  const auto topics = split(options.text("topic-list", ""), ',');
  std::set<std::int32_t> brokers;
  for (const std::string& text : split(options.text("broker-list", ""), ',')) {
    const auto id = parse_number(text);
    if (!id) return complain(fmt::format("For input string: \"{}\"", text));
    brokers.insert(static_cast<std::int32_t>(*id));
  }
  auto properties = admin_properties(options);
  if (!properties) return std::unexpected(properties.error());
  properties->try_emplace("client.id", "log-dirs-tool");
  return with_admin(*properties, [&](Admin& admin) {
    return show(admin, {topics.begin(), topics.end()}, {brokers.begin(), brokers.end()});
  });
}

}  // namespace

int run_log_dirs(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app

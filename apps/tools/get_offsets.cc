// kafka-get-offsets: offsets of partitions at a time, as topic:partition:offset lines.
#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "partition_filter.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Admin;
using runtime::Task;

namespace {

constexpr std::string_view kTimes =
    "-1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or "
    "earliest-pending-upload";

OptionParser parser() {
  return {"An interactive shell for getting topic-partition offsets.",
          {{"bootstrap-server", Takes::kText, "HOST1:PORT1,...,HOST3:PORT3", "REQUIRED. The server(s) to connect to."},
           {"topic-partitions", Takes::kText, "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
            "Which partitions: a pattern for the topic (none: any), then a number or a range whose upper end is "
            "excluded (none: all)."},
           {"topic", Takes::kText, "topic", "The topic, or a regular expression; all topics without it."},
           {"partitions", Takes::kText, "partition ids", "Which partitions of the topics; all without it."},
           {"time", Takes::kText, "timestamp", "Milliseconds, or " + std::string(kTimes) + ". (default: latest)"},
           {"command-config", Takes::kText, "config file", "Properties file for the admin client."},
           {"exclude-internal-topics", Takes::kNothing, "", "Leave internal topics out."}}};
}

Checked<std::int64_t> timestamp_of(const std::string& text) {
  using Name = std::pair<std::string_view, std::int64_t>;
  static constexpr std::array kNames = {Name{"latest", client::kLatestTimestamp},
                                        Name{"earliest", client::kEarliestTimestamp},
                                        Name{"max-timestamp", client::kMaxTimestamp},
                                        Name{"earliest-local", client::kEarliestLocalTimestamp},
                                        Name{"latest-tiered", client::kLatestTieredTimestamp},
                                        Name{"earliest-pending-upload", client::kEarliestPendingUploadTimestamp}};
  const auto found = std::ranges::find(kNames, text, &Name::first);
  if (found != kNames.end()) return found->second;
  if (const auto number = parse_number(text)) return *number;
  return complain(fmt::format(
      "Error occurred: Malformed time argument {}. Please use {}, or a specified long format timestamp", text, kTimes));
}

int fail_with(std::string_view message) {
  fmt::print(stderr, "Error occurred: {}\n", message);
  return 1;
}

Task<int> show(Admin& admin, PartitionFilter filter, std::int64_t time, bool internal_too) {
  if (const auto refreshed = co_await admin.refresh_metadata(); !refreshed) {
    co_return fail_with(refreshed.error().message);
  }
  std::map<TopicPartition, std::int64_t> wanted;
  for (const auto& [name, topic] : admin.cluster().metadata().topics) {
    if (!internal_too && is_internal_topic(name)) continue;
    for (const auto& partition : topic.partitions) {
      if (filter.allows(name, partition.index)) wanted[{name, partition.index}] = time;
    }
  }
  if (wanted.empty()) co_return fail_with("Could not match any topic-partitions with the specified filters");
  std::map<std::string, std::string> lines;  // by "topic-partition", as Kafka sorts them
  for (const auto& [partition, listed] : co_await admin.list_offsets(std::move(wanted))) {
    const std::string name = fmt::format("{}-{}", partition.topic, partition.partition);
    if (!listed) {
      fmt::print(stderr, "Skip getting offsets for topic-partition {} due to error: {}\n", name,
                 listed.error().message);
    } else if (listed->offset >= 0) {
      lines[name] = fmt::format("{}:{}:{}", partition.topic, partition.partition, listed->offset);
    }
  }
  for (const auto& [name, line] : lines) fmt::print("{}\n", line);
  co_return 0;
}

Checked<PartitionFilter> filter_of(const ParsedOptions& options) {
  if (!options.has("topic-partitions")) {
    return PartitionFilter::of(options.text("topic", ".*"), options.text("partitions", ""));
  }
  if (options.count({"topic", "partitions"}) > 0) {
    return complain("Error occurred: --topic-partitions cannot be used with --topic or --partitions");
  }
  return PartitionFilter::parse_rules(options.text("topic-partitions", ""));
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = require(options, {"bootstrap-server"}); !checked) return std::unexpected(checked.error());
  auto filter = filter_of(options);
  if (!filter) return std::unexpected(filter.error());
  const auto time = timestamp_of(options.text("time", "latest"));
  if (!time) return std::unexpected(time.error());
  auto properties = admin_properties(options);
  if (!properties) return std::unexpected(properties.error());
  (*properties)["client.id"] = "GetOffsetShell";
  return with_admin(*properties,
                    [&](Admin& admin) { return show(admin, *filter, *time, !options.has("exclude-internal-topics")); });
}

}  // namespace

int run_get_offsets(const Arguments& arguments) {
  return run_tool(parser().with_error_prefix("Error occurred: "), arguments, run);
}

}  // namespace dohle::app

// kafka-console-consumer: records of topics, as lines on standard output.
#include <algorithm>
#include <cstdio>
#include <set>

#include <client/consumer.h>
#include <fmt/core.h>
#include <runtime/live/system.h>

#include "message_formatter.h"
#include "name_matcher.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Consumer;
using client::ConsumerRecords;
using client::Properties;
using runtime::Task;

namespace {

constexpr std::string_view kDefaultFormatter = "org.apache.kafka.tools.consumer.DefaultMessageFormatter";
constexpr std::int64_t kLongestPollMs = 60'000;
constexpr std::uint64_t kRandomGroups = 100'000;
constexpr int kSignalExit = 128;

constexpr const char* kFormatterProperties =
    "key=value for the formatter: print.timestamp, print.key, print.offset, print.epoch, print.partition, "
    "print.headers, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, "
    "value.deserializer, headers.deserializer.";

OptionParser parser() {
  return {"This tool helps to read data from Kafka topics and outputs it to standard output.",
          {{"topic", Takes::kText, "topic", "The topic to read."},
           {"include", Takes::kText, "Java regex (String)", "A regular expression for the topics to read."},
           {"partition", Takes::kInt, "partition", "The partition to read, from its end unless --offset is given."},
           {"offset", Takes::kText, "consume offset", "Where to begin: a number, earliest or latest."},
           {"consumer-property", Takes::kText, "consumer_prop", "(DEPRECATED) The same as --command-property.", true},
           {"command-property", Takes::kText, "consumer_prop", "key=value for the consumer.", true},
           {"consumer.config", Takes::kText, "config file", "(DEPRECATED) The same as --command-config."},
           {"command-config", Takes::kText, "config file", "Properties file for the consumer."},
           {"formatter", Takes::kText, "class", "What writes the records. (default: DefaultMessageFormatter)"},
           {"property", Takes::kText, "prop", "(DEPRECATED) The same as --formatter-property.", true},
           {"formatter-property", Takes::kText, "prop", kFormatterProperties, true},
           {"formatter-config", Takes::kText, "config file", "Properties file for the formatter."},
           {"from-beginning", Takes::kNothing, "", "Begin at the oldest record where nothing is committed."},
           {"max-messages", Takes::kInt, "num_messages", "End after so many records."},
           {"timeout-ms", Takes::kLong, "timeout_ms", "End when no record came for so long."},
           {"skip-message-on-error", Takes::kNothing, "", "Go on when a record cannot be written."},
           {"bootstrap-server", Takes::kText, "server to connect to", "REQUIRED: The server(s) to connect to."},
           {"key-deserializer", Takes::kText, "deserializer for keys", "Kafka's class that reads keys."},
           {"value-deserializer", Takes::kText, "deserializer for values", "Kafka's class that reads values."},
           {"enable-systest-events", Takes::kNothing, "", "Say on standard output when it has shut down."},
           {"isolation-level", Takes::kText, "",
            "read_committed leaves out what aborted transactions wrote. (default: read_uncommitted)"},
           {"group", Takes::kText, "consumer group id", "The group to join."}}};
}

struct Job {
  std::optional<std::string> topic;
  std::function<bool(std::string_view)> includes;
  std::optional<std::int32_t> partition;
  std::int64_t offset = client::kLatestTimestamp;
  std::int64_t max_messages = -1;
  std::int64_t timeout_ms = INT64_MAX;
  bool skip_on_error = false;
  MessageFormatter formatter;
  std::int64_t count = 0;
};

Checked<> check(const ParsedOptions& options) {
  if (auto checked = require_one(options, {"topic", "include"}); !checked) return checked;
  if (options.has("partition")) {
    if (!options.has("topic")) return complain_with_usage("The topic is required when partition is specified.");
    if (options.count({"from-beginning", "offset"}) == 2) {
      return complain_with_usage("Options from-beginning and offset cannot be specified together.");
    }
  } else if (options.has("offset")) {
    return complain_with_usage("The partition is required when offset is specified.");
  }
  return require(options, {"bootstrap-server"});
}

Checked<std::string_view> spelling_of(const ParsedOptions& options, std::string_view name, std::string_view old_name) {
  return spelling(options, name, old_name,
                  fmt::format("Option --{} is deprecated and will be removed in a future version. Use --{} instead.",
                              old_name, name));
}

// group.id from --group, the file and the properties, which must agree.
Checked<std::optional<std::string>> group_of(const ParsedOptions& options, const Properties& file,
                                             const Properties& extra) {
  std::set<std::string> groups;
  if (const auto group = options.text("group")) groups.insert(*group);
  for (const Properties* properties : {&file, &extra}) {
    if (const auto found = properties->find("group.id"); found != properties->end()) groups.insert(found->second);
  }
  if (groups.size() > 1) {
    std::vector<std::string> quoted;
    for (const std::string& group : groups) quoted.push_back("'" + group + "'");
    return complain_with_usage(
        "The group ids provided in different places (directly using '--group', via '--consumer-property', or via "
        "'--consumer.config') do not match. Detected group ids: " +
        join(quoted, ", "));
  }
  if (!groups.empty() && options.has("partition")) {
    return complain_with_usage("Options group and partition cannot be specified together.");
  }
  return groups.empty() ? std::nullopt : std::optional(*groups.begin());
}

Checked<> set_offset_reset(const ParsedOptions& options, Properties& properties) {
  const bool from_beginning = options.has("from-beginning");
  const auto given = properties.find("auto.offset.reset");
  if (given == properties.end()) {
    properties["auto.offset.reset"] = from_beginning ? "earliest" : "latest";
  } else if (from_beginning && given->second != "earliest") {
    return complain(fmt::format(
        "Can't simultaneously specify --from-beginning and 'auto.offset.reset={}', please remove one option",
        given->second));
  }
  return {};
}

Checked<Properties> consumer_properties(const ParsedOptions& options) {
  const auto property = spelling_of(options, "command-property", "consumer-property");
  if (!property) return std::unexpected(property.error());
  const auto config = spelling_of(options, "command-config", "consumer.config");
  if (!config) return std::unexpected(config.error());
  const auto file = file_properties(options, *config);
  if (!file) return file;
  const auto group = group_of(options, *file, key_values(options.all(*property)));
  if (!group) return std::unexpected(group.error());
  auto merged = merged_properties(options, *config, *property);
  if (!merged) return merged;
  Properties out = std::move(*merged);
  if (auto set = set_offset_reset(options, out); !set) return std::unexpected(set.error());
  out["bootstrap.servers"] = options.text("bootstrap-server", "");
  out.try_emplace("client.id", "console-consumer");
  if (options.has("isolation-level")) out["isolation.level"] = options.text("isolation-level", "");
  if (*group) {
    out["group.id"] = **group;
  } else {
    // Of no use after this run: its offsets are not committed.
    const auto random = runtime::make_system_random();
    out["group.id"] = fmt::format("console-consumer-{}", random->below(kRandomGroups));
    out.try_emplace("enable.auto.commit", "false");
  }
  return out;
}

Checked<std::int64_t> offset_of(const ParsedOptions& options) {
  if (!options.has("offset")) {
    return options.has("from-beginning") ? client::kEarliestTimestamp : client::kLatestTimestamp;
  }
  const std::string text = options.text("offset", "");
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "earliest") return client::kEarliestTimestamp;
  if (lower == "latest") return client::kLatestTimestamp;
  const auto number = parse_number(text);
  if (number && *number >= 0) return *number;
  return complain_with_usage(fmt::format(
      "The provided offset value '{}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.",
      text));
}

Checked<MessageFormatter> formatter_of(const ParsedOptions& options) {
  const auto property = spelling_of(options, "formatter-property", "property");
  if (!property) return std::unexpected(property.error());
  auto file = file_properties(options, "formatter-config");
  if (!file) return std::unexpected(file.error());
  Properties properties = std::move(*file);
  for (const auto& [key, option] :
       {std::pair{"key.deserializer", "key-deserializer"}, std::pair{"value.deserializer", "value-deserializer"}}) {
    if (const auto name = options.text(option, ""); !name.empty()) properties[key] = name;
  }
  for (const auto& [key, value] : key_values(options.all(*property))) properties[key] = value;
  return MessageFormatter::make(options.text("formatter", kDefaultFormatter), properties);
}

Checked<Job> job_of(const ParsedOptions& options) {
  auto formatter = formatter_of(options);
  if (!formatter) return std::unexpected(formatter.error());
  const auto offset = offset_of(options);
  if (!offset) return std::unexpected(offset.error());
  Job job{.topic = options.text("topic"), .offset = *offset, .formatter = std::move(*formatter)};
  if (const auto include = options.text("include")) {
    auto matches = name_matcher(*include);
    if (!matches) return std::unexpected(matches.error());
    job.includes = std::move(*matches);
  }
  if (options.has("partition")) job.partition = static_cast<std::int32_t>(options.number("partition", 0));
  job.max_messages = options.number("max-messages", -1);
  const std::int64_t timeout = options.number("timeout-ms", -1);
  if (timeout >= 0) job.timeout_ms = timeout;
  job.skip_on_error = options.has("skip-message-on-error");
  return job;
}

void start(Consumer& consumer, const Job& job) {
  if (!job.topic) {
    consumer.subscribe(job.includes);
  } else if (!job.partition) {
    consumer.subscribe(std::vector{*job.topic});
  } else {
    const TopicPartition partition{*job.topic, *job.partition};
    consumer.assign({partition});
    if (job.offset == client::kEarliestTimestamp) {
      consumer.seek_to_beginning({partition});
    } else if (job.offset == client::kLatestTimestamp) {
      consumer.seek_to_end({partition});
    } else {
      consumer.seek(partition, job.offset);
    }
  }
}

// What was fetched and not written must not be committed.
void give_back(Consumer& consumer, const ConsumerRecords& records, std::size_t from) {
  std::set<TopicPartition> seen;
  for (std::size_t i = from; i < records.size(); ++i) {
    const TopicPartition partition{std::string(records[i].topic), records[i].partition};
    if (seen.insert(partition).second) consumer.seek(partition, records[i].offset);
  }
}

// An exit code when that was the last of it.
std::optional<int> write_records(Consumer& consumer, Job& job, const ConsumerRecords& records) {
  std::string out;
  std::optional<int> code;
  std::size_t i = 0;
  for (; i < records.size() && job.count != job.max_messages && !code; ++i) {
    ++job.count;
    const std::size_t before = out.size();
    if (const auto written = job.formatter.write(records[i], out); !written) {
      fmt::print(stderr, "ERROR Error processing message{}: {}\n", job.skip_on_error ? ", skipping this message" : "",
                 written.error().message);
      out.resize(before);
      if (!job.skip_on_error) code = 1;
    } else if (const std::string line = job.formatter.log_line(records[i]); !line.empty()) {
      fmt::print(stderr, "INFO {}\n", line);
    }
  }
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
    fmt::print(stderr, "Unable to write to standard out, closing consumer.\n");
    code = 0;
  }
  if (job.count == job.max_messages) code = code.value_or(0);
  if (code) give_back(consumer, records, i);
  return code;
}

// The exit code. Errors end it like the last record does, as in Kafka's tool.
Task<int> write_all(Consumer& consumer, client::Cluster& cluster, Job& job, const int& signal) {
  std::int64_t waiting_since_ms = cluster.now().ms();
  while (job.max_messages < 0 || job.count < job.max_messages) {
    const auto records = co_await consumer.poll(std::min(job.timeout_ms, kLongestPollMs));
    if (signal != 0) co_return kSignalExit + signal;
    if (!records) {
      fmt::print(stderr, "ERROR Error processing message, terminating consumer process: {}\n", records.error().message);
      co_return 0;
    }
    if (records->empty()) {
      if (cluster.now().ms() - waiting_since_ms < job.timeout_ms) continue;
      fmt::print(stderr,
                 "ERROR Error processing message, terminating consumer process: "
                 "org.apache.kafka.common.errors.TimeoutException\n");
      co_return 0;
    }
    if (const auto code = write_records(consumer, job, *records)) co_return *code;
    waiting_since_ms = cluster.now().ms();
  }
  co_return 0;
}

Task<int> consume(Session session, Job& job, client::ConsumerConfig config, Consumer*& running, const int& signal) {
  Consumer consumer(session.cluster, std::move(config));
  running = &consumer;
  start(consumer, job);
  const int code = co_await write_all(consumer, session.cluster, job, signal);
  running = nullptr;
  co_await consumer.close();
  fmt::print(stderr, "Processed a total of {} messages\n", job.count);
  co_return code;
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  const auto properties = consumer_properties(options);
  if (!properties) return std::unexpected(properties.error());
  auto job = job_of(options);
  if (!job) return std::unexpected(job.error());
  auto config = client::ConsumerConfig::from(*properties);
  if (!config) return complain(config.error());
  Consumer* running = nullptr;
  int signal = 0;
  const auto code = with_cluster(
      *properties, [&](Session session) { return consume(session, *job, std::move(*config), running, signal); },
      [&](int number) {
        signal = number;
        if (running != nullptr) running->wakeup();
      });
  if (options.has("enable-systest-events")) std::puts("shutdown_complete");
  return code;
}

}  // namespace

int run_console_consumer(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app

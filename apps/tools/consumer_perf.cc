// kafka-consumer-perf-test: reads records as fast as it can and tells how fast that was.
#include <cstdio>
#include <set>

#include <client/consumer.h>
#include <fmt/core.h>
#include <runtime/live/system.h>

#include "name_matcher.h"
#include "perf_text.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Consumer;
using client::Properties;
using runtime::Task;

namespace {

constexpr std::int64_t kPollMs = 100;
constexpr std::uint64_t kRandomGroups = 100'000;

OptionParser parser() {
  return {"This tool is used to verify the consumer performance.",
          {{"bootstrap-server", Takes::kText, "server to connect to", "REQUIRED: The server(s) to connect to."},
           {"topic", Takes::kText, "topic", "The topic to consume from."},
           {"include", Takes::kText, "Java regex (String)", "A regular expression for the topics to consume from."},
           {"group", Takes::kText, "gid", "The group id. (default: one of its own)"},
           {"fetch-size", Takes::kInt, "size", "max.partition.fetch.bytes. (default: 1048576)"},
           {"command-property", Takes::kText, "prop1=val1", "Settings of the consumer.", true},
           {"from-latest", Takes::kNothing, "", "Begin at the end where nothing is committed."},
           {"socket-buffer-size", Takes::kInt, "size", "Accepted and without effect: the kernel sizes the buffer."},
           {"consumer.config", Takes::kText, "config file", "(DEPRECATED) The same as --command-config."},
           {"command-config", Takes::kText, "config file", "Properties file for the consumer."},
           {"print-metrics", Takes::kNothing, "", "Print out the metrics; there are none yet."},
           {"show-detailed-stats", Takes::kNothing, "", "Tell each reporting interval."},
           {"timeout", Takes::kLong, "milliseconds", "End when no record came for so long. (default: 10000)"},
           {"messages", Takes::kLong, "count", "(DEPRECATED) The same as --num-records."},
           {"num-records", Takes::kLong, "count", "REQUIRED: The number of records to consume."},
           {"reporting-interval", Takes::kLong, "interval_ms", "How often to tell progress. (default: 5000)"},
           {"date-format", Takes::kText, "date format", "How to write times. (default: yyyy-MM-dd HH:mm:ss:SSS)"},
           {"hide-header", Takes::kNothing, "", "Leave the header out."}}};
}

struct Job {
  std::optional<std::string> topic;
  std::function<bool(std::string_view)> includes;
  std::int64_t records = 0;
  std::int64_t timeout_ms = 10'000;
  std::int64_t interval_ms = 5'000;
  bool detailed = false;
  std::string date_format;
};

Checked<> check(const ParsedOptions& options) {
  if (auto checked = require(options, {"bootstrap-server"}); !checked) return checked;
  if (auto checked = require_one(options, {"topic", "include"}); !checked) return checked;
  if (auto checked = require_one(options, {"messages", "num-records"}); !checked) return checked;
  if (auto checked = forbid(options, "consumer.config", {"command-config"}); !checked) return checked;
  if (options.number("reporting-interval", 1) <= 0) return complain("Reporting interval must be greater than 0.");
  if (options.has("messages")) std::puts("Warning: --messages is deprecated. Use --num-records instead.");
  if (options.has("consumer.config"))
    std::puts("Warning: --consumer.config is deprecated. Use --command-config instead.");
  return {};
}

Checked<Properties> properties_of(const ParsedOptions& options) {
  auto merged = merged_properties(options, options.has("consumer.config") ? "consumer.config" : "command-config",
                                  "command-property");
  if (!merged) return merged;
  Properties out = std::move(*merged);
  out["bootstrap.servers"] = options.text("bootstrap-server", "");
  const auto random = runtime::make_system_random();
  out["group.id"] = options.text("group", fmt::format("perf-consumer-{}", random->below(kRandomGroups)));
  out["max.partition.fetch.bytes"] = options.text("fetch-size", "1048576");
  out["auto.offset.reset"] = options.has("from-latest") ? "latest" : "earliest";
  out["check.crcs"] = "false";
  out.try_emplace("client.id", "perf-consumer-client");
  return out;
}

Checked<Job> job_of(const ParsedOptions& options) {
  Job job;
  job.topic = options.text("topic");
  if (const auto include = options.text("include")) {
    auto matches = name_matcher(*include);
    if (!matches) return std::unexpected(matches.error());
    job.includes = std::move(*matches);
  }
  job.records = options.number(options.has("messages") ? "messages" : "num-records", 0);
  job.timeout_ms = options.number("timeout", job.timeout_ms);
  job.interval_ms = options.number("reporting-interval", job.interval_ms);
  job.detailed = options.has("show-detailed-stats");
  job.date_format = options.text("date-format", "yyyy-MM-dd HH:mm:ss:SSS");
  return job;
}

// How long there were no partitions.
class JoinWatch {
 public:
  JoinWatch(client::Cluster& cluster, ConsumerStats& stats)
      : cluster_(&cluster), stats_(&stats), since_ms_(cluster.now().ms()) {}
  [[nodiscard]] client::RebalanceListener listener() {
    return {.assigned = [this](const auto& partitions) { assigned(partitions); },
            .revoked = [this](const auto& partitions) { revoked(partitions); },
            .lost = [this](const auto& partitions) { revoked(partitions); }};
  }

 private:
  void assigned(const std::vector<TopicPartition>& partitions) {
    if (owned_.empty()) stats_->joining_ms += cluster_->now().ms() - since_ms_;
    owned_.insert(partitions.begin(), partitions.end());
  }
  void revoked(const std::vector<TopicPartition>& partitions) {
    for (const auto& partition : partitions) owned_.erase(partition);
    if (owned_.empty()) since_ms_ = cluster_->now().ms();
  }
  client::Cluster* cluster_;
  ConsumerStats* stats_;
  std::int64_t since_ms_;
  std::set<TopicPartition> owned_;
};

// False when a poll failed.
Task<bool> read_records(client::Cluster& cluster, Consumer& consumer, const Job& job, ConsumerStats& stats) {
  ConsumerStats reported;
  std::int64_t reported_ms = cluster.now().ms();
  std::int64_t consumed_ms = reported_ms;
  std::int64_t now_ms = reported_ms;
  while (stats.records < job.records && now_ms - consumed_ms <= job.timeout_ms) {
    const auto records = co_await consumer.poll(kPollMs);
    if (!records) {
      fmt::print(stderr, "{}\n", exception_text(records.error()));
      co_return false;
    }
    now_ms = cluster.now().ms();
    if (records->empty()) continue;
    consumed_ms = now_ms;
    for (const auto& record : *records) {
      ++stats.records;
      if (record.key) stats.bytes += static_cast<std::int64_t>(record.key->size());
      if (record.value) stats.bytes += static_cast<std::int64_t>(record.value->size());
    }
    if (now_ms - reported_ms < job.interval_ms) continue;
    if (job.detailed) {
      const std::string time = format_date(job.date_format, cluster.shard().clock().wall_ms());
      fmt::print("{}\n", consumer_progress(stats, reported, time, now_ms - reported_ms));
      std::fflush(stdout);
    }
    reported = stats;
    reported_ms = now_ms;
  }
  if (stats.records < job.records) {
    fmt::print(
        "WARNING: Exiting before consuming the expected number of records: timeout ({} ms) exceeded. You can use the "
        "--timeout option to increase the timeout.\n",
        job.timeout_ms);
  }
  co_return true;
}

Task<int> consume(client::Cluster& cluster, const Job& job, client::ConsumerConfig config) {
  ConsumerStats stats;
  Consumer consumer(cluster, std::move(config));
  JoinWatch watch(cluster, stats);
  if (job.topic) {
    consumer.subscribe(std::vector{*job.topic}, watch.listener());
  } else {
    consumer.subscribe(job.includes, watch.listener());
  }
  runtime::Clock& clock = cluster.shard().clock();
  const std::int64_t start_ms = cluster.now().ms();
  const std::string start = format_date(job.date_format, clock.wall_ms());
  const bool done = co_await read_records(cluster, consumer, job, stats);
  const std::int64_t elapsed_ms = cluster.now().ms() - start_ms;
  if (done && !job.detailed) {
    fmt::print("{}\n", consumer_total(stats, start, format_date(job.date_format, clock.wall_ms()), elapsed_ms));
  }
  co_await consumer.close();
  co_return done ? 0 : 1;
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  const auto properties = properties_of(options);
  if (!properties) return std::unexpected(properties.error());
  const auto job = job_of(options);
  if (!job) return std::unexpected(job.error());
  const auto config = client::ConsumerConfig::from(*properties);
  if (!config) return complain(config.error());
  if (!options.has("hide-header")) fmt::print("{}\n", consumer_header(job->detailed));
  return with_cluster(*properties, [&](Session session) { return consume(session.cluster, *job, *config); });
}

}  // namespace

int run_consumer_perf(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app

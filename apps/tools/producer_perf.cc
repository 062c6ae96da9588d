// kafka-producer-perf-test: sends records as fast as it may and tells how fast that was.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include <client/producer.h>
#include <fmt/core.h>
#include <runtime/live/system.h>

#include "perf_text.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Answer;
using client::Producer;
using client::Properties;
using runtime::Task;

namespace {

constexpr std::int64_t kReportEveryMs = 5'000;
// So many records are taken before the connections get their turn.
constexpr std::int64_t kRecordsPerTurn = 64;

OptionParser parser() {
  return {"This tool is used to verify the producer performance.",
          {{"bootstrap-server", Takes::kText, "server(s)", "The server(s) to connect to."},
           {"topic", Takes::kText, "topic", "REQUIRED: Produce records to this topic."},
           {"num-records", Takes::kLong, "count", "REQUIRED: Number of records to produce."},
           {"record-size", Takes::kInt, "bytes", "Size of random records."},
           {"payload-file", Takes::kText, "file", "Take records from this file, at random."},
           {"payload-monotonic", Takes::kNothing, "", "Records are the numbers from 0 on."},
           {"payload-delimiter", Takes::kText, "text", "What is between records of the file. (default: \\n)"},
           {"throughput", Takes::kText, "records/sec", "REQUIRED: At most so many a second; -1: no limit."},
           {"producer-props", Takes::kTexts, "key=value", "(DEPRECATED) The same as --command-property.", true},
           {"command-property", Takes::kTexts, "key=value", "Settings of the producer.", true},
           {"producer.config", Takes::kText, "file", "(DEPRECATED) The same as --command-config."},
           {"command-config", Takes::kText, "file", "Properties file for the producer."},
           {"print-metrics", Takes::kNothing, "", "Print out metrics at the end of the test; there are none yet."},
           {"transactional-id", Takes::kText, "id", "Not there yet."},
           {"transaction-duration-ms", Takes::kLong, "ms", "Not there yet."},
           {"warmup-records", Takes::kLong, "count", "So many records at first are left out of a second summary."},
           {"reporting-interval", Takes::kLong, "ms", "How often to tell progress. (default: 5000)"},
           {"record-key-range", Takes::kInt, "count", "Keys are numbers below this."},
           {"key-distribution", Takes::kText, "none|range|random", "How keys are chosen. (default: none)"},
           {"random-seed", Takes::kLong, "seed", "Where random numbers begin. (default: 0)"}}};
}

// Steele's SplitMix64: the same records for the same seed.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  std::uint64_t state_;
};

enum class Keys : std::uint8_t { kNone, kRange, kRandom };

struct Job {
  std::string topic;
  std::int64_t records = 0;
  std::int64_t warmup = 0;
  std::int64_t record_size = 0;  // 0: payloads, else numbers
  std::vector<std::string> payloads;
  double throughput = -1;
  std::int64_t interval_ms = kReportEveryMs;
  Keys keys = Keys::kNone;
  std::int64_t key_range = 0;
  std::uint64_t seed = 0;
};

Checked<std::vector<std::string>> load_payloads(const ParsedOptions& options) {
  std::vector<std::string> out;
  const auto path = options.text("payload-file");
  if (!path) return out;
  fmt::print("Reading payloads from: {}\n", runtime::absolute_path(*path));
  const auto text = load_text(*path);
  if (!text || text->empty()) return complain("File does not exist or empty file provided.");
  std::string delimiter = options.text("payload-delimiter", "\\n");
  if (delimiter == "\\n") delimiter = "\n";
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = rest.find(delimiter);
    out.emplace_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + delimiter.size());
  }
  fmt::print("Number of records read: {}\n", out.size());
  return out;
}

// Exactly one says what the records are.
Checked<> check_payload(const ParsedOptions& options) {
  std::string_view given;
  for (const std::string_view name : {"record-size", "payload-file", "payload-monotonic"}) {
    if (!options.has(name)) continue;
    if (!given.empty()) {
      return complain_with_usage(fmt::format("argument --{}: not allowed with argument --{}", name, given));
    }
    given = name;
  }
  if (!given.empty()) return {};
  return complain_with_usage("one of the arguments --record-size --payload-file --payload-monotonic is required");
}

Checked<> check(const ParsedOptions& options) {
  for (const std::string_view name : {"topic", "num-records", "throughput"}) {
    if (!options.has(name)) return complain_with_usage(fmt::format("argument --{} is required", name));
  }
  if (auto checked = check_payload(options); !checked) return checked;
  for (const std::string_view name : {"num-records", "record-size", "reporting-interval", "record-key-range"}) {
    if (options.has(name) && options.number(name, 0) <= 0) {
      return complain_with_usage(fmt::format("--{} should be greater than zero.", name));
    }
  }
  if (options.number("warmup-records", 0) >= options.number("num-records", 0)) {
    return complain_with_usage(
        "The value for --warmup-records must be strictly fewer than the number of records in the test, --num-records.");
  }
  if (options.count({"bootstrap-server", "command-property", "producer-props", "producer.config", "command-config"}) ==
      0) {
    return complain_with_usage(
        "At least one of --bootstrap-server, --command-property, --producer-props, --producer.config or "
        "--command-config must be specified.");
  }
  if (options.count({"transactional-id", "transaction-duration-ms"}) > 0) {
    return complain("The producer has no transactions yet.");
  }
  const std::string keys = options.text("key-distribution", "none");
  if (keys != "none" && keys != "range" && keys != "random") {
    return complain_with_usage("--key-distribution is one of none, range and random.");
  }
  if (keys != "none" && !options.has("record-key-range")) {
    return complain_with_usage("--record-key-range is required when --key-distribution is 'range' or 'random'.");
  }
  if (keys == "none" && options.has("record-key-range")) {
    return complain_with_usage("--key-distribution must be 'range' or 'random' when --record-key-range is specified.");
  }
  return {};
}

Checked<Job> job_of(const ParsedOptions& options) {
  auto payloads = load_payloads(options);
  if (!payloads) return std::unexpected(payloads.error());
  Job job;
  job.topic = options.text("topic", "");
  job.records = options.number("num-records", 0);
  job.warmup = std::max<std::int64_t>(options.number("warmup-records", 0), 0);
  job.record_size = options.number("record-size", 0);
  job.payloads = std::move(*payloads);
  const std::string throughput = options.text("throughput", "");
  const auto [end, error] = std::from_chars(throughput.data(), throughput.data() + throughput.size(), job.throughput);
  if (error != std::errc{} || end != throughput.data() + throughput.size()) {
    return complain_with_usage("--throughput is a number: " + throughput);
  }
  job.interval_ms = options.number("reporting-interval", kReportEveryMs);
  const std::string keys = options.text("key-distribution", "none");
  job.keys = keys == "range" ? Keys::kRange : keys == "random" ? Keys::kRandom : Keys::kNone;
  job.key_range = options.number("record-key-range", 0);
  job.seed = static_cast<std::uint64_t>(options.number("random-seed", 0));
  return job;
}

Checked<Properties> properties_of(const ParsedOptions& options) {
  constexpr std::string_view kWarning =
      "Option --{} has been deprecated and will be removed in a future version. Use --{} instead.";
  const auto property = spelling(options, "command-property", "producer-props",
                                 fmt::format(fmt::runtime(kWarning), "producer-props", "command-property"));
  if (!property) return std::unexpected(property.error());
  const auto config = spelling(options, "command-config", "producer.config",
                               fmt::format(fmt::runtime(kWarning), "producer.config", "command-config"));
  if (!config) return std::unexpected(config.error());
  for (const std::string& text : options.all(*property)) {
    if (std::ranges::count(text, '=') != 1) return complain("Invalid property: " + text);
  }
  auto merged = merged_properties(options, *config, *property);
  if (!merged) return merged;
  Properties out = std::move(*merged);
  if (out.contains("transactional.id")) return complain("The producer has no transactions yet.");
  out.try_emplace("client.id", "perf-producer-client");
  if (const auto servers = options.text("bootstrap-server")) out["bootstrap.servers"] = *servers;
  return out;
}

class Run {
 public:
  Run(client::Cluster& cluster, Producer& producer, const Job& job)
      : cluster_(&cluster),
        producer_(&producer),
        job_(&job),
        numbers_(job.seed),
        start_ms_(cluster.now().ms()),
        stats_(job.records, start_ms_, false) {}

  Task<void> send_all() {
    for (std::int64_t i = 0; i < job_->records; ++i) {
      if (job_->warmup > 0 && i == job_->warmup) {
        steady_.emplace(job_->records - job_->warmup, cluster_->now().ms(), true);
        std::puts("In steady state.");
      }
      co_await send(i);
      if (i % kRecordsPerTurn == 0) co_await runtime::yield();
      co_await throttle(i);
    }
  }
  void print_totals() const {
    const std::int64_t now_ms = cluster_->now().ms();
    fmt::print("{}\n", stats_.total_line(now_ms));
    if (steady_) fmt::print("{}\n", steady_->total_line(now_ms));
  }

 private:
  std::string_view payload(std::int64_t index) {
    if (!job_->payloads.empty()) return job_->payloads[numbers_.below(job_->payloads.size())];
    if (job_->record_size == 0) {
      payload_ = std::to_string(index);
    } else {
      payload_.resize(static_cast<std::size_t>(job_->record_size));
      for (char& c : payload_) c = static_cast<char>('A' + numbers_.below(26));
    }
    return payload_;
  }

  Task<void> send(std::int64_t index) {
    const std::string_view value = payload(index);
    std::string key;
    if (job_->keys == Keys::kRange) key = std::to_string(index % job_->key_range);
    if (job_->keys == Keys::kRandom) {
      key = std::to_string(numbers_.below(static_cast<std::uint64_t>(job_->key_range)));
    }
    const std::int64_t sent_ms = cluster_->now().ms();
    const client::ProducerRecord record{
        job_->topic, {}, {}, key.empty() ? std::nullopt : std::optional(as_bytes(key)), as_bytes(value), {}};
    const bool counts_as_steady = steady_.has_value();
    const std::size_t size = value.size();
    const auto taken = co_await producer_->send(
        record, [this, sent_ms, size, counts_as_steady](const Answer<client::RecordMetadata>& answer) {
          settled(answer, sent_ms, size, counts_as_steady);
        });
    if (!taken) fmt::print(stderr, "{}\n", exception_text(taken.error()));
  }

  void settled(const Answer<client::RecordMetadata>& answer, std::int64_t sent_ms, std::size_t size, bool steady) {
    if (!answer) {
      fmt::print(stderr, "{}\n", exception_text(answer.error()));
      return;
    }
    const std::int64_t now_ms = cluster_->now().ms();
    stats_.record(now_ms - sent_ms, size);
    if (steady) steady_->record(now_ms - sent_ms, size);
    ProducerStats& shown = steady_ ? *steady_ : stats_;
    if (shown.window_is_over(now_ms, job_->interval_ms)) {
      fmt::print("{}\n", shown.window_line(now_ms));
      std::fflush(stdout);
    }
  }

  Task<void> throttle(std::int64_t index) {
    if (job_->throughput <= 0) co_return;
    const double due_ms = 1000.0 * static_cast<double>(index + 1) / job_->throughput;
    const auto ahead_ms = static_cast<std::int64_t>(due_ms) - (cluster_->now().ms() - start_ms_);
    if (ahead_ms > 0) co_await runtime::sleep_for(std::chrono::milliseconds(ahead_ms));
  }

  client::Cluster* cluster_;
  Producer* producer_;
  const Job* job_;
  Numbers numbers_;
  std::int64_t start_ms_;
  ProducerStats stats_;
  std::optional<ProducerStats> steady_;  // once the warm-up is over
  std::string payload_;
};

Task<int> produce(client::Cluster& cluster, const Job& job, client::ProducerConfig config) {
  Producer producer(cluster, std::move(config));
  if (job.warmup > 0) {
    fmt::print("Warmup first {} records. Steady state results will print after the complete test summary.\n",
               job.warmup);
  }
  Run run(cluster, producer, job);
  co_await run.send_all();
  co_await producer.close();
  run.print_totals();
  co_return 0;
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  const auto properties = properties_of(options);
  if (!properties) return std::unexpected(properties.error());
  const auto job = job_of(options);
  if (!job) return std::unexpected(job.error());
  const auto config = client::ProducerConfig::from(*properties);
  if (!config) return complain(config.error());
  return with_cluster(*properties, [&](Session session) { return produce(session.cluster, *job, *config); });
}

}  // namespace

int run_producer_perf(const Arguments& arguments) {
  return run_tool(parser().in_argparse_words("kafka-producer-perf-test"), arguments, run);
}

}  // namespace dohle::app

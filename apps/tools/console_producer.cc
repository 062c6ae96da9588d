// kafka-console-producer: a record for each line of standard input.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <client/producer.h>
#include <fmt/core.h>
#include <runtime/live/system.h>

#include "line_reader.h"
#include "tool.h"
#include "tools.h"

namespace dohle::app {

using client::Answer;
using client::Producer;
using client::Properties;
using runtime::Task;

namespace {

constexpr std::string_view kLineReader = "org.apache.kafka.tools.LineMessageReader";
constexpr int kSignalExit = 128;

constexpr const char* kReaderProperties =
    "key=value for the line reader: parse.key=false, parse.headers=false, ignore.error=false, key.separator=\\t, "
    "headers.delimiter=\\t, headers.separator=, headers.key.separator=: and null.marker, which reads as null. "
    "With headers and key a line is h1:v1,h2:v2\\tkey\\tvalue.";

OptionParser parser() {
  return {
      "This tool helps to read data from standard input and publish it to Kafka.",
      {{"topic", Takes::kText, "topic", "REQUIRED: The topic to write to."},
       {"bootstrap-server", Takes::kText, "server to connect to", "REQUIRED: HOST1:PORT1,HOST2:PORT2."},
       {"sync", Takes::kNothing, "", "Wait for each record before the next one is sent."},
       {"compression-codec", Takes::kOptionalText, "compression-codec",
        "none, gzip, snappy, lz4 or zstd; gzip when no name is given."},
       {"batch-size", Takes::kInt, "size", "batch.size. (default: 16384)"},
       {"message-send-max-retries", Takes::kInt, "", "retries. (default: 3)"},
       {"retry-backoff-ms", Takes::kLong, "", "retry.backoff.ms. (default: 100)"},
       {"timeout", Takes::kLong, "timeout_ms", "linger.ms. (default: 1000)"},
       {"request-required-acks", Takes::kText, "request required acks", "acks. (default: -1)"},
       {"request-timeout-ms", Takes::kInt, "request timeout ms", "request.timeout.ms. (default: 1500)"},
       {"metadata-expiry-ms", Takes::kLong, "metadata expiration interval", "metadata.max.age.ms. (default: 300000)"},
       {"max-block-ms", Takes::kLong, "max block on send", "max.block.ms. (default: 60000)"},
       {"max-memory-bytes", Takes::kLong, "total memory in bytes", "buffer.memory. (default: 33554432)"},
       {"max-partition-memory-bytes", Takes::kInt, "memory in bytes per partition",
        "(Deprecated) The same as --batch-size."},
       {"line-reader", Takes::kText, "reader_class",
        "What reads the lines; there is one: " + std::string(kLineReader) + "."},
       {"socket-buffer-size", Takes::kInt, "size", "Accepted and without effect: the kernel sizes the buffer."},
       {"property", Takes::kText, "prop", "(DEPRECATED) The same as --reader-property.", true},
       {"reader-property", Takes::kText, "prop", kReaderProperties, true},
       {"reader-config", Takes::kText, "config file", "Properties file for the line reader."},
       {"producer-property", Takes::kText, "producer_prop", "(DEPRECATED) The same as --command-property.", true},
       {"command-property", Takes::kText, "producer_prop", "key=value for the producer.", true},
       {"producer.config", Takes::kText, "config file", "(DEPRECATED) The same as --command-config."},
       {"command-config", Takes::kText, "config file", "Properties file for the producer."}}};
}

constexpr std::string_view kDeprecated =
    "Warning: --{} is deprecated and will be removed in a future version. Use --{} instead.";

Checked<std::string_view> spelling_of(const ParsedOptions& options, std::string_view name, std::string_view old_name) {
  return spelling(options, name, old_name, fmt::format(fmt::runtime(kDeprecated), old_name, name));
}

// An option that is given wins over the property, the property over the option's default.
void merge_option(const ParsedOptions& options, Properties& properties, std::string_view key, std::string_view option,
                  std::string_view otherwise) {
  if (options.has(option)) {
    properties[std::string(key)] = options.text(option, "");
  } else {
    properties.try_emplace(std::string(key), otherwise);
  }
}

Checked<Properties> producer_properties(const ParsedOptions& options) {
  const auto config = spelling_of(options, "command-config", "producer.config");
  if (!config) return std::unexpected(config.error());
  const auto property = spelling_of(options, "command-property", "producer-property");
  if (!property) return std::unexpected(property.error());
  auto out = merged_properties(options, *config, *property);
  if (!out) return out;
  (*out)["bootstrap.servers"] = options.text("bootstrap-server", "");
  const bool compressed = options.has("compression-codec");
  (*out)["compression.type"] = compressed ? options.text("compression-codec", "gzip") : "none";
  out->try_emplace("client.id", "console-producer");
  merge_option(options, *out, "linger.ms", "timeout", "1000");
  merge_option(options, *out, "acks", "request-required-acks", "-1");
  merge_option(options, *out, "request.timeout.ms", "request-timeout-ms", "1500");
  merge_option(options, *out, "retries", "message-send-max-retries", "3");
  merge_option(options, *out, "retry.backoff.ms", "retry-backoff-ms", "100");
  merge_option(options, *out, "buffer.memory", "max-memory-bytes", "33554432");
  merge_option(options, *out, "batch.size", "batch-size", "16384");
  merge_option(options, *out, "batch.size", "max-partition-memory-bytes", "16384");
  merge_option(options, *out, "metadata.max.age.ms", "metadata-expiry-ms", "300000");
  merge_option(options, *out, "max.block.ms", "max-block-ms", "60000");
  return out;
}

// What can be read without waiting once there is something; empty at the end.
std::string read_input() {
  auto* input = std::cin.rdbuf();
  if (input->sgetc() == std::char_traits<char>::eof()) return {};
  std::string out(static_cast<std::size_t>(std::max<std::streamsize>(input->in_avail(), 1)), '\0');
  out.resize(static_cast<std::size_t>(input->sgetn(out.data(), static_cast<std::streamsize>(out.size()))));
  return out;
}

struct Job {
  std::string topic;
  bool sync = false;
  bool prompt = false;
  LineReader reader;
};

std::string shown(const std::optional<std::string>& text) {
  return text ? fmt::format("{} bytes", text->size()) : "null";
}

Task<Answer<>> send_line(Producer& producer, const Job& job, const LineRecord& line) {
  std::vector<records::Header> headers;
  for (const auto& [key, value] : line.headers) {
    headers.push_back({key, value ? std::optional(as_bytes(*value)) : std::nullopt});
  }
  const auto bytes = [](const std::optional<std::string>& text) {
    return text ? std::optional(as_bytes(*text)) : std::nullopt;
  };
  const client::ProducerRecord record{job.topic, {}, {}, bytes(line.key), bytes(line.value), headers};
  if (job.sync) {
    const auto sent = co_await producer.send_and_wait(record);
    if (!sent) co_return std::unexpected(sent.error());
    co_return Answer<>{};
  }
  const std::string what =
      fmt::format("Error when sending message to topic {} with key: {}, value: {} with error: ", job.topic,
                  shown(line.key), shown(line.value));
  auto taken = co_await producer.send(record, [what](const Answer<client::RecordMetadata>& sent) {
    if (!sent) fmt::print(stderr, "ERROR {}{}\n", what, sent.error().message);
  });
  if (!taken) fmt::print(stderr, "ERROR {}{}\n", what, taken.error().message);
  co_return Answer<>{};
}

// All lines that are there; an exit code when one of them ends it.
Task<std::optional<int>> send_lines(Producer& producer, Job& job, LineSplitter& lines) {
  while (const auto line = lines.next()) {
    const auto record = job.reader.read(*line);
    if (!record) {
      fmt::print(stderr, "{}\n", record.error());
      co_return 1;
    }
    if (const auto sent = co_await send_line(producer, job, *record); !sent) {
      fmt::print(stderr, "{}\n", sent.error().message);
      co_return 1;
    }
    if (job.prompt) fmt::print(">");
  }
  co_return std::nullopt;
}

Task<int> produce(Session session, Job& job, client::ProducerConfig config, Producer*& running) {
  const auto input = session.shards.make_io_thread("stdin");
  Producer producer(session.cluster, std::move(config));
  running = &producer;
  LineSplitter lines;
  std::optional<int> code;
  if (job.prompt) fmt::print(">");
  while (!code) {
    std::fflush(stdout);
    const std::string bytes = co_await runtime::run_on(*input, read_input);
    if (bytes.empty()) lines.finish();
    lines.add(bytes);
    code = co_await send_lines(producer, job, lines);
    if (bytes.empty() && !code) code = 0;
  }
  running = nullptr;
  co_await producer.close();
  co_return *code;
}

// What was taken before Ctrl-C still goes out; the thread that waits for input does not hold the end up.
Task<void> close_and_exit(Producer* producer, int signal) {
  if (producer != nullptr) co_await producer->close();
  std::_Exit(kSignalExit + signal);
}

Checked<int> run(const ParsedOptions& options) {
  if (auto checked = require(options, {"topic"}); !checked) return std::unexpected(checked.error());
  if (auto checked = require(options, {"bootstrap-server"}); !checked) return std::unexpected(checked.error());
  const auto properties = producer_properties(options);
  if (!properties) return std::unexpected(properties.error());
  const auto reader_option = spelling_of(options, "reader-property", "property");
  if (!reader_option) return std::unexpected(reader_option.error());
  if (options.has("max-partition-memory-bytes")) {
    std::puts(
        "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use --batch-size "
        "instead.");
  }
  if (const auto name = options.text("line-reader", kLineReader); name != kLineReader) {
    return complain("There is no line reader " + name + "; " + std::string(kLineReader) + " is the only one.");
  }
  const auto reader_properties = merged_properties(options, "reader-config", *reader_option);
  if (!reader_properties) return std::unexpected(reader_properties.error());
  auto reader = LineReader::from(*reader_properties);
  if (!reader) return complain(reader.error());
  auto config = client::ProducerConfig::from(*properties);
  if (!config) return complain(config.error());

  std::ios::sync_with_stdio(false);
  Job job{options.text("topic", ""), options.has("sync"), runtime::is_interactive(), std::move(*reader)};
  Producer* running = nullptr;
  return with_cluster(
      *properties, [&](Session session) { return produce(session, job, std::move(*config), running); },
      [&](int signal) { runtime::spawn(close_and_exit(running, signal)); });
}

}  // namespace

int run_console_producer(const Arguments& arguments) { return run_tool(parser(), arguments, run); }

}  // namespace dohle::app

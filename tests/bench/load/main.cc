// A load generator that costs little itself: raw protocol, batches prepared beforehand, one thread.
//
//   dohle_load create  HOST:PORT TOPIC PARTITIONS [CONFIG=VALUE]...
//   dohle_load produce HOST:PORT TOPIC CONNECTIONS SECONDS RECORDS RECORD_BYTES
//   dohle_load fetch   HOST:PORT TOPIC CONNECTIONS SECONDS FETCH_BYTES
//
// produce and fetch run a closed loop on each connection, partition i on connection i, and print one line of JSON.
// produce sends at least one request, so that 0 seconds ask whether a Produce is accepted.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <base/log.h>
#include <protocol/error_code.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/produce_request.h>
#include <protocol/messages/produce_response.h>
#include <records/builder.h>
#include <runtime/live/live_shards.h>
#include <runtime/start_all.h>
#include <transport/client_connection.h>

namespace dohle::load {
namespace {

using runtime::Task;
using std::chrono::seconds;

constexpr auto kTimeout = seconds(30);

struct Load {
  runtime::Endpoint broker;
  std::string topic;
  int connections = 1;
  int seconds = 1;
  int records = 1;
  int bytes = 100;  // of a record, or of a fetch
};

struct Measured {
  std::vector<std::int64_t> latencies_ns;
  std::uint64_t bytes = 0;
  std::string failure;
};

runtime::Endpoint parse_endpoint(const std::string& text) {
  const auto colon = text.find_last_of(':');
  return {text.substr(0, colon), static_cast<std::uint16_t>(std::atoi(text.substr(colon + 1).c_str()))};
}

Slice make_batch(runtime::Random& random, const Load& load) {
  records::BatchBuilder builder({});
  std::string value(static_cast<std::size_t>(load.bytes), '\0');
  for (int i = 0; i < load.records; ++i) {
    for (char& c : value) c = static_cast<char>(random.next());
    builder.append(1'700'000'000'000, std::nullopt, as_bytes(value));
  }
  return builder.build();
}

Task<Measured> produce(runtime::Shard& shard, Load load, std::int32_t partition) {
  Measured out;
  auto connection = co_await transport::ClientConnection::connect(shard, load.broker, {.client_id = "load"});
  if (!connection) {
    out.failure = connection.error().message;
    co_return out;
  }
  const Slice batch = make_batch(shard.random(), load);
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = Text(load.topic);
  auto& data = topic.partition_data.emplace_back();
  data.index = partition;
  data.records = protocol::Records(runtime::Fragments{batch});
  const auto end = shard.clock().now() + seconds(load.seconds);
  do {
    const auto begin = shard.clock().now();
    const auto reply = co_await (*connection)->call(request, 9, kTimeout);
    out.latencies_ns.push_back((shard.clock().now() - begin).count());
    const auto error = reply ? reply->message.responses.at(0).partition_responses.at(0).error_code : std::int16_t{-1};
    if (error != 0) {
      out.failure = reply ? std::string(protocol::name(protocol::error_code_from(error))) : reply.error().message;
      break;
    }
    out.bytes += batch.size();
  } while (shard.clock().now() < end);
  co_await (*connection)->close();
  co_return out;
}

Task<Measured> fetch(runtime::Shard& shard, Load load, std::int32_t partition) {
  Measured out;
  auto connection = co_await transport::ClientConnection::connect(shard, load.broker, {.client_id = "load"});
  if (!connection) {
    out.failure = connection.error().message;
    co_return out;
  }
  protocol::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.max_bytes = load.bytes;
  auto& topic = request.topics.emplace_back();
  topic.topic = Text(load.topic);
  auto& target = topic.partitions.emplace_back();
  target.partition = partition;
  target.partition_max_bytes = load.bytes;
  const auto end = shard.clock().now() + seconds(load.seconds);
  while (shard.clock().now() < end) {
    const auto begin = shard.clock().now();
    const auto reply = co_await (*connection)->call(request, 11, kTimeout);
    out.latencies_ns.push_back((shard.clock().now() - begin).count());
    if (!reply) {
      out.failure = reply.error().message;
      break;
    }
    const auto& row = reply->message.responses.at(0).partitions.at(0);
    const Bytes records = row.records ? row.records->bytes() : Bytes();
    out.bytes += records.size();
    // On to the next whole batch; from the beginning again at the end.
    std::int64_t next = target.fetch_offset;
    for (Bytes rest = records; rest.size() >= records::kBatchHeaderBytes;) {
      const auto batch = records::BatchView::parse(rest);
      if (!batch) break;
      next = batch->next_offset().value();
      rest = rest.subspan(batch->size_bytes());
    }
    target.fetch_offset = next >= row.high_watermark ? 0 : next;
  }
  co_await (*connection)->close();
  co_return out;
}

Task<int> create(runtime::Shard& shard, runtime::Endpoint broker, std::vector<std::string> arguments) {
  auto connection = co_await transport::ClientConnection::connect(shard, std::move(broker), {.client_id = "load"});
  if (!connection) {
    std::fprintf(stderr, "%s\n", connection.error().message.c_str());
    co_return 1;
  }
  protocol::CreateTopicsRequest request;
  request.timeout_ms = 30'000;
  auto& topic = request.topics.emplace_back();
  topic.name = Text(arguments[0]);
  topic.num_partitions = std::atoi(arguments[1].c_str());
  topic.replication_factor = 1;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const auto equals = arguments[i].find('=');
    auto& config = topic.configs.emplace_back();
    config.name = Text(arguments[i].substr(0, equals));
    config.value = Text(arguments[i].substr(equals + 1));
  }
  const auto reply = co_await (*connection)->call(request, 5, kTimeout);
  const auto error = reply ? reply->message.topics.at(0).error_code : std::int16_t{-1};
  if (error != 0) std::fprintf(stderr, "create: error %d\n", error);
  co_await (*connection)->close();
  co_return error == 0 ? 0 : 1;
}

std::int64_t percentile(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))] /
         1000;
}

Task<int> run_load(runtime::Shard& shard, Load load, Task<Measured> (*work)(runtime::Shard&, Load, std::int32_t)) {
  std::vector<Task<Measured>> tasks;
  for (int i = 0; i < load.connections; ++i) tasks.push_back(work(shard, load, i));
  const auto results = co_await runtime::start_all(std::move(tasks));
  std::vector<std::int64_t> latencies;
  std::uint64_t bytes = 0;
  for (const auto& result : results) {
    if (!result.failure.empty()) {
      std::fprintf(stderr, "load: %s\n", result.failure.c_str());
      co_return 1;
    }
    latencies.insert(latencies.end(), result.latencies_ns.begin(), result.latencies_ns.end());
    bytes += result.bytes;
  }
  std::ranges::sort(latencies);
  std::printf(R"({"requests": %zu, "bytes": %llu, "p50_us": %lld, "p99_us": %lld, "p999_us": %lld})"
              "\n",
              latencies.size(), static_cast<unsigned long long>(bytes),
              static_cast<long long>(percentile(latencies, 0.5)), static_cast<long long>(percentile(latencies, 0.99)),
              static_cast<long long>(percentile(latencies, 0.999)));
  co_return 0;
}

int run(std::vector<std::string> arguments) {
  runtime::LiveShards shards;
  return shards.run([&]() -> Task<int> {
    runtime::Shard& shard = shards.at(0);
    const auto broker = parse_endpoint(arguments[1]);
    if (arguments[0] == "create") return create(shard, broker, {arguments.begin() + 2, arguments.end()});
    Load load{.broker = broker, .topic = arguments[2]};
    load.connections = std::atoi(arguments[3].c_str());
    load.seconds = std::atoi(arguments[4].c_str());
    const bool producing = arguments[0] == "produce";
    if (producing) load.records = std::atoi(arguments[5].c_str());
    load.bytes = std::atoi(arguments[producing ? 6 : 5].c_str());
    return run_load(shard, std::move(load), producing ? &produce : &fetch);
  });
}

}  // namespace
}  // namespace dohle::load

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string verb = arguments.empty() ? "" : arguments[0];
  const std::size_t wanted = verb == "create" ? 4 : verb == "produce" ? 7 : 6;
  if ((verb != "create" && verb != "produce" && verb != "fetch") || arguments.size() < wanted) {
    std::fputs("usage: see the head of tests/bench/load/main.cc\n", stderr);
    return 2;
  }
  return dohle::load::run(arguments);
}

#include "live_requests.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <base/bytes.h>
#include <base/check.h>
#include <broker/node.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/produce_request.h>
#include <records/builder.h>
#include <runtime/io_thread.h>
#include <runtime/live/live_shards.h>
#include <runtime/live/system.h>
#include <transport/client_connection.h>

#include "allocations.h"
#include "frames.h"
#include "node_setup.h"

namespace dohle::broker {
namespace {

using runtime::Task;

constexpr int kPartitions = 16;
constexpr int kWarmUp = 200;
constexpr int kRounds = 5;

Slice produce_frame(const LiveRequest& what) {
  records::BatchBuilder builder({});
  builder.append(1, std::nullopt, as_bytes(std::string(100, 'x')));
  const Slice batch = builder.build();
  protocol::ProduceRequest request;
  request.acks = what.acks;
  request.timeout_ms = 30'000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "t";
  for (int i = 0; i < what.partitions; ++i) {
    auto& part = topic.partition_data.emplace_back();
    part.index = i;
    part.records = protocol::Records::view(batch.bytes());
  }
  return frame_of(request, 12);
}

Slice fetch_frame(const LiveRequest& what) {
  const bool waits = what.kind == LiveRequest::Kind::kFetchWait;
  protocol::FetchRequest request;
  request.max_wait_ms = waits ? 3 : 0;
  request.min_bytes = 1;
  auto& topic = request.topics.emplace_back();
  topic.topic = waits ? "empty" : "t";
  for (int i = 0; i < what.partitions; ++i) {
    auto& part = topic.partitions.emplace_back();
    part.partition = i;
    part.partition_max_bytes = 100;
  }
  return frame_of(request, 12);
}

// What the node's shard has allocated so far, asked from another thread's shard.
Task<std::uint64_t> count_on(runtime::Executor* node) {
  runtime::Promise<std::uint64_t> promise;
  auto future = promise.future();
  node->post([promise = std::move(promise), home = runtime::Executor::current()]() mutable {
    home->post(
        [promise = std::move(promise), count = allocations_of_this_thread().count]() mutable { promise.set(count); });
  });
  co_return co_await future;
}

Task<void> receive(runtime::Connection* connection, MutableBytes into) {
  while (!into.empty()) {
    const auto got = co_await connection->read_some(into);
    DOHLE_CHECK(got && *got > 0);
    into = into.subspan(*got);
  }
}

Task<void> exchange(runtime::Connection* connection, const Slice* frame) {
  runtime::Fragments fragments;
  fragments.emplace_back(*frame);
  DOHLE_CHECK((co_await connection->write(std::move(fragments))).has_value());
  std::uint8_t length[4];
  co_await receive(connection, length);
  std::vector<std::uint8_t> answer(load_be<std::uint32_t>(length));
  co_await receive(connection, answer);
}

Task<int> measure(runtime::Shard* here, std::uint16_t port, runtime::Executor* node,
                  const std::vector<LiveRequest>* requests, std::vector<RequestCost>* out) {
  const auto connected = co_await here->network().connect({"127.0.0.1", port}, std::chrono::seconds(10));
  DOHLE_CHECK(connected.has_value());
  runtime::Connection* const connection = connected->get();
  for (const auto& what : *requests) {
    const Slice frame = what.kind == LiveRequest::Kind::kProduce ? produce_frame(what) : fetch_frame(what);
    for (int i = 0; i < std::min(kWarmUp, what.count); ++i) co_await exchange(connection, &frame);
    // The best of some rounds: a busy machine makes a disk look slow, and other work falls into the others.
    RequestCost best{.allocations = 1e9, .micros = 1e9};
    for (int round = 0; round < kRounds; ++round) {
      const auto before = co_await count_on(node);
      const auto begin = here->clock().now();
      for (int i = 0; i < what.count; ++i) co_await exchange(connection, &frame);
      const std::chrono::duration<double, std::micro> took = here->clock().now() - begin;
      const auto after = co_await count_on(node);
      best.allocations = std::min(best.allocations, static_cast<double>(after - before) / what.count);
      best.micros = std::min(best.micros, took.count() / what.count);
    }
    out->push_back(best);
  }
  connection->close();
  co_return 0;
}

Task<void> create_topics(runtime::Shard& shard, std::uint16_t port) {
  auto connection = co_await transport::ClientConnection::connect(shard, {"127.0.0.1", port}, {.client_id = "cost"});
  DOHLE_CHECK(connection.has_value());
  protocol::CreateTopicsRequest request;
  for (const auto* name : {"t", "empty"}) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = kPartitions;
    topic.replication_factor = 1;
    auto& config = topic.configs.emplace_back();
    config.name = "flush.messages";
    config.value = Text("9223372036854775807");
  }
  const auto answer = co_await (*connection)->call(request, 7, std::chrono::seconds(30));
  DOHLE_CHECK(answer && answer->message.topics.at(0).error_code == 0);
  co_await (*connection)->close();
}

Task<int> run_node(runtime::Shards& shards, config::ServerConfig config, const std::vector<LiveRequest>& requests,
                   std::vector<RequestCost>& out) {
  auto node =
      co_await Node::start(shards, std::move(config), {.journal_bytes = 1U << 20U, .fatal = [](const std::string&) {}});
  DOHLE_CHECK(node.has_value());
  const std::uint16_t port = (*node)->ports().at("PLAINTEXT");
  co_await create_topics(shards.at(0), port);
  runtime::Executor& home = shards.at(0).executor();
  // Clients have a thread and shards of their own: what they allocate is not counted.
  const auto client_thread = shards.make_io_thread("client");
  std::unique_ptr<runtime::LiveShards> clients;
  static_cast<void>(co_await runtime::run_on(*client_thread, [&] {
    clients = std::make_unique<runtime::LiveShards>();
    return clients->run([&] { return measure(&clients->at(0), port, &home, &requests, &out); });
  }));
  // Only now: this shard may have been posting to theirs until it came here.
  co_await runtime::run_on(*client_thread, [&] {
    clients.reset();
    return 0;
  });
  co_await (*node)->stop();
  co_return 0;
}

}  // namespace

std::vector<RequestCost> cost_of(const std::vector<LiveRequest>& requests) {
  const auto random = runtime::make_system_random();
  // In memory where that can be had: on a disk that is slow, appends go the way for slow disks.
  const std::filesystem::path memory = "/dev/shm";
  const auto parent = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  const std::filesystem::path directory = parent / ("dohle-cost-" + random->uuid().to_string());
  std::vector<RequestCost> out;
  auto config = config::ServerConfig::from(single_node(directory, 1, {}));
  DOHLE_CHECK(config.has_value());
  format_node(*runtime::make_system_files(), *random, *runtime::make_system_clock(), *config);
  runtime::LiveShards shards;
  shards.run([&]() { return run_node(shards, std::move(*config), requests, out); });
  std::filesystem::remove_all(directory);
  return out;
}

}  // namespace dohle::broker

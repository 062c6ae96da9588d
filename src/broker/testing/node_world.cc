#include "node_world.h"

#include <sstream>

#include <base/check.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/produce_response.h>
#include <records/batch.h>
#include <records/builder.h>

#include "node_setup.h"

namespace dohle::broker {

NodeWorld::NodeWorld(std::size_t shard_count, config::TextMap overrides, std::uint64_t seed)
    : shards(shard_count, seed), properties_(single_node("/data", shard_count, std::move(overrides))) {}

NodeWorld::~NodeWorld() {
  if (node_) stop();
  const auto scope = shards.enter(0);
  kept_.clear();
  sent_.clear();
}

Result<> NodeWorld::try_start() {
  auto config = config::ServerConfig::from(properties_);
  if (!config) fprintf(stderr, "settings: %s\n", config.error().message.c_str());
  DOHLE_CHECK(config.has_value());
  if (!std::exchange(formatted_, true)) {
    const auto scope = shards.enter(0);
    format_node(shards.files(), shards.random(), shards.clock(), *config);
  }
  auto node = shards.run(0, [this, &config] {
    return Node::start(shards, std::move(*config), {.journal_bytes = 256U << 10U, .fatal = [](const std::string& why) {
                                                      fprintf(stderr, "fatal: %s\n", why.c_str());
                                                    }});
  });
  if (!node) return fail(node.error());
  node_ = std::move(*node);
  return {};
}

void NodeWorld::start() {
  const auto started = try_start();
  if (!started) fprintf(stderr, "start: %s\n", started.error().message.c_str());
  DOHLE_CHECK(started.has_value());
}

void NodeWorld::close_connections() {
  for (auto& each : connections_) {
    if (each) shards.run(0, [&each] { return each->close(); });
  }
  const auto scope = shards.enter(0);
  connections_.clear();
}

void NodeWorld::stop() {
  close_connections();
  shards.run(0, [this] { return node_->stop(); });
  const auto scope = shards.enter(0);
  node_.reset();
}

transport::ClientConnection& NodeWorld::connection(std::size_t number) {
  if (connections_.size() <= number) connections_.resize(number + 1);
  if (!connections_[number]) {
    auto made = shards.run(0, [this] {
      return transport::ClientConnection::connect(shards.at(0), {"127.0.0.1", node_->ports().at("PLAINTEXT")},
                                                  {.client_id = "test"});
    });
    DOHLE_CHECK(made.has_value());
    connections_[number] = std::move(*made);
  }
  return *connections_[number];
}

std::unique_ptr<runtime::Connection> NodeWorld::raw_connection() {
  auto made = shards.run(0, [this] {
    return shards.at(0).network().connect({"127.0.0.1", node_->ports().at("PLAINTEXT")}, std::chrono::seconds(10));
  });
  DOHLE_CHECK(made.has_value());
  return std::move(*made);
}

namespace {

runtime::Task<std::size_t> exchange_on(runtime::Connection* connection, const Slice* frame) {
  runtime::Fragments out;
  out.emplace_back(*frame);
  DOHLE_CHECK((co_await connection->write(std::move(out))).has_value());
  // Not set to zeroes: callgrind counts what this costs.
  constexpr std::size_t kPartBytes = 1U << 16U;
  const auto part = std::make_unique_for_overwrite<std::uint8_t[]>(kPartBytes);
  std::vector<std::uint8_t> length;
  std::size_t received = 0;
  for (;;) {
    const auto got = co_await connection->read_some({part.get(), kPartBytes});
    DOHLE_CHECK(got && *got > 0);
    received += *got;
    for (std::size_t i = 0; i < *got && length.size() < 4; ++i) length.push_back(part[i]);
    if (length.size() == 4 && received == 4 + load_be<std::uint32_t>(length.data())) co_return received;
  }
}

}  // namespace

std::size_t NodeWorld::exchange(runtime::Connection& connection, const Slice& frame) {
  return shards.run(0, [&] { return exchange_on(&connection, &frame); });
}

namespace {

runtime::Task<std::string> get_metrics(runtime::Shard* shard, std::uint16_t port) {
  const auto connection = co_await shard->network().connect({"127.0.0.1", port}, std::chrono::seconds(10));
  DOHLE_CHECK(connection.has_value());
  runtime::Fragments request;
  request.emplace_back(
      Slice::copy_of(as_bytes("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")));
  DOHLE_CHECK((co_await (*connection)->write(std::move(request))).has_value());
  std::string out;
  std::vector<std::uint8_t> part(1U << 16U);
  for (;;) {
    const auto got = co_await (*connection)->read_some(part);
    if (!got || *got == 0) co_return out;
    out += as_text(Bytes(part).first(*got));
  }
}

}  // namespace

std::map<std::string, double> NodeWorld::scrape() {
  const auto answer = shards.run(0, [this] { return get_metrics(&shards.at(0), node_->metrics_port()); });
  DOHLE_CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  std::istringstream lines(answer.substr(answer.find("\r\n\r\n") + 4));
  std::map<std::string, double> out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const auto space = line.rfind(' ');
    DOHLE_CHECK(out.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second);
  }
  return out;
}

std::uint64_t NodeWorld::copied_bytes() {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) total += shards.at(i).buffers().copied_bytes();
  return total;
}

protocol::ErrorCode NodeWorld::create_topic(const std::string& name, int partitions,
                                            const std::map<std::string, std::string>& configs) {
  protocol::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  for (const auto& [key, value] : configs) {
    auto& config = topic.configs.emplace_back();
    config.name = key;
    config.value = Text(value);
  }
  const auto answer = call(request, 7);
  return protocol::error_code_from(answer.topics.at(0).error_code);
}

protocol::ErrorCode NodeWorld::delete_topic(const std::string& name) {
  protocol::DeleteTopicsRequest request;
  request.topic_names.emplace_back(name);
  request.timeout_ms = 10'000;
  return protocol::error_code_from(call(request, 5).responses.at(0).error_code);
}

std::int32_t NodeWorld::partition_in(const std::string& topic, const std::string& directory) {
  for (std::int32_t partition = 0; partition < 1000; ++partition) {
    if (files().exists(directory + "/" + topic + "-" + std::to_string(partition))) return partition;
  }
  DOHLE_CHECK(!"no such partition");
  return -1;
}

protocol::ProduceRequest NodeWorld::produce_request(const std::string& topic, std::int32_t partition,
                                                    const BatchSpec& spec, std::int16_t acks) {
  const auto scope = shards.enter(0);
  records::BatchBuilder builder({.producer_id = ProducerId(spec.producer_id),
                                 .producer_epoch = static_cast<std::int16_t>(spec.producer_id < 0 ? -1 : 0),
                                 .base_sequence = spec.base_sequence});
  for (int i = 0; i < spec.records; ++i) {
    const std::string value(spec.value_bytes, static_cast<char>('a' + i % 26));
    builder.append(spec.timestamp_ms + i, std::nullopt, as_bytes(value));
  }
  sent_.push_back(builder.build());
  protocol::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& part = data.partition_data.emplace_back();
  part.index = partition;
  part.records = protocol::Records::view(sent_.back().bytes());
  return request;
}

std::shared_ptr<std::optional<Produced>> NodeWorld::start_produce(const std::string& topic, std::int32_t partition,
                                                                  const BatchSpec& spec, std::int16_t acks,
                                                                  std::size_t number) {
  auto out = std::make_shared<std::optional<Produced>>();
  start_call(produce_request(topic, partition, spec, acks), kProduceVersion, number,
             [this, out](const protocol::ProduceResponse& answer) {
               const auto& row = answer.responses.at(0).partition_responses.at(0);
               *out = Produced{protocol::error_code_from(row.error_code), row.base_offset, now()};
             });
  return out;
}

Produced NodeWorld::produce(const std::string& topic, std::int32_t partition, const BatchSpec& spec, std::int16_t acks,
                            std::size_t number) {
  const auto out = start_produce(topic, partition, spec, acks, number);
  shards.run_until([&out] { return out->has_value(); });
  return **out;
}

Fetched NodeWorld::fetch(const std::string& topic, std::int32_t partition, std::int64_t offset,
                         std::int32_t max_wait_ms, std::int32_t max_bytes, std::size_t number) {
  protocol::FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = 1;
  request.max_bytes = max_bytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  auto& part = asked.partitions.emplace_back();
  part.partition = partition;
  part.fetch_offset = offset;
  part.partition_max_bytes = max_bytes;
  const auto answer = call(request, kFetchVersion, number);
  const auto& row = answer.responses.at(0).partitions.at(0);
  Fetched out{.error = protocol::error_code_from(row.error_code), .high_watermark = row.high_watermark};
  if (!row.records) return out;
  out.bytes = row.records->size();
  records::BatchCursor cursor(row.records->bytes());
  for (;;) {
    const auto batch = cursor.next();
    if (!batch || !*batch) return out;  // the last one may be cut
    DOHLE_CHECK((*batch)->crc_ok());
    out.base_offsets.push_back((*batch)->base_offset().value());
  }
}

}  // namespace dohle::broker

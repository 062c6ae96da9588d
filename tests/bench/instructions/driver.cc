// Runs one hot path so many times and nothing else, for callgrind to count:
//
//   dohle_instructions PATH TIMES SHARDS
//
// A path that begins with `node_` sends the same request over and over to a whole node in memory, one thread with time
// that stands still, so that every run executes the same instructions. The client's part is a few hundred of them.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include <base/reader.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/produce_request.h>
#include <records/builder.h>
#include <records/validator.h>
#include <runtime/memory/memory_shards.h>

#include "frames.h"
#include "node_world.h"

namespace {

using namespace dohle;

constexpr std::int64_t kTimestampMs = runtime::ManualClock::kStartWallMs;
constexpr std::int16_t kVersion = 12;
constexpr std::size_t kRecordBytes = 100;
constexpr int kSmall = 1;
constexpr int kLarge = 145;  // records of 100 bytes in 16 KiB
constexpr std::int32_t kFetchBytes = 16'384;

Slice batch_of(int records) {
  records::BatchBuilder builder({});
  for (int i = 0; i < records; ++i)
    builder.append(kTimestampMs, std::nullopt, as_bytes(std::string(kRecordBytes, 'x')));
  return builder.build();
}

protocol::ProduceRequest produce_request(const Slice& batch) {
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "t";
  topic.partition_data.emplace_back().records = protocol::Records::view(batch.bytes());
  return request;
}

protocol::FetchRequest fetch_request() {
  protocol::FetchRequest request;
  request.min_bytes = 1;
  auto& topic = request.topics.emplace_back();
  topic.topic = "t";
  topic.partitions.emplace_back().partition_max_bytes = kFetchBytes;
  return request;
}

class World {
 public:
  explicit World(std::size_t shards) : node_(shards, {{"log.flush.interval.messages", "9223372036854775807"}}) {
    node_.start();
    if (node_.create_topic("t", 1) != protocol::ErrorCode::kNone) std::exit(1);
    connection_ = node_.raw_connection();
  }
  ~World() {
    {
      const auto scope = node_.shards.enter(0);
      connection_.reset();
    }
    node_.stop();
  }
  template <typename Request>
  void send(const Request& request, int times) {
    const auto scope = node_.shards.enter(0);
    const auto frame = broker::frame_of(request, kVersion);
    for (int i = 0; i < times; ++i) node_.exchange(*connection_, frame);
  }
  void produce(int records, int times) {
    const auto scope = node_.shards.enter(0);
    const auto batch = batch_of(records);
    send(produce_request(batch), times);
  }

 private:
  broker::NodeWorld node_;
  std::unique_ptr<runtime::Connection> connection_;
};

void node_produce(int records, int times, std::size_t shards) {
  World world(shards);
  world.produce(records, times);
}

void node_fetch(int times, std::size_t shards) {
  World world(shards);
  world.produce(kLarge, 4);
  world.send(fetch_request(), times);
}

void decode_produce(int times) {
  const auto batch = batch_of(kLarge);
  protocol::Writer writer;
  produce_request(batch).encode(writer, kVersion);
  for (int i = 0; i < times; ++i) {
    Reader reader(writer.bytes());
    if (!protocol::ProduceRequest::decode(reader, kVersion)) std::exit(1);
  }
}

void validate(int records, int times) {
  const auto batch = batch_of(records);
  records::ValidationConfig config;
  config.now_ms = kTimestampMs;
  for (int i = 0; i < times; ++i) {
    records::set_base_offset(batch.mutable_bytes(), Offset(0));
    if (!records::validate_and_assign(batch, config)) std::exit(1);
  }
}

void encode_fetch(int times) {
  const auto batch = batch_of(kLarge);
  protocol::FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "t";
  topic.partitions.emplace_back().records = protocol::Records(runtime::Fragments{batch});
  for (int i = 0; i < times; ++i) {
    protocol::Writer writer;
    response.encode(writer, kVersion);
    static_cast<void>(writer.finish_frame());
  }
}

using Path = void (*)(int times, std::size_t shards);
const std::map<std::string, Path> kNodePaths = {
    {"node_fetch", node_fetch},
    {"node_produce_1", [](int times, std::size_t shards) { node_produce(kSmall, times, shards); }},
    {"node_produce_145", [](int times, std::size_t shards) { node_produce(kLarge, times, shards); }},
};
const std::map<std::string, void (*)(int times)> kPaths = {
    {"decode_produce", decode_produce},
    {"encode_fetch", encode_fetch},
    {"validate_1", [](int times) { validate(kSmall, times); }},
    {"validate_145", [](int times) { validate(kLarge, times); }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    // What there is, for who runs them all.
    for (const auto& [name, run] : kPaths) std::printf("%s\n", name.c_str());
    for (const auto& [name, run] : kNodePaths) std::printf("%s\n", name.c_str());
    return 0;
  }
  const int times = std::atoi(argv[2]);
  const auto shards = static_cast<std::size_t>(std::atoi(argv[3]));
  if (const auto path = kNodePaths.find(argv[1]); path != kNodePaths.end()) {
    path->second(times, shards);
    return 0;
  }
  const auto path = kPaths.find(argv[1]);
  if (path == kPaths.end()) return 2;
  runtime::MemoryShards world(1);
  const auto scope = world.enter(0);
  path->second(times);
  return 0;
}

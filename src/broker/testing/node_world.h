// NodeWorld: a whole node in memory, with clients on its first shard. Requests travel over the network in memory; time
// passes only while nothing else can happen.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <broker/config/server_config.h>
#include <broker/node.h>
#include <protocol/error_code.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/produce_request.h>
#include <runtime/memory/memory_shards.h>
#include <transport/client_connection.h>

namespace dohle::broker {

struct BatchSpec {
  int records = 1;
  std::size_t value_bytes = 10;
  std::int64_t timestamp_ms = runtime::ManualClock::kStartWallMs;
  std::int64_t producer_id = -1;
  std::int32_t base_sequence = -1;
};

// How one partition's part of a Produce ended.
struct Produced {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int64_t base_offset = -1;
  runtime::MonotonicTime at;  // when the answer came
};

struct Fetched {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int64_t high_watermark = -1;
  std::size_t bytes = 0;
  std::vector<std::int64_t> base_offsets;  // of the batches
};

class NodeWorld {
 public:
  // `overrides` go over a single node's settings with log.dirs=/data.
  explicit NodeWorld(std::size_t shards, config::TextMap overrides = {}, std::uint64_t seed = 1);
  ~NodeWorld();
  NodeWorld(const NodeWorld&) = delete;
  NodeWorld& operator=(const NodeWorld&) = delete;

  // Formats the directories when they are new.
  [[nodiscard]] Result<> try_start();
  void start();
  void stop();

  [[nodiscard]] protocol::ErrorCode create_topic(const std::string& name, int partitions,
                                                 const std::map<std::string, std::string>& configs = {});
  [[nodiscard]] protocol::ErrorCode delete_topic(const std::string& name);
  // A partition of `topic` whose log lies in `directory`.
  [[nodiscard]] std::int32_t partition_in(const std::string& topic, const std::string& directory);

  // A request on connection `number` (made when it is first used), and its answer.
  template <typename M>
  typename M::Response call(const M& request, std::int16_t version, std::size_t number = 0) {
    std::optional<typename M::Response> out;
    start_call(request, version, number, [&out](typename M::Response answer) { out = std::move(answer); });
    shards.run_until([&out] { return out.has_value(); });
    return std::move(*out);
  }
  // The same without waiting; requests go out in the order of the calls. `done` runs on shard 0.
  template <typename M>
  void start_call(const M& request, std::int16_t version, std::size_t number,
                  std::function<void(typename M::Response)> done) {
    transport::ClientConnection& over = connection(number);
    const auto scope = shards.enter(0);
    runtime::spawn(finish_call<M>(this, over.call(request, version, kPatience), std::move(done)));
  }

  [[nodiscard]] protocol::ProduceRequest produce_request(const std::string& topic, std::int32_t partition,
                                                         const BatchSpec& spec, std::int16_t acks = -1);
  Produced produce(const std::string& topic, std::int32_t partition, const BatchSpec& spec = {}, std::int16_t acks = -1,
                   std::size_t number = 0);
  // Appears in the result once it is answered.
  std::shared_ptr<std::optional<Produced>> start_produce(const std::string& topic, std::int32_t partition,
                                                         const BatchSpec& spec = {}, std::int16_t acks = -1,
                                                         std::size_t number = 0);
  Fetched fetch(const std::string& topic, std::int32_t partition, std::int64_t offset, std::int32_t max_wait_ms = 0,
                std::int32_t max_bytes = 1 << 20, std::size_t number = 0);

  [[nodiscard]] transport::ClientConnection& connection(std::size_t number);
  // A connection with nothing of Kafka in it.
  [[nodiscard]] std::unique_ptr<runtime::Connection> raw_connection();
  // Sends a frame over it; the size of the answer.
  std::size_t exchange(runtime::Connection& connection, const Slice& frame);
  // What the node with a metrics.listener answers to GET /metrics, by sample.
  [[nodiscard]] std::map<std::string, double> scrape();
  // Bytes copied on all shards so far (BufferHome::copied_bytes).
  [[nodiscard]] std::uint64_t copied_bytes();
  [[nodiscard]] runtime::MonotonicTime now() const { return shards.clock().now(); }
  [[nodiscard]] runtime::MemoryFileSystem& files() { return shards.files(); }

  static constexpr std::int16_t kProduceVersion = 12;
  static constexpr std::int16_t kFetchVersion = 12;

  mutable runtime::MemoryShards shards;

 private:
  static constexpr std::chrono::minutes kPatience{30};

  template <typename M>
  static runtime::Task<void> finish_call(NodeWorld* self, runtime::Task<Result<transport::Reply<M>>> answer,
                                         std::function<void(typename M::Response)> done) {
    auto reply = co_await std::move(answer);
    if (!reply) co_return;  // the node has stopped, or the test fails for want of an answer
    self->kept_.push_back(std::move(reply->bytes));
    done(std::move(reply->message));
  }
  void close_connections();

  config::TextMap properties_;
  bool formatted_ = false;
  std::unique_ptr<Node> node_;
  std::vector<std::unique_ptr<transport::ClientConnection>> connections_;
  std::deque<Slice> kept_;  // what answers view
  std::deque<Slice> sent_;  // what requests view
};

}  // namespace dohle::broker

// For tests of the transport: a sink whose requests say what is to be done with them, and a client that speaks bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <runtime/memory/memory_shards.h>
#include <transport/request.h>

namespace dohle::transport::testing_echo {

// A Metadata v0 request whose body is `body`, as a frame.
[[nodiscard]] std::string frame_of(std::int32_t correlation_id, std::string_view body);

// Answers with correlation id and body. Bodies that begin with a command do more:
//   "park N"           answers after N ms, or when the connection is closed
//   "enqueue after N"  is enqueued and answered after N ms
//   "throttle N"       answers with N ms of throttling
//   "answer N"         answers with N bytes
//   "authenticate"     makes the connection an authenticated one
//   "silent"           has no answer;  "close" closes;  "drop" is given up
class EchoSink final : public RequestSink {
 public:
  explicit EchoSink(runtime::Shard& shard) : shard_(&shard) {}
  [[nodiscard]] runtime::Task<void> handle(std::unique_ptr<Request> request) override;

  std::vector<std::string> handled;       // bodies, in the order they came
  std::vector<std::size_t> pinned_bytes;  // of their frames

 private:
  runtime::Shard* shard_;
};

// A client over the memory network.
class RawClient {
 public:
  RawClient(runtime::MemoryShards& shards, std::size_t shard) : shards_(&shards), shard_(shard) {}
  ~RawClient();
  [[nodiscard]] bool connect(std::uint16_t port);
  void send(std::string bytes);
  // The next `count` answers as "correlation:body"; fewer when the connection ends.
  [[nodiscard]] std::vector<std::string> answers(std::size_t count);
  // Bytes that have come and were not asked for yet.
  [[nodiscard]] std::size_t received();
  // Waits for the end of the stream; false when bytes come first.
  [[nodiscard]] bool ended();
  // Whether the end has come already.
  [[nodiscard]] bool is_at_end();
  void close();

 private:
  void take();
  runtime::MemoryShards* shards_;
  std::size_t shard_;
  std::unique_ptr<runtime::Connection> connection_;
  runtime::Gate sending_;
  std::string input_;
  bool at_end_ = false;
};

}  // namespace dohle::transport::testing_echo

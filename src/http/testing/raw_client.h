// For tests: a client that speaks bytes over the memory network.
#pragma once

#include <memory>
#include <string>

#include <runtime/memory/memory_shards.h>
#include <runtime/sync.h>

namespace dohle::http {

class RawClient {
 public:
  // On shard 0 of `shards`.
  explicit RawClient(runtime::MemoryShards& shards) : shards_(&shards) {}
  ~RawClient();
  [[nodiscard]] bool connect(std::uint16_t port);
  void send(std::string bytes);
  // The next response, head and body; what came when the connection ends before.
  [[nodiscard]] std::string response();
  // Sends and waits.
  [[nodiscard]] std::string ask(std::string bytes) {
    send(std::move(bytes));
    return response();
  }
  // Whether the connection has ended.
  [[nodiscard]] bool is_at_end();
  void close();

 private:
  void take();
  runtime::MemoryShards* shards_;
  std::unique_ptr<runtime::Connection> connection_;
  runtime::Gate sending_;
  std::string input_;
  bool at_end_ = false;
};

}  // namespace dohle::http

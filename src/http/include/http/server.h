// Server: HTTP/1.1 on one shard. Requests of a connection are answered one after the other, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <base/result.h>
#include <http/message.h>
#include <http/request_parser.h>
#include <runtime/network.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::http {

// The request lives until the task ends.
using Handler = std::function<runtime::Task<Response>(const Request&)>;

// Which handler answers which path. HEAD is answered by the handler of GET.
class Routes {
 public:
  void add(const std::string& method, const std::string& path, Handler handler);
  // 404 for a path that is not there, 405 for a method that the path does not have.
  [[nodiscard]] runtime::Task<Response> answer(const Request& request) const;

 private:
  std::map<std::string, std::map<std::string, Handler>> handlers_;  // by path, by method
};

struct ServerOptions {
  RequestLimits limits;
  // One more is closed as soon as it has come.
  std::size_t max_connections = 64;
  runtime::Duration request_timeout = std::chrono::seconds(10);  // from a request's first byte to its last
  runtime::Duration idle_timeout = std::chrono::minutes(2);      // between two requests
  runtime::Duration answer_timeout = std::chrono::minutes(1);    // for a peer to take an answer
};

class Server {
 public:
  // On `shard`, which runs everything.
  Server(runtime::Shard& shard, Routes routes, ServerOptions options = {});
  ~Server();  // after stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Returns the port. Once.
  [[nodiscard]] Result<std::uint16_t> listen(const runtime::Endpoint& endpoint);
  // Closes everything, and waits until handlers have ended.
  [[nodiscard]] runtime::Task<void> stop();
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  class Peer;
  [[nodiscard]] runtime::Task<void> accept(runtime::Gate::Pass pass);
  [[nodiscard]] runtime::Task<void> serve(std::unique_ptr<runtime::Connection> connection, runtime::Gate::Pass pass);
  [[nodiscard]] runtime::Task<bool> answer_one(Peer& peer);

  runtime::Shard& shard_;
  Routes routes_;
  ServerOptions options_;
  std::vector<std::uint8_t> scratch_;  // what was read; taken before anyone else reads
  std::unique_ptr<runtime::Listener> listener_;
  std::vector<Peer*> connections_;
  bool stopping_ = false;
  runtime::Gate gate_;
};

}  // namespace dohle::http

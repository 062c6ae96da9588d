// The transport over real sockets: server and clients in one process, over loopback.
#include <gtest/gtest.h>

#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <runtime/live/live_shards.h>
#include <transport/client_connection.h>
#include <transport/server.h>

namespace dohle::transport {
namespace {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using runtime::LiveShards;
using runtime::Task;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int16_t kVersion = 4;

// Answers with the generation id; waits first when that is odd.
class Heartbeats final : public RequestSink {
 public:
  Task<void> handle(std::unique_ptr<Request> request) override {
    Reader reader(request->body());
    const auto heartbeat = HeartbeatRequest::decode(reader, kVersion).value();
    request->enqueued();
    if (heartbeat.generation_id % 2 == 1) {
      co_await runtime::sleep_for(milliseconds(1), &request->connection().closed());
    }
    protocol::Writer writer;
    protocol::ResponseHeader header;
    header.correlation_id = request->header().correlation_id;
    header.encode(writer, HeartbeatResponse::kApiKey, kVersion);
    HeartbeatResponse response;
    response.throttle_time_ms = heartbeat.generation_id;
    response.encode(writer, kVersion);
    request->respond(writer.finish_frame());
  }
};

struct Counts {
  int right = 0;
  int wrong = 0;
};

Task<void> ask(ClientConnection* connection, int number, std::string padding, Counts* counts,
               runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  HeartbeatRequest request;
  request.generation_id = number;
  request.member_id = std::move(padding);
  const auto reply = co_await connection->call(request, kVersion, seconds(20));
  ++(reply && reply->message.throttle_time_ms == number ? counts->right : counts->wrong);
}

// Many requests, small and large, many under way on each of several connections.
Task<bool> session(runtime::Shard* shard, std::uint16_t port, Counts* counts) {
  auto connection = co_await ClientConnection::connect(*shard, {"127.0.0.1", port}, {.client_id = "live"});
  if (!connection) co_return false;
  runtime::Gate gate;
  for (int i = 0; i < 100; ++i) {
    spawn(ask(connection->get(), i, std::string(i % 10 == 0 ? 30'000 : 10, 'm'), counts, gate.enter()));
  }
  co_await gate.wait_empty();
  co_await (*connection)->close();
  co_return true;
}

Task<void> session_on(runtime::Shard* shard, std::uint16_t port, Counts* total, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  const auto run = [shard, port]() -> Task<Counts> {
    runtime::Shard* const here = shard;
    const std::uint16_t to = port;
    Counts counts;
    if (!co_await session(here, to, &counts)) ++counts.wrong;
    co_return counts;
  };
  const Counts counts = co_await submit_to(*shard, run);
  total->right += counts.right;
  total->wrong += counts.wrong;
}

Task<int> serve_sessions(LiveShards* shards, std::vector<std::unique_ptr<Heartbeats>>* sinks, Counts* counts) {
  Server server(*shards, [sinks](std::size_t id) -> RequestSink& { return *(*sinks)[id]; }, {});
  const std::uint16_t port = server.listen({.name = "PLAINTEXT"}).value();
  runtime::Gate gate;
  for (std::size_t i = 0; i < 8; ++i) {
    spawn(session_on(&shards->at(i % shards->size()), port, counts, gate.enter()));
  }
  co_await gate.wait_empty();
  // One connection stays: stop() closes it.
  auto left = co_await ClientConnection::connect(shards->at(0), {"127.0.0.1", port}, {});
  co_await server.stop();
  EXPECT_EQ(server.connections(), 0);
  co_await (*left)->close();
  co_return 0;
}

class LiveTransport : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, LiveTransport, testing::Values(1, 4));

TEST_P(LiveTransport, ManyConnectionsManyRequests) {
  LiveShards shards({.shards = GetParam()});
  std::vector<std::unique_ptr<Heartbeats>> sinks;
  for (std::size_t id = 0; id < shards.size(); ++id) sinks.push_back(std::make_unique<Heartbeats>());
  Counts counts;
  shards.run([&] { return serve_sessions(&shards, &sinks, &counts); });
  EXPECT_EQ(counts.right, 800);
  EXPECT_EQ(counts.wrong, 0);
}

}  // namespace
}  // namespace dohle::transport

#include <transport/client_connection.h>

#include <gtest/gtest.h>

#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>
#include <protocol/messages/heartbeat_request.h>
#include <protocol/messages/heartbeat_response.h>
#include <runtime/memory/memory_shards.h>
#include <transport/api_versions.h>
#include <transport/server.h>

namespace dohle::transport {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using runtime::MemoryShards;
using runtime::Task;
using std::chrono::seconds;

// Serves Heartbeat and ApiVersions, the latter up to a version of choice.
class Heartbeats final : public RequestSink {
 public:
  Task<void> handle(std::unique_ptr<Request> request) override {
    const auto& header = request->header();
    last_client_id = header.client_id->str();
    if (header.api_key == ApiVersionsRequest::kApiKey) co_return answer_versions(*request);
    Reader reader(request->body());
    const auto heartbeat = HeartbeatRequest::decode(reader, header.api_version).value();
    request->enqueued();
    if (heartbeat.generation_id < 0) co_return request->close_connection("as asked");
    co_await runtime::sleep_for(std::chrono::milliseconds(heartbeat.generation_id), &request->connection().closed());
    HeartbeatResponse response;
    response.throttle_time_ms = heartbeat.generation_id;
    answer(*request, response, header.api_version);
  }

  std::int16_t newest_api_versions = ApiVersionsRequest::kMaxVersion;
  std::string last_client_id;

 private:
  template <typename M>
  static void answer(Request& request, const M& message, std::int16_t version) {
    protocol::Writer writer;
    protocol::ResponseHeader header;
    header.correlation_id = request.header().correlation_id;
    header.encode(writer, M::kApiKey, version);
    message.encode(writer, version);
    request.respond(writer.finish_frame());
  }
  void answer_versions(Request& request) const {
    const bool refused = request.header().api_version > newest_api_versions;
    ApiVersionsResponse response;
    response.error_code = refused ? 35 : 0;
    response.api_keys.push_back({.api_key = 18, .min_version = 0, .max_version = newest_api_versions});
    if (!refused) response.api_keys.push_back({.api_key = 12, .min_version = 1, .max_version = 2});
    answer(request, response, refused ? std::int16_t{0} : request.header().api_version);
  }
};

class ClientTest : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    const auto scope = shards.enter(0);
    server = std::make_unique<Server>(shards, [this](std::size_t) -> RequestSink& { return sink; }, ServerOptions{});
    port = server->listen({.name = "PLAINTEXT"}).value();
  }
  void TearDown() override {
    shards.run(0, [this] { return server->stop(); });
    const auto scope = shards.enter(0);
    server.reset();
  }
  runtime::Shard& home() { return shards.at(shards.size() - 1); }
  template <typename F>
  auto run(F work) {
    return shards.run(shards.size() - 1, std::move(work));
  }
  MemoryShards shards{GetParam(), 5};
  Heartbeats sink;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};
INSTANTIATE_TEST_SUITE_P(Shards, ClientTest, testing::Values(1, 4));

Task<std::unique_ptr<ClientConnection>> connect(runtime::Shard* shard, std::uint16_t port) {
  auto connection = co_await ClientConnection::connect(*shard, {"localhost", port}, {.client_id = "me"});
  co_return std::move(*connection);
}

HeartbeatRequest heartbeat(std::int32_t delay_ms) {
  HeartbeatRequest request;
  request.group_id = "g";
  request.generation_id = delay_ms;
  return request;
}

Task<void> call_into(ClientConnection* connection, int delay_ms, runtime::Duration timeout,
                     std::vector<std::string>* answers, runtime::Gate::Pass pass) {
  const auto inside = std::move(pass);
  auto reply = co_await connection->call(heartbeat(delay_ms), 4, timeout);
  answers->push_back(reply ? std::to_string(reply->message.throttle_time_ms)
                           : std::string(to_string(reply.error().code)));
}

Task<std::vector<std::string>> call_all(runtime::Shard* shard, std::uint16_t port, std::vector<int> delays) {
  auto connection = co_await connect(shard, port);
  std::vector<std::string> answers;
  runtime::Gate gate;
  for (const int delay : delays) {
    spawn(call_into(connection.get(), delay, seconds(5), &answers, gate.enter()));
  }
  co_await gate.wait_empty();
  if (connection->is_closed()) answers.emplace_back("closed");
  co_await connection->close();
  co_return answers;
}

using Answers = std::vector<std::string>;

TEST_P(ClientTest, PipelinesAndMatchesAnswers) {
  EXPECT_EQ(run([&] { return call_all(&home(), port, {30, 0, 10, 0}); }), (Answers{"30", "0", "10", "0"}));
  EXPECT_EQ(sink.last_client_id, "me");
}

TEST_P(ClientTest, ATimeoutClosesTheConnection) {
  const auto answers = run([&] { return call_all(&home(), port, {1, 60'000, 2}); });
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0], "1");
  EXPECT_EQ(answers[1], to_string(Errc::kTimedOut));
  EXPECT_EQ(answers[2], to_string(Errc::kClosed));
  EXPECT_EQ(answers[3], "closed");
}

TEST_P(ClientTest, FailsWhatIsUnderWayWhenThePeerCloses) {
  const std::string closed(to_string(Errc::kClosed));
  EXPECT_EQ(run([&] { return call_all(&home(), port, {50, -1}); }), (Answers{closed, closed, "closed"}));
}

TEST_P(ClientTest, RefusesWhatAVersionCannotCarry) {
  const auto attempt = [](runtime::Shard* shard, std::uint16_t to) -> Task<Errc> {
    auto connection = co_await connect(shard, to);
    auto request = heartbeat(0);
    request.group_instance_id = Text("static");
    const auto reply = co_await connection->call(request, 1, seconds(1));
    co_await connection->close();
    co_return reply.error().code;
  };
  EXPECT_EQ(run([&] { return attempt(&home(), port); }), Errc::kUnsupported);
}

Task<Result<ApiVersions>> negotiate(runtime::Shard* shard, std::uint16_t port) {
  auto connection = co_await connect(shard, port);
  auto versions = co_await ask_api_versions(*connection, {}, seconds(1));
  co_await connection->close();
  co_return versions;
}

TEST_P(ClientTest, AsksForVersionsDownToWhatThePeerSpeaks) {
  for (const std::int16_t newest : {ApiVersionsRequest::kMaxVersion, std::int16_t{3}, std::int16_t{0}}) {
    sink.newest_api_versions = newest;
    const auto versions = run([&] { return negotiate(&home(), port); });
    ASSERT_TRUE(versions);
    EXPECT_EQ(versions->usable<HeartbeatRequest>().value(), 2);
    EXPECT_EQ(versions->usable(12, 3, 4).error().code, Errc::kUnsupported);
    EXPECT_EQ(versions->usable(1, 0, 99).error().code, Errc::kUnsupported);
  }
}

TEST_P(ClientTest, NoConnectionToBeHad) {
  const auto attempt = [&](runtime::Endpoint to) {
    return run([&] { return ClientConnection::connect(home(), to, {}); }).error().code;
  };
  EXPECT_EQ(attempt({"localhost", 1}), Errc::kClosed);
  shards.fabric().set_silent(2, true);
  EXPECT_EQ(attempt({"localhost", 2}), Errc::kTimedOut);
}

}  // namespace
}  // namespace dohle::transport

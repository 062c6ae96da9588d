#include <http/server.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <runtime/memory/memory_shards.h>

#include "raw_client.h"
#include "response_head.h"

namespace dohle::http {
namespace {

using runtime::Task;
using std::chrono::seconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Task<Response> hello(const Request& request) {
  Response out;
  out.body.push_back(Slice::copy_of(as_bytes("hello ")));
  out.body.push_back(Slice::copy_of(as_bytes(request.query)));
  co_return out;
}

Task<Response> echo(const Request& request) { co_return Response::text(201, request.body); }

Task<Response> large(const Request& /*request*/) {
  Response out;
  out.body.push_back(Slice::copy_of(as_bytes(std::string(1U << 20U, 'x'))));
  co_return out;
}

Task<Response> after_a_second(const Request& /*request*/) {
  co_await runtime::sleep_for(seconds(1));
  co_return Response::text(200, "done");
}

constexpr const char* kGet = "GET /hello?you HTTP/1.1\r\nHost: h\r\n\r\n";

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto scope = shards.enter(0);
    Routes routes;
    routes.add("GET", "/hello", hello);
    routes.add("GET", "/large", large);
    routes.add("GET", "/slow", after_a_second);
    routes.add("POST", "/echo", echo);
    routes.add("PUT", "/echo", echo);
    server.emplace(shards.at(0), std::move(routes),
                   ServerOptions{.limits = {.head_bytes = 1000, .body_bytes = 100'000}, .max_connections = 3});
    port = server->listen({"", 0}).value();
  }
  void TearDown() override {
    shards.run(0, [this] { return server->stop(); });
    EXPECT_EQ(server->connections(), 0U);
    const auto scope = shards.enter(0);
    server.reset();
  }
  std::unique_ptr<RawClient> connect() {
    auto client = std::make_unique<RawClient>(shards);
    EXPECT_TRUE(client->connect(port));
    return client;
  }

  runtime::MemoryShards shards{1, 42};
  std::optional<Server> server;
  std::uint16_t port = 0;
};

TEST_F(HttpServerTest, AnswersOneAfterTheOther) {
  auto client = connect();
  client->send(std::string(kGet) + "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n" + kGet);
  const auto first = client->response();
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(first, HasSubstr("\r\nContent-Length: 9\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(first, EndsWith("\r\n\r\nhello you"));
  EXPECT_THAT(client->response(), EndsWith("\r\n\r\ndone\n"));
  EXPECT_THAT(client->response(), EndsWith("\r\n\r\nhello you"));
  EXPECT_FALSE(client->is_at_end());
}

TEST_F(HttpServerTest, TakesBodies) {
  auto client = connect();
  EXPECT_THAT(client->ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
              AllOf(StartsWith("HTTP/1.1 201 Created\r\n"), EndsWith("\r\n\r\nabc\n")));
  EXPECT_THAT(client->ask("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
              testing::StrEq("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_THAT(client->ask("abc"), EndsWith("\r\n\r\nabc\n"));
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  auto client = connect();
  client->send("HEAD /hello?you HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client->response(), AllOf(HasSubstr("Content-Length: 9\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_TRUE(client->is_at_end());
}

TEST_F(HttpServerTest, EndsTheConnectionWhenAskedTo) {
  auto client = connect();
  EXPECT_THAT(client->ask("GET /hello HTTP/1.0\r\n\r\n"), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client->is_at_end());
}

TEST_F(HttpServerTest, SaysWhatIsNotThere) {
  auto client = connect();
  EXPECT_THAT(client->ask("GET /other HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(client->ask("DELETE /echo HTTP/1.1\r\nHost: h\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"), HasSubstr("\r\nAllow: POST, PUT\r\n")));
  EXPECT_THAT(client->ask("BREW /hello HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST_F(HttpServerTest, ExplainsARefusalAndCloses) {
  const std::pair<const char*, std::string> cases[] = {
      {"400 Bad Request", "hello\r\n\r\n"},
      {"413 Content Too Large", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n"},
      {"431 Request Header Fields Too Large", "GET /" + std::string(200'000, 'a')},
      {"505 HTTP Version Not Supported", "GET / HTTP/3.0\r\n\r\n"},
  };
  for (const auto& [status, request] : cases) {
    auto client = connect();
    client->send(request);
    EXPECT_THAT(client->response(), AllOf(StartsWith(std::string("HTTP/1.1 ") + status), HasSubstr("close\r\n")));
    shards.advance(seconds(3));
    EXPECT_TRUE(client->is_at_end()) << status;
  }
}

// Byte after byte, never silent for long.
TEST_F(HttpServerTest, ClosesARequestThatTakesTooLong) {
  auto client = connect();
  const std::string request = kGet;
  for (int i = 0; i < 9; ++i) {
    client->send(request.substr(static_cast<std::size_t>(i), 1));
    shards.advance(seconds(1));
    EXPECT_FALSE(client->is_at_end());
  }
  shards.advance(seconds(2));
  EXPECT_TRUE(client->is_at_end());
}

TEST_F(HttpServerTest, ClosesAnIdleConnection) {
  auto client = connect();
  static_cast<void>(client->ask(kGet));
  shards.advance(seconds(119));
  EXPECT_FALSE(client->is_at_end());
  shards.advance(seconds(2));
  EXPECT_TRUE(client->is_at_end());
}

TEST_F(HttpServerTest, ClosesAPeerThatTakesNoAnswer) {
  auto client = connect();
  client->send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  shards.advance(seconds(59));
  EXPECT_EQ(server->connections(), 1U);
  shards.advance(seconds(2));
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(HttpServerTest, HasRoomForSoManyConnections) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect());
  auto one_more = connect();
  EXPECT_TRUE(one_more->is_at_end());
  EXPECT_FALSE(clients.front()->is_at_end());
  clients.pop_back();
  shards.run_until_idle();
  EXPECT_THAT(connect()->ask(kGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, AStopWaitsForWhatIsBeingAnswered) {
  auto client = connect();
  client->send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  shards.run_until_idle();
}

TEST(ResponseHead, TellsTheTime) {
  EXPECT_THAT(response_head({}, true, 784'111'777'123), HasSubstr("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}

}  // namespace
}  // namespace dohle::http

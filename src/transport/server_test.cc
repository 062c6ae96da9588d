#include <transport/server.h>

#include <gtest/gtest.h>

#include <runtime/memory/memory_shards.h>

#include "testing/echo.h"

namespace dohle::transport {
namespace {

using runtime::Duration;
using runtime::MemoryShards;
using runtime::Task;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing_echo::EchoSink;
using testing_echo::frame_of;
using testing_echo::RawClient;

// A server on n shards whose handlers obey commands in the request's body.
class ServerTest : public testing::TestWithParam<std::size_t> {
 protected:
  void start(ServerOptions options, ListenerOptions listener = {.name = "PLAINTEXT"}) {
    for (std::size_t id = 0; id < shards.size(); ++id) sinks.push_back(std::make_unique<EchoSink>(shards.at(id)));
    const auto scope = shards.enter(0);
    server = std::make_unique<Server>(shards, [this](std::size_t id) -> RequestSink& { return *sinks[id]; }, options);
    port = server->listen(listener).value();
  }
  void TearDown() override {
    shards.run(0, [this] { return server->stop(); });
    const auto scope = shards.enter(0);
    server.reset();
  }
  std::unique_ptr<RawClient> connect() {
    auto client = std::make_unique<RawClient>(shards, 0);
    EXPECT_TRUE(client->connect(port));
    return client;
  }
  EchoSink& sink() { return *sinks[0]; }
  // All that any shard was asked, in the order it began.
  std::vector<std::string> handled() {
    std::vector<std::string> all;
    for (const auto& one : sinks) all.insert(all.end(), one->handled.begin(), one->handled.end());
    return all;
  }

  MemoryShards shards{GetParam(), 42};
  std::vector<std::unique_ptr<EchoSink>> sinks;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};
INSTANTIATE_TEST_SUITE_P(Shards, ServerTest, testing::Values(1, 4));

TEST_P(ServerTest, AnswersRequests) {
  start({});
  auto client = connect();
  client->send(frame_of(1, "hello") + frame_of(2, "world"));
  EXPECT_EQ(client->answers(2), (std::vector<std::string>{"1:hello", "2:world"}));
  client->send(frame_of(3, ""));
  EXPECT_EQ(client->answers(1), (std::vector<std::string>{"3:"}));
}

TEST_P(ServerTest, SpreadsConnectionsOverTheShards) {
  start({});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < 8; ++i) {
    clients.push_back(connect());
    clients.back()->send(frame_of(1, "x"));
    EXPECT_EQ(clients.back()->answers(1).size(), 1U);
  }
  for (const auto& one : sinks) EXPECT_EQ(one->handled.size(), 8 / GetParam());
  EXPECT_EQ(server->connections(), 8);
  clients.clear();
  shards.run_until_idle();
  EXPECT_EQ(server->connections(), 0);
}

TEST_P(ServerTest, CarriesLargeFramesInOneBufferEach) {
  start({});
  auto client = connect();
  const std::string big(1'000'000, 'b');
  client->send(frame_of(1, big) + frame_of(2, "small") + frame_of(3, big));
  const auto answers = client->answers(3);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0], "1:" + big);
  EXPECT_EQ(answers[1], "2:small");
  EXPECT_EQ(answers[2], "3:" + big);
  const auto& seen = sink();
  EXPECT_EQ(seen.pinned_bytes, (std::vector<std::size_t>{1'000'010, 15, 1'000'010}));
}

TEST_P(ServerTest, AnswersLeaveInTheOrderOfRequests) {
  start({});
  auto client = connect();
  client->send(frame_of(1, "park 500") + frame_of(2, "fast") + frame_of(3, "fast"));
  shards.advance(milliseconds(100));
  // The parked one holds back the answers, not the work.
  EXPECT_EQ(handled(), (std::vector<std::string>{"park 500", "fast", "fast"}));
  EXPECT_EQ(client->received(), 0U);
  EXPECT_EQ(client->answers(3), (std::vector<std::string>{"1:park 500", "2:fast", "3:fast"}));
}

TEST_P(ServerTest, ARequestStartsWhenTheOneBeforeIsEnqueued) {
  start({});
  auto client = connect();
  client->send(frame_of(1, "enqueue after 200") + frame_of(2, "second"));
  shards.advance(milliseconds(150));
  EXPECT_EQ(handled(), (std::vector<std::string>{"enqueue after 200"}));
  shards.advance(milliseconds(100));
  EXPECT_EQ(handled(), (std::vector<std::string>{"enqueue after 200", "second"}));
}

TEST_P(ServerTest, ReadsOnlySoFarAhead) {
  start({.max_in_flight = 3});
  auto client = connect();
  std::string all;
  for (int i = 1; i <= 8; ++i) all += frame_of(i, "park 100");
  client->send(all);
  shards.run_until_idle();
  EXPECT_EQ(handled().size(), 3U);
  EXPECT_EQ(client->answers(8).size(), 8U);
}

TEST_P(ServerTest, NoAnswerForAcksZero) {
  start({});
  auto client = connect();
  client->send(frame_of(1, "silent") + frame_of(2, "hello"));
  EXPECT_EQ(client->answers(1), (std::vector<std::string>{"2:hello"}));
}

TEST_P(ServerTest, ThrottlingMutesAfterTheAnswer) {
  start({});
  auto client = connect();
  client->send(frame_of(1, "throttle 1000") + frame_of(2, "later"));
  shards.advance(milliseconds(1));
  EXPECT_EQ(client->answers(1), (std::vector<std::string>{"1:throttle 1000"}));
  shards.advance(milliseconds(900));
  EXPECT_EQ(handled().size(), 1U);
  shards.advance(milliseconds(200));
  EXPECT_EQ(client->answers(1), (std::vector<std::string>{"2:later"}));
}

TEST_P(ServerTest, ClosesOnBadFrames) {
  start({.max_frame_bytes = 1000});
  const std::vector<std::string> bad{
      std::string("\xff\xff\xff\xff", 4),                                            // negative length
      std::string("\x00\x00\x03\xe9", 4),                                            // one more than allowed
      std::string("\x00\x00\x00\x03\x00\x03\x00", 7),                                // too short for a header
      std::string("\x00\x00\x00\x0a\x7f\xff\x00\x00\x00\x00\x00\x01\xff\xff", 14),   // unknown API key
      std::string("\x00\x00\x00\x0a\x00\x03\x7f\xff\x00\x00\x00\x01\xff\xff", 14),   // unknown version
      std::string("\x00\x00\x00\x0b\x00\x03\x00\x00\x00\x00\x00\x01\x00\x10x", 15),  // client id longer than the frame
  };
  for (const auto& bytes : bad) {
    auto client = connect();
    client->send(bytes);
    EXPECT_TRUE(client->ended());
  }
  auto cut = connect();
  cut->send(frame_of(1, "hello").substr(0, 9));
  cut->close();
  shards.run_until_idle();
  EXPECT_EQ(handled().size(), 0U);
  EXPECT_EQ(server->connections(), 0);
}

TEST_P(ServerTest, HandlersMayCloseOrGiveUp) {
  start({});
  for (const char* command : {"close", "drop"}) {
    auto client = connect();
    client->send(frame_of(1, command));
    EXPECT_TRUE(client->ended());
  }
}

TEST_P(ServerTest, ClosesTheIdleButNotTheParked) {
  start({.max_idle = seconds(10)});
  auto idle = connect();
  auto parked = connect();
  idle->send(frame_of(1, "hello"));
  EXPECT_EQ(idle->answers(1).size(), 1U);
  parked->send(frame_of(1, "park 60000"));
  shards.advance(seconds(9));
  EXPECT_FALSE(idle->is_at_end());
  shards.advance(seconds(5));
  EXPECT_TRUE(idle->ended());
  shards.advance(seconds(50));
  EXPECT_EQ(parked->answers(1), (std::vector<std::string>{"1:park 60000"}));
}

TEST_P(ServerTest, ClosesTheSilentInsideAFrame) {
  start({.body_timeout = seconds(5)});
  auto client = connect();
  client->send(frame_of(1, "hello").substr(0, 8));
  shards.advance(seconds(4));
  EXPECT_FALSE(client->is_at_end());
  shards.advance(seconds(4));
  EXPECT_TRUE(client->ended());
}

TEST_P(ServerTest, WhoseFrameWaitsForItsTurnIsNotSilent) {
  start({.body_timeout = seconds(5)});
  auto client = connect();
  client->send(frame_of(1, "park 20000") + frame_of(2, "hello"));
  shards.advance(seconds(15));
  EXPECT_FALSE(client->is_at_end());
  shards.advance(seconds(10));
  EXPECT_EQ(client->answers(2), (std::vector<std::string>{"1:park 20000", "2:hello"}));
}

TEST_P(ServerTest, LimitsConnectionsByAddressAndInAll) {
  start({.limits = {.max_connections = 3, .max_per_address = 2}});
  auto first = connect();
  auto second = connect();
  auto third = connect();
  EXPECT_TRUE(third->ended());
  EXPECT_EQ(server->connections(), 2);
  {
    const auto scope = shards.enter(0);
    server->update_limits({.max_connections = 2, .max_per_address = 100});
  }
  auto waiting = connect();
  waiting->send(frame_of(1, "hello"));
  shards.run_until_idle();
  EXPECT_EQ(waiting->received(), 0U);
  first->close();
  EXPECT_EQ(waiting->answers(1).size(), 1U);
}

TEST_P(ServerTest, HalfReadFramesHoldUpOnlyTheirLike) {
  start({.request_bytes = 10'000});
  // Connections go round the shards: every GetParam()-th is on the same one.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < 3 * GetParam(); ++i) clients.push_back(connect());
  const std::string big = frame_of(1, std::string(9000, 'b'));
  auto& first = *clients[0];
  auto& second = *clients[GetParam()];     // on the same shard
  auto& third = *clients[2 * GetParam()];  // too
  first.send(big.substr(0, 5000));
  shards.run_until_idle();
  second.send(big);
  third.send(frame_of(1, "small"));
  EXPECT_EQ(third.answers(1), (std::vector<std::string>{"1:small"}));
  EXPECT_EQ(second.received(), 0U);
  first.send(big.substr(5000));
  EXPECT_EQ(first.answers(1).size(), 1U);
  EXPECT_EQ(second.answers(1).size(), 1U);
}

// CVE-2022-34917: a length and then nothing. Nobody waits for these, and they are not kept for long.
TEST_P(ServerTest, ASizeWithoutAFrameTakesNoMemory) {
  start({.request_bytes = 10'000, .body_timeout = seconds(5)});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < 10 * GetParam(); ++i) {
    clients.push_back(connect());
    clients.back()->send(frame_of(1, std::string(9000, 'b')).substr(0, 4));
  }
  shards.run_until_idle();
  auto patient = connect();
  patient->send(frame_of(1, std::string(9000, 'b')));
  EXPECT_EQ(patient->answers(1).size(), 1U);
  for (const auto& client : clients) EXPECT_FALSE(client->is_at_end());
  shards.advance(seconds(8));
  for (const auto& client : clients) EXPECT_TRUE(client->ended());
}

TEST_P(ServerTest, WhoIsSlowInsideAFrameMakesWayForOthers) {
  start({.request_bytes = 100'000, .body_timeout = seconds(60), .contended_timeout = seconds(5)});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < 2 * GetParam(); ++i) clients.push_back(connect());
  const std::string big = frame_of(1, std::string(90'000, 'b'));
  auto& slow = *clients[0];
  auto& other = *clients[GetParam()];  // on the same shard
  slow.send(big.substr(0, 1000));
  // Alone it may take its time.
  for (int i = 1; i <= 10; ++i) {
    shards.advance(seconds(2));
    slow.send(big.substr(static_cast<std::size_t>(i) * 1000, 1000));
  }
  shards.run_until_idle();
  EXPECT_FALSE(slow.is_at_end());
  other.send(big);
  shards.advance(seconds(4));
  EXPECT_EQ(other.received(), 0U);
  shards.advance(seconds(4));
  EXPECT_TRUE(slow.ended());
  EXPECT_EQ(other.answers(1).size(), 1U);
}

TEST_P(ServerTest, RefusesAFrameThatMemoryIsNeverThereFor) {
  start({.request_bytes = 10'000});
  auto client = connect();
  client->send(frame_of(1, std::string(11'000, 'b')));
  EXPECT_TRUE(client->ended());
}

// Answers that nobody takes fill the buffers; then nothing new is begun until their owners are closed.
TEST_P(ServerTest, FullBuffersHoldBackNewRequests) {
  shards.fabric().set_pipe_bytes(1000);
  start({.request_bytes = 10'000, .contended_timeout = seconds(5), .buffer_bytes = 100'000 * GetParam()});
  std::vector<std::unique_ptr<RawClient>> takers;
  for (std::size_t i = 0; i < 4 * GetParam(); ++i) {
    takers.push_back(connect());
    takers.back()->send(frame_of(1, "answer 60000"));
  }
  shards.run_until_idle();
  auto other = connect();
  other->send(frame_of(1, "hello"));
  shards.advance(seconds(1));
  EXPECT_EQ(other->received(), 0U);
  shards.advance(seconds(12));
  EXPECT_EQ(other->answers(1), (std::vector<std::string>{"1:hello"}));
}

TEST_P(ServerTest, WhoClosesWhileWaitingForMemoryIsForgotten) {
  start({.request_bytes = 10'000});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < 3 * GetParam(); ++i) clients.push_back(connect());
  const std::string big = frame_of(1, std::string(9000, 'b'));
  auto& parked = *clients[0];
  auto& leaving = *clients[GetParam()];
  auto& patient = *clients[2 * GetParam()];
  parked.send(frame_of(1, "park 5000 " + std::string(9000, 'b')));
  shards.run_until_idle();
  leaving.send(big);
  shards.run_until_idle();
  patient.send(big);
  leaving.close();
  shards.run_until_idle();
  EXPECT_EQ(patient.received(), 0U);
  EXPECT_EQ(patient.answers(1).size(), 1U);
  EXPECT_EQ(parked.answers(1).size(), 1U);
}

TEST_P(ServerTest, BeforeAuthenticationFramesAreSmall) {
  start({.max_unauthenticated_frame_bytes = 100}, {.name = "SASL", .authenticated = false});
  auto client = connect();
  client->send(frame_of(1, std::string(200, 'b')));
  EXPECT_TRUE(client->ended());
  auto other = connect();
  other->send(frame_of(1, "authenticate"));
  EXPECT_EQ(other->answers(1).size(), 1U);
  other->send(frame_of(2, std::string(200, 'b')));
  EXPECT_EQ(other->answers(1).size(), 1U);
}

TEST_P(ServerTest, StopEndsParkedRequests) {
  start({});
  auto client = connect();
  client->send(frame_of(1, "park 600000"));
  shards.run_until_idle();
  const auto before = shards.clock().now();
  shards.run(0, [this] { return server->stop(); });
  EXPECT_LT(shards.clock().now() - before, Duration(seconds(1)));
  EXPECT_TRUE(client->ended());
  EXPECT_EQ(shards.at(0).buffers().live_blocks(), 0U);
}

TEST_P(ServerTest, ASlowReaderStopsItsOwnRequestsOnly) {
  shards.fabric().set_pipe_bytes(1000);
  start({.max_in_flight = 4});
  auto slow = connect();
  std::string all;
  for (int i = 1; i <= 50; ++i) all += frame_of(i, std::string(900, 's'));
  slow->send(all);
  shards.run_until_idle();
  EXPECT_LE(handled().size(), 10U);
  auto other = connect();
  other->send(frame_of(1, "hello"));
  EXPECT_EQ(other->answers(1).size(), 1U);
  EXPECT_EQ(slow->answers(50).size(), 50U);
}

}  // namespace
}  // namespace dohle::transport

#include <gtest/gtest.h>

#include <runtime/memory/memory_shards.h>
#include <runtime/sync.h>

namespace dohle::runtime {
namespace {

using std::chrono::seconds;

Task<std::string> read_to_end(Connection* connection) {
  std::string out;
  std::array<std::uint8_t, 100> buffer{};
  for (;;) {
    const auto got = co_await connection->read_some(buffer);
    if (!got || *got == 0) co_return out;
    out.append(as_text(Bytes(buffer).first(*got)));
  }
}

Task<void> serve_one(Shard* shard, Listener* listener, std::string* received) {
  auto peer = co_await listener->accept();
  auto connection = shard->network().attach(std::move(*peer)).value();
  *received = co_await read_to_end(connection.get());
}

Task<bool> send(Shard* shard, Endpoint to, Fragments fragments) {
  auto connection = co_await shard->network().connect(to, seconds(1));
  if (!connection) co_return false;
  co_return (co_await (*connection)->write(std::move(fragments))).has_value();
}

class MemoryNetworkTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MemoryNetworkTest, CarriesBytesBetweenShardsThroughSmallPipes) {
  MemoryShards shards(2, GetParam());
  shards.fabric().set_pipe_bytes(7);
  const FileRef file = shards.files().open("/f", OpenMode::kCreate).value();
  ASSERT_TRUE(file->write_at(0, as_bytes("..from a file..")));
  auto listener = shards.at(1).network().listen({"", 0}, 10).value();
  std::string received;
  {
    const auto scope = shards.enter(1);
    spawn(serve_one(&shards.at(1), listener.get(), &received));
  }
  const Endpoint to{"localhost", listener->port()};
  const bool sent = shards.run(0, [&] {
    Fragments fragments;
    fragments.emplace_back(Slice::copy_of(as_bytes("first, ")));
    fragments.emplace_back(FileRange{file, 2, 11});
    fragments.emplace_back(Slice::copy_of(as_bytes(", last")));
    return send(&shards.at(0), to, std::move(fragments));
  });
  EXPECT_TRUE(sent);
  shards.run_until_idle();
  EXPECT_EQ(received, "first, from a file, last");
}

INSTANTIATE_TEST_SUITE_P(Seeds, MemoryNetworkTest, testing::Range<std::uint64_t>(0, 10));

Task<std::pair<std::unique_ptr<Connection>, std::unique_ptr<Connection>>> make_pair(Shard* shard) {
  auto listener = shard->network().listen({"", 0}, 10).value();
  auto client = co_await shard->network().connect({"localhost", listener->port()}, seconds(1));
  auto peer = co_await listener->accept();
  auto server = shard->network().attach(std::move(*peer)).value();
  co_return std::pair(std::move(*client), std::move(server));
}

TEST(MemoryNetwork, CloseEndsPendingReadsAndTheOtherSide) {
  MemoryShards shards(1);
  auto [client, server] = shards.run(0, [&] { return make_pair(&shards.at(0)); });
  const auto scope = shards.enter(0);
  std::array<std::uint8_t, 4> buffer{};
  EXPECT_EQ(server->read_now(buffer).value(), 0U);
  bool ended = false;
  const auto wait = [](Connection* connection, bool* done) -> Task<void> {
    std::array<std::uint8_t, 4> into{};
    const auto got = co_await connection->read_some(into);
    EXPECT_EQ(got.error().code, Errc::kClosed);
    *done = true;
  };
  spawn(wait(server.get(), &ended));
  shards.run_until_idle();
  EXPECT_FALSE(ended);
  server->close();
  shards.run_until_idle();
  EXPECT_TRUE(ended);
  EXPECT_EQ(client->read_now(buffer).error().code, Errc::kClosed);
  EXPECT_EQ(client->peer().host, "localhost");
  EXPECT_EQ(client->local(), server->peer());
}

TEST(MemoryNetwork, RefusesSilentAndUnknown) {
  MemoryShards shards(1);
  auto& network = shards.at(0).network();
  const auto attempt = [&](Endpoint to) {
    auto connection = shards.run(0, [&] { return network.connect(to, seconds(2)); });
    return connection.error().code;
  };
  EXPECT_EQ(attempt({"localhost", 1}), Errc::kClosed);
  EXPECT_EQ(attempt({"unknown.invalid", 1}), Errc::kNotFound);
  shards.fabric().set_silent(9, true);
  const auto before = shards.clock().now();
  EXPECT_EQ(attempt({"localhost", 9}), Errc::kTimedOut);
  EXPECT_EQ(shards.clock().now() - before, Duration(seconds(2)));
  const auto listener = network.listen({"", 9092}, 1).value();
  EXPECT_EQ(network.listen({"", 9092}, 1).error().code, Errc::kAddressInUse);
}

}  // namespace
}  // namespace dohle::runtime

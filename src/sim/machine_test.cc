#include <sim/machine.h>

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <runtime/sync.h>
#include <sim/history.h>
#include <sim/marks.h>

namespace dohle::sim {
namespace {

using runtime::OpenMode;
using runtime::Task;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers every byte with the same byte.
Task<void> echo(runtime::Shard* shard, std::unique_ptr<runtime::Listener> listener) {
  for (;;) {
    auto peer = co_await listener->accept();
    if (!peer) co_return;
    auto connection = shard->network().attach(std::move(*peer)).value();
    for (;;) {
      std::array<std::uint8_t, 1> byte{};
      const auto got = co_await connection->read_some(byte);
      if (!got || *got == 0) break;
      runtime::Fragments out;
      out.emplace_back(Slice::copy_of(byte));
      if (!co_await connection->write(std::move(out))) break;
    }
  }
}

void serve(Machine& machine) {
  auto& shards = machine.start_process(1);
  const auto scope = shards.enter(0);
  auto listener = shards.at(0).network().listen({"", 7}, 1).value();
  runtime::spawn(echo(&shards.at(0), std::move(listener)));
}

Task<Result<std::size_t>> ask(runtime::Shard* shard, std::string host) {
  auto connection = co_await shard->network().connect({host, 7}, seconds(1));
  if (!connection) co_return std::unexpected(connection.error());
  runtime::Fragments out;
  out.emplace_back(Slice::copy_of(as_bytes("x")));
  DOHLE_CO_TRY(co_await (*connection)->write(std::move(out)));
  std::array<std::uint8_t, 1> byte{};
  co_return co_await (*connection)->read_some(byte);
}

struct Scene {
  runtime::MemoryWorld world{1};
  Machine server{world, "10.0.0.1"};
  Machine client{world, "10.0.1.1"};
};

// Processes that wait for each other cannot be destroyed (see machine.cc); their world stays with them.
Scene& new_scene() {
  static auto* const all = new std::vector<std::unique_ptr<Scene>>;
  return *all->emplace_back(std::make_unique<Scene>());
}

class Machines : public testing::Test {
 protected:
  Scene& scene = new_scene();
  runtime::MemoryWorld& world = scene.world;
  Machine& server = scene.server;
  Machine& client = scene.client;
};

TEST_F(Machines, TalkToEachOther) {
  serve(server);
  auto& shards = client.start_process(1);
  EXPECT_EQ(shards.run(0, [&] { return ask(&shards.at(0), "10.0.0.1"); }).value(), 1U);
  world.fabric().set_latency(milliseconds(10), milliseconds(20));
  const auto before = world.clock().now();
  EXPECT_EQ(shards.run(0, [&] { return ask(&shards.at(0), "10.0.0.1"); }).value(), 1U);
  EXPECT_GE(world.clock().now() - before, milliseconds(30));
}

TEST_F(Machines, AKilledProcessIsSilentAndItsDiskIsNot) {
  serve(server);
  ASSERT_TRUE(server.disk().open("f", OpenMode::kCreate).value()->write_at(0, as_bytes("written")));
  auto& shards = client.start_process(1);
  EXPECT_TRUE(shards.run(0, [&] { return ask(&shards.at(0), "10.0.0.1"); }));
  server.kill(nullptr);
  EXPECT_EQ(shards.run(0, [&] { return ask(&shards.at(0), "10.0.0.1"); }).error().code, Errc::kClosed);
  EXPECT_EQ(server.disk().content("f").value(), "written");
  serve(server);
  EXPECT_TRUE(shards.run(0, [&] { return ask(&shards.at(0), "10.0.0.1"); }));
}

TEST_F(Machines, TimersDieWithTheirProcess) {
  const auto before = world.timers();
  auto& shards = server.start_process(2);
  for (std::size_t id = 0; id < 2; ++id) {
    const auto scope = shards.enter(id);
    shards.at(id).executor().start_timer(std::chrono::hours(1), [] { ADD_FAILURE(); });
  }
  EXPECT_EQ(world.timers(), before + 2);
  server.kill(nullptr);
  EXPECT_EQ(world.timers(), before);
  world.advance(std::chrono::hours(2));
}

TEST_F(Machines, APowerLossTakesWhatWasNotSynced) {
  serve(server);
  ASSERT_TRUE(server.disk().sync_directory("."));
  const auto file = server.disk().open("f", OpenMode::kCreate).value();
  ASSERT_TRUE(server.disk().sync_directory("."));
  ASSERT_TRUE(file->write_at(0, as_bytes("synced")));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->write_at(6, as_bytes(" or not")));
  server.power_off(runtime::CrashLoss::kUnsynced, true, nullptr);
  EXPECT_EQ(server.disk().content("f").value(), "synced");
}

TEST_F(Machines, RequestsAreHeldByTheirApi) {
  serve(server);
  auto& shards = client.start_process(1);
  world.fabric().hold_requests(3, seconds(5), 1);
  const auto send = [&](std::string frame) -> Task<void> {
    auto connection = co_await shards.at(0).network().connect({"10.0.0.1", 7}, seconds(1));
    runtime::Fragments out;
    out.emplace_back(Slice::copy_of(as_bytes(frame)));
    EXPECT_TRUE(co_await (*connection)->write(std::move(out)));
    std::array<std::uint8_t, 1> byte{};
    EXPECT_TRUE(co_await (*connection)->read_some(byte));
  };
  const auto time = [&](std::string frame) {
    const auto before = world.clock().now();
    shards.run(0, [&] { return send(frame); });
    return world.clock().now() - before;
  };
  EXPECT_EQ(time(std::string("\0\0\0\2\0\1", 6)), seconds(0));
  EXPECT_EQ(time(std::string("\0\0\0\2\0\3", 6)), seconds(5));
  EXPECT_EQ(time(std::string("\0\0\0\2\0\3", 6)), seconds(0));
  EXPECT_EQ(world.fabric().held(), 1U);
}

TEST_F(Machines, WallClocksAreTheirOwn) {
  const auto now = world.clock().wall_ms();
  server.clock().jump(3'600'000);
  EXPECT_EQ(server.clock().wall_ms(), now + 3'600'000);
  EXPECT_EQ(client.clock().wall_ms(), now);
  server.clock().freeze();
  world.clock().advance(seconds(10));
  EXPECT_EQ(server.clock().wall_ms(), now + 3'600'000);
  server.clock().thaw();
  world.clock().advance(seconds(1));
  EXPECT_EQ(server.clock().wall_ms(), now + 3'601'000);
  server.clock().correct();
  EXPECT_EQ(server.clock().wall_ms(), client.clock().wall_ms());
}

TEST(History, WritesJsonLines) {
  runtime::ManualClock clock;
  History history(clock);
  clock.advance(milliseconds(3));
  history.add("p1", "ack", Json().field("o", 5).field("v", "a\"b\n").raw("l", "[1,2]"));
  EXPECT_EQ(history.text(), "{\"t\":3000,\"w\":\"p1\",\"e\":\"ack\",\"o\":5,\"v\":\"a\\\"b\\u000a\",\"l\":[1,2]}\n");
}

TEST(Marks, CountWhatWasReached) {
  Marks marks(1, 1);
  DOHLE_MARK("sim.test_mark");
  DOHLE_MARK("sim.test_mark");
  if (marks.json().empty()) DOHLE_MARK("sim.test_never");
  EXPECT_NE(marks.json().find("\"sim.test_mark\":2"), std::string::npos);
  EXPECT_NE(marks.json().find("\"sim.test_never\":0"), std::string::npos);
  marks.stop_odds();
  EXPECT_FALSE(DOHLE_ODD("sim.test_odd"));
}

TEST(Marks, TellOfABreach) {
  Marks marks(1, 1);
  std::string heard;
  DOHLE_BREACH("sim.test_unheard");
  marks.on_breach([&heard](std::string_view rule) { heard += rule; });
  DOHLE_BREACH("sim.test_rule");
  EXPECT_EQ(heard, "sim.test_rule");
}

}  // namespace
}  // namespace dohle::sim

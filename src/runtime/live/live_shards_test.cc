#include <runtime/live/live_shards.h>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include <runtime/sync.h>

namespace dohle::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Live : public testing::TestWithParam<std::size_t> {
 protected:
  LiveShards shards{{.shards = GetParam()}};
  Shard& last() { return shards.at(shards.size() - 1); }
};
INSTANTIATE_TEST_SUITE_P(Shards, Live, testing::Values(1, 4));

Task<int> add_on_each(Shards* shards) {
  int sum = 0;
  for (std::size_t id = 0; id < shards->size(); ++id) {
    auto ask = [shard = &shards->at(id)]() -> Task<int> {
      EXPECT_TRUE(shard->executor().is_current());
      EXPECT_EQ(BufferHome::current(), &shard->buffers());
      co_return static_cast<int>(shard->id()) + 1;
    };
    sum += co_await submit_to(shards->at(id), std::move(ask));
    EXPECT_TRUE(shards->at(0).executor().is_current());
  }
  co_return sum;
}

TEST_P(Live, RunsOnEveryShardAndComesBack) {
  const int n = static_cast<int>(GetParam());
  EXPECT_EQ(shards.run([&] { return add_on_each(&shards); }), n * (n + 1) / 2);
}

Task<bool> bounce(Shard* to, int* counter) {
  auto add = [counter]() -> Task<bool> {
    ++*counter;
    co_return true;
  };
  for (int i = 0; i < 2000; ++i) co_await submit_to(*to, add);
  co_return true;
}

Task<int> many_bounces(Shard* to, int* counter) {
  std::vector<int> done;
  Gate gate;
  for (int i = 0; i < 8; ++i) {
    const auto one = [](Shard* shard, int* count, Gate::Pass pass) -> Task<void> {
      const auto inside = std::move(pass);
      co_await bounce(shard, count);
    };
    spawn(one(to, counter, gate.enter()));
  }
  co_await gate.wait_empty();
  co_return 0;
}

TEST_P(Live, MessagesAreNeverLost) {
  int counter = 0;
  shards.run([&] { return many_bounces(&last(), &counter); });
  EXPECT_EQ(counter, 16'000);
}

Task<int> lend_slices(Shard* other) {
  for (int i = 0; i < 100; ++i) {
    const Slice slice = Slice::copy_of(as_bytes("hello"));
    auto read = [foreign = slice.share()]() mutable -> Task<bool> {
      const Slice here = Slice::adopt(std::move(foreign));
      co_return as_text(here.bytes()) == "hello";
    };
    EXPECT_TRUE(co_await submit_to(*other, std::move(read)));
  }
  while (BufferHome::current()->live_blocks() > 0) co_await sleep_for(milliseconds(1));
  co_return static_cast<int>(BufferHome::current()->allocated_bytes());
}

TEST_P(Live, LentSlicesComeHome) {
  EXPECT_EQ(shards.run([&] { return lend_slices(&last()); }), 0);
}

Task<int> timed(Clock* clock) {
  const auto before = clock->now();
  co_await sleep_for(milliseconds(20));
  const auto slept = std::chrono::duration_cast<milliseconds>(clock->now() - before).count();
  StopSource stop;
  Executor::current()->start_timer(milliseconds(1), [&stop] { stop.stop(); });
  EXPECT_FALSE(co_await sleep_for(seconds(100), &stop));
  co_return static_cast<int>(slept);
}

TEST_P(Live, SleepsAndIsIdleMeanwhile) {
  const int slept = shards.run([&] { return timed(&shards.at(0).clock()); });
  EXPECT_GE(slept, 20);
  EXPECT_LT(slept, 500);
  EXPECT_LT(shards.counters().polls, 30U);
}

Task<int> disk_work(IoThread* thread) {
  int sum = 0;
  for (int i = 0; i < 100; ++i) {
    sum += co_await run_on(*thread, [i] { return i; });
  }
  co_return sum;
}

TEST_P(Live, AnIoThreadAnswersToTheShard) {
  auto thread = shards.make_io_thread("disk");
  EXPECT_EQ(shards.run([&] { return disk_work(thread.get()); }), 4950);
}

Task<int> wait_for(Event* event) {
  co_await event->wait();
  co_return 3;
}

TEST(LiveSignals, ReachShardZero) {
  Event event;
  int seen = 0;
  LiveShards shards({.shards = 2, .on_signal = [&](int signal) {
                       seen = signal;
                       event.set();
                     }});
  shards.at(0).executor().post([] { ::kill(::getpid(), SIGTERM); });
  EXPECT_EQ(shards.run([&] { return wait_for(&event); }), 3);
  EXPECT_EQ(seen, SIGTERM);
}

// ---- connections

Task<std::string> read_exactly(Connection* connection, std::size_t size) {
  std::string out(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto got = co_await connection->read_some({reinterpret_cast<std::uint8_t*>(out.data()) + done, size - done});
    if (!got || *got == 0) break;
    done += *got;
  }
  out.resize(done);
  co_return out;
}

Task<bool> echo(Shard* shard, std::unique_ptr<AcceptedPeer> peer) {
  auto connection = shard->network().attach(std::move(peer)).value();
  Slice buffer;
  for (;;) {
    auto [slice, into] = Slice::allocate(64U << 10U);
    const auto got = co_await connection->read_some(into);
    if (!got || *got == 0) co_return got.has_value();
    Fragments answer;
    answer.emplace_back(slice.sub(0, *got));
    if (!co_await connection->write(std::move(answer))) co_return false;
  }
}

Task<void> serve_one(Shard* home, Shard* target, Listener* listener, Gate::Pass pass) {
  const auto inside = std::move(pass);
  auto peer = co_await listener->accept();
  EXPECT_TRUE(peer);
  auto serve = [target, accepted = std::move(*peer)]() mutable { return echo(target, std::move(accepted)); };
  EXPECT_TRUE(co_await submit_to(*target, std::move(serve)));
  EXPECT_TRUE(home->executor().is_current());
}

Task<void> send_all(Connection* connection, std::string text, Gate::Pass pass) {
  const auto inside = std::move(pass);
  Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes(text)));
  EXPECT_TRUE(co_await connection->write(std::move(fragments)));
}

Task<int> echo_session(Shard* home, Shard* target, std::string text, int rounds) {
  auto listener = home->network().listen({"127.0.0.1", 0}, 10).value();
  Gate gate;
  spawn(serve_one(home, target, listener.get(), gate.enter()));
  auto connected = co_await home->network().connect({"localhost", listener->port()}, seconds(5));
  if (!connected) co_return -1;
  auto connection = std::move(*connected);
  EXPECT_EQ(connection->peer().port, listener->port());
  int good = 0;
  for (int i = 0; i < rounds; ++i) {
    Gate sending;
    spawn(send_all(connection.get(), text, sending.enter()));
    good += (co_await read_exactly(connection.get(), text.size())) == text ? 1 : 0;
    co_await sending.wait_empty();
  }
  connection->close();
  co_await gate.wait_empty();
  co_return good;
}

TEST_P(Live, EchoesBetweenShards) {
  EXPECT_EQ(shards.run([&] { return echo_session(&shards.at(0), &last(), "hello", 100); }), 100);
}

TEST_P(Live, EchoesMoreThanTheSocketsHold) {
  const std::string text(20U << 20U, 'x');
  EXPECT_EQ(shards.run([&] { return echo_session(&shards.at(0), &last(), text, 2); }), 2);
}

Task<int> send_file_range(Shard* shard, FileRef file) {
  auto listener = shard->network().listen({"", 0}, 10).value();
  auto client = co_await shard->network().connect({"127.0.0.1", listener->port()}, seconds(5));
  auto peer = co_await listener->accept();
  auto server = shard->network().attach(std::move(*peer)).value();
  EXPECT_EQ(server->peer().host, "127.0.0.1");
  Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes("head ")));
  fragments.emplace_back(Slice());
  fragments.emplace_back(FileRange{file, 3, 1U << 20U});
  fragments.emplace_back(FileRange{file, 0, 3});
  fragments.emplace_back(Slice::copy_of(as_bytes(" tail")));
  const auto send = [](Connection* connection, Fragments all, Gate::Pass pass) -> Task<void> {
    const auto inside = std::move(pass);
    EXPECT_TRUE(co_await connection->write(std::move(all)));
  };
  Gate gate;
  spawn(send(server.get(), std::move(fragments), gate.enter()));
  const std::string got = co_await read_exactly(client->get(), (1U << 20U) + 13);
  co_await gate.wait_empty();
  EXPECT_EQ(got.size(), (1U << 20U) + 13);
  EXPECT_EQ(got.substr(0, 7), "head dd");
  EXPECT_EQ(got.substr(got.size() - 10), "ddabc tail");
  // The end of the file comes before the end of the range.
  Fragments too_much;
  too_much.emplace_back(FileRange{file, 1U << 20U, 100});
  const auto failed = co_await server->write(std::move(too_much));
  EXPECT_EQ(failed.error().code, Errc::kIo);
  co_return 0;
}

TEST_P(Live, SendsFileRangesBetweenSlices) {
  const std::string path = testing::TempDir() + "/live_send_" + std::to_string(::getpid());
  auto file = shards.at(0).files().open(path, OpenMode::kTruncate).value();
  ASSERT_TRUE(file->write_at(0, as_bytes("abc" + std::string(1U << 20U, 'd'))));
  shards.run([&] { return send_file_range(&shards.at(0), file); });
  ASSERT_TRUE(shards.at(0).files().remove_file(path));
}

// Into a socket that nobody reads from yet: some of it goes out, the rest goes by write().
Task<int> send_what_fits(Shard* shard, Fragment large, std::string text) {
  auto listener = shard->network().listen({"", 0}, 10).value();
  auto client = co_await shard->network().connect({"127.0.0.1", listener->port()}, seconds(5));
  auto server = shard->network().attach(std::move(*co_await listener->accept())).value();
  Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes("head")));
  fragments.push_back(std::move(large));
  fragments.emplace_back(Slice::copy_of(as_bytes("tail")));
  const std::uint64_t all = size_of(fragments);
  for (std::uint64_t before = all + 1; size_of(fragments) < before;) {
    before = size_of(fragments);
    EXPECT_FALSE(server->write_now(fragments).value());
  }
  EXPECT_GT(size_of(fragments), 0U);
  EXPECT_LT(size_of(fragments), all);
  const auto send = [](Connection* connection, Fragments rest, Gate::Pass pass) -> Task<void> {
    const auto inside = std::move(pass);
    EXPECT_TRUE(co_await connection->write(std::move(rest)));
  };
  Gate gate;
  spawn(send(server.get(), std::move(fragments), gate.enter()));
  EXPECT_TRUE(co_await read_exactly(client->get(), all) == "head" + text + "tail");
  co_await gate.wait_empty();
  Fragments little;
  little.emplace_back(Slice::copy_of(as_bytes("more")));
  EXPECT_TRUE(server->write_now(little).value());
  EXPECT_EQ(co_await read_exactly(client->get(), 4), "more");
  server->close();
  EXPECT_EQ(server->write_now(little).error().code, Errc::kClosed);
  co_return 0;
}

TEST_P(Live, WritesNowWhatTheSocketTakes) {
  std::string text;
  while (text.size() < (20U << 20U)) text += std::to_string(text.size()) + " ";
  const std::string path = testing::TempDir() + "/live_now_" + std::to_string(::getpid());
  auto file = shards.at(0).files().open(path, OpenMode::kTruncate).value();
  ASSERT_TRUE(file->write_at(0, as_bytes(text)));
  shards.run([&] { return send_what_fits(&shards.at(0), Slice::unowned(as_bytes(text)), text); });
  shards.run([&] { return send_what_fits(&shards.at(0), FileRange{file, 0, text.size()}, text); });
  ASSERT_TRUE(shards.at(0).files().remove_file(path));
}

Task<int> closing(Shard* shard) {
  auto& network = shard->network();
  auto listener = network.listen({"127.0.0.1", 0}, 10).value();
  EXPECT_EQ(network.listen({"127.0.0.1", listener->port()}, 10).error().code, Errc::kAddressInUse);
  auto client = co_await network.connect({"127.0.0.1", listener->port()}, seconds(5));
  auto server = network.attach(std::move(*co_await listener->accept())).value();
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_EQ(server->read_now(buffer).value(), 0U);
  // Bytes and the end arrive together; both are seen.
  Fragments fragments;
  fragments.emplace_back(Slice::copy_of(as_bytes("bye")));
  EXPECT_TRUE(co_await (*client)->write(std::move(fragments)));
  (*client)->close();
  co_await sleep_for(milliseconds(10));
  EXPECT_EQ((co_await server->read_some(buffer)).value(), 3U);
  EXPECT_EQ((co_await server->read_some(buffer)).value(), 0U);
  EXPECT_EQ(server->read_now(buffer).error().code, Errc::kClosed);
  EXPECT_EQ((co_await (*client)->read_some(buffer)).error().code, Errc::kClosed);
  const std::uint16_t port = listener->port();
  Executor::current()->start_timer(milliseconds(1), [&listener] { listener->close(); });
  EXPECT_EQ((co_await listener->accept()).error().code, Errc::kClosed);
  EXPECT_EQ((co_await network.connect({"127.0.0.1", port}, seconds(5))).error().code, Errc::kClosed);
  EXPECT_EQ((co_await network.connect({"no.such.host.invalid", port}, seconds(5))).error().code, Errc::kNotFound);
  co_return 0;
}

TEST_P(Live, ClosesAndRefuses) {
  shards.run([&] { return closing(&shards.at(0)); });
}

}  // namespace
}  // namespace dohle::runtime

#include <runtime/memory/memory_shards.h>

#include <gtest/gtest.h>

#include <runtime/sync.h>

namespace dohle::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<int> answer_later(Duration after, int value) {
  co_await sleep_for(after);
  co_return value;
}

TEST(MemoryShards, RunsATaskAndLetsTimePass) {
  MemoryShards shards(1);
  const auto before = shards.clock().now();
  EXPECT_EQ(shards.run(0, [] { return answer_later(seconds(5), 7); }), 7);
  EXPECT_EQ(shards.clock().now() - before, Duration(seconds(5)));
}

TEST(MemoryShards, TimersFireInOrderAtTheirTime) {
  MemoryShards shards(2);
  std::vector<std::pair<int, std::int64_t>> fired;
  const std::int64_t start = shards.clock().wall_ms();
  const auto arm = [&](std::size_t shard, int name, int after_ms) {
    const auto scope = shards.enter(shard);
    return shards.at(shard).executor().start_timer(
        milliseconds(after_ms), [&, name] { fired.emplace_back(name, shards.clock().wall_ms() - start); });
  };
  arm(0, 1, 30);
  arm(1, 2, 10);
  const TimerId cancelled = arm(0, 3, 20);
  arm(1, 4, 50);
  {
    const auto scope = shards.enter(0);
    shards.at(0).executor().cancel_timer(cancelled);
  }
  shards.advance(milliseconds(40));
  EXPECT_EQ(fired, (std::vector<std::pair<int, std::int64_t>>{{2, 10}, {1, 30}}));
  EXPECT_EQ(shards.clock().wall_ms() - start, 40);
  shards.advance(milliseconds(10));
  EXPECT_EQ(fired.back(), (std::pair<int, std::int64_t>{4, 50}));
}

TEST(MemoryShards, PostsFromOneSourceKeepTheirOrder) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    MemoryShards shards(2, seed);
    std::vector<int> seen;
    for (int i = 0; i < 10; ++i) shards.at(1).executor().post([&seen, i] { seen.push_back(i); });
    shards.run_until_idle();
    EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
}

std::string interleaving(std::uint64_t seed) {
  MemoryShards shards(3, seed);
  std::string trace;
  for (std::size_t shard = 0; shard < 3; ++shard) {
    for (int i = 0; i < 4; ++i) {
      shards.at(shard).executor().post([&trace, shard] { trace.push_back(static_cast<char>('a' + shard)); });
    }
  }
  shards.run_until_idle();
  return trace;
}

TEST(MemoryShards, TheSeedDecidesTheInterleaving) {
  EXPECT_EQ(interleaving(1), interleaving(1));
  std::set<std::string> different;
  for (std::uint64_t seed = 0; seed < 10; ++seed) different.insert(interleaving(seed));
  EXPECT_GT(different.size(), 5U);
}

Task<std::size_t> shard_here(Shard* shard) {
  EXPECT_TRUE(shard->executor().is_current());
  EXPECT_EQ(BufferHome::current(), &shard->buffers());
  co_return shard->id();
}

Task<std::size_t> ask(Shard* home, Shard* other) {
  const std::size_t id = co_await submit_to(*other, [other] { return shard_here(other); });
  EXPECT_TRUE(home->executor().is_current());
  EXPECT_EQ(BufferHome::current(), &home->buffers());
  co_return id;
}

TEST(MemoryShards, SubmitCrossesAndComesBack) {
  MemoryShards shards(4);
  EXPECT_EQ(shards.run(0, [&] { return ask(&shards.at(0), &shards.at(3)); }), 3U);
}

Task<bool> send_slice(Shard* home, Shard* other) {
  Slice slice = Slice::copy_of(as_bytes("hello"));
  EXPECT_EQ(home->buffers().live_blocks(), 1U);
  auto read = [foreign = slice.share(), other]() mutable -> Task<bool> {
    const Slice here = Slice::adopt(std::move(foreign));
    EXPECT_EQ(other->buffers().live_blocks(), 1U);
    co_return as_text(here.bytes()) == "hello";
  };
  co_return co_await submit_to(*other, std::move(read));
}

TEST(MemoryShards, ForeignSlicesAreReleasedAtHome) {
  MemoryShards shards(2);
  EXPECT_TRUE(shards.run(0, [&] { return send_slice(&shards.at(0), &shards.at(1)); }));
  shards.run_until_idle();
  EXPECT_EQ(shards.at(0).buffers().live_blocks(), 0U);
  EXPECT_EQ(shards.at(1).buffers().live_blocks(), 0U);
}

Task<int> on_disk(IoThread* thread) {
  co_return co_await run_on(*thread, [] {
    EXPECT_EQ(Executor::current(), nullptr);
    return 5;
  });
}

TEST(MemoryShards, AnIoThreadAnswersToTheShardAndMayBeSlow) {
  MemoryShards shards(2);
  const auto thread = shards.make_io_thread("disk");
  shards.set_io_delay(milliseconds(20));
  const auto before = shards.clock().now();
  EXPECT_EQ(shards.run(1, [&] { return on_disk(thread.get()); }), 5);
  EXPECT_EQ(shards.clock().now() - before, Duration(milliseconds(20)));
}

Task<bool> write_slowly(IoThread* thread, File* file) {
  const auto written = co_await run_on(*thread, [file] { return file->write_at(0, as_bytes("x")); });
  co_return written.has_value();
}

TEST(MemoryShards, ASlowFileHoldsUpWhoCallsItOnly) {
  MemoryShards shards(1);
  const auto thread = shards.make_io_thread("disk");
  const FileRef file = shards.files().open("/f", OpenMode::kCreate).value();
  shards.files().slow_down({FileOperation::kWrite, "/f", milliseconds(30)});
  const auto begin = shards.clock().now();
  ASSERT_TRUE(file->write_at(0, as_bytes("x")));
  EXPECT_EQ(shards.clock().now() - begin, Duration(milliseconds(30)));

  const auto posted = shards.clock().now();
  std::optional<MonotonicTime> done;
  const auto scope = shards.enter(0);
  spawn([](IoThread* io, File* to, Clock* clock, std::optional<MonotonicTime>* at) -> Task<void> {
    EXPECT_TRUE(co_await write_slowly(io, to));
    EXPECT_TRUE(co_await write_slowly(io, to));
    *at = clock->now();
  }(thread.get(), file.get(), &shards.clock(), &done));
  shards.run_until_idle();
  EXPECT_EQ(shards.clock().now(), posted);  // the shard goes on
  EXPECT_FALSE(done);
  shards.advance(milliseconds(59));
  EXPECT_FALSE(done);
  shards.advance(milliseconds(1));
  ASSERT_TRUE(done);
  EXPECT_EQ(*done - posted, Duration(milliseconds(60)));
}

TEST(MemoryShards, AnIoThreadFinishesWhatWasPosted) {
  MemoryShards shards(1);
  bool ran = false;
  auto thread = shards.make_io_thread("disk");
  thread->post([&ran] { ran = true; });
  thread.reset();
  EXPECT_TRUE(ran);
}

Task<int> take_turns(Mutex* mutex, std::vector<int>* order, int who) {
  const auto hold = co_await mutex->lock();
  order->push_back(who);
  co_await sleep_for(milliseconds(1));
  order->push_back(who);
  co_return who;
}

Task<void> watch(Mutex* mutex, std::vector<int>* order, int who, Gate::Pass pass) {
  const auto held = std::move(pass);
  co_await take_turns(mutex, order, who);
}

Task<bool> three_turns(std::vector<int>* order) {
  Mutex mutex;
  Gate gate;
  for (int who = 0; who < 3; ++who) spawn(watch(&mutex, order, who, gate.enter()));
  co_await gate.wait_empty();
  co_return true;
}

TEST(Sync, MutexServesInOrderAndGateWaits) {
  MemoryShards shards(1);
  std::vector<int> order;
  EXPECT_TRUE(shards.run(0, [&] { return three_turns(&order); }));
  EXPECT_EQ(order, (std::vector<int>{0, 0, 1, 1, 2, 2}));
}

TEST(Sync, StopCutsASleepShort) {
  MemoryShards shards(1);
  StopSource stop;
  {
    const auto scope = shards.enter(0);
    shards.at(0).executor().start_timer(seconds(1), [&stop] { stop.stop(); });
  }
  const auto before = shards.clock().now();
  EXPECT_FALSE(shards.run(0, [&] { return sleep_for(seconds(60), &stop); }));
  EXPECT_EQ(shards.clock().now() - before, Duration(seconds(1)));
  shards.run_until_idle();
  EXPECT_FALSE(shards.advance_to_next_timer(seconds(100)));
}

TEST(ManualClock, WallJumpsAlone) {
  ManualClock clock;
  const auto before = clock.now();
  clock.advance(milliseconds(1500));
  EXPECT_EQ(clock.wall_ms(), ManualClock::kStartWallMs + 1500);
  clock.set_wall_ms(1000);
  EXPECT_EQ(clock.wall_ms(), 1000);
  EXPECT_EQ(clock.now() - before, Duration(milliseconds(1500)));
  clock.advance(milliseconds(7));
  EXPECT_EQ(clock.wall_ms(), 1007);
}

}  // namespace
}  // namespace dohle::runtime

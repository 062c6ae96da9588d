#include <replication/partition.h>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

#include <records/builder.h>
#include <runtime/memory/memory_shards.h>
#include <runtime/start_all.h>
#include <storage/log_manager.h>

namespace dohle::replication {
namespace {

using runtime::Task;
using std::chrono::milliseconds;

constexpr TopicIdPartition kId{{Uuid{7, 7}}, 0};

Slice batch(int count) {
  records::BatchBuilder builder({});
  for (int i = 0; i < count; ++i) builder.append(1, std::nullopt, as_bytes("value"));
  return builder.build();
}

// One leader over one log in memory; `flush` is flush.messages.
class World {
 public:
  explicit World(std::int64_t flush, std::int32_t min_isr = 1) {
    config_.flush_messages = flush;
    config_.min_insync_replicas = min_isr;
    storage::LogManagerConfig manager;
    manager.log_dirs = {"/data"};
    manager.shard_of = [](const TopicIdPartition&) { return std::size_t{0}; };
    shards_.run(0, [this, manager]() mutable { return open(std::move(manager)); });
  }
  ~World() {
    shards_.run(0, [this] { return close(); });
  }

  Partition& partition() { return *partition_; }
  runtime::MemoryShards& shards() { return shards_; }
  template <typename F>
  void run(F work) {
    shards_.run(0, std::move(work));
  }

 private:
  Task<void> open(storage::LogManagerConfig manager) {
    auto logs = storage::LogManager::open(shards_, std::move(manager));
    EXPECT_TRUE(logs) << logs.error().message;
    logs_ = std::move(*logs);
    auto log = co_await logs_->on(0).get_or_create({"t", 0}, kId.topic, config_);
    EXPECT_TRUE(log) << log.error().message;
    partition_ = std::make_shared<Partition>(kId, "t", BrokerId(1), **log);
  }
  Task<void> close() {
    co_await partition_->close({Errc::kNotLeader, "the test ends"});
    partition_.reset();
    EXPECT_TRUE(co_await logs_->shutdown(-1));
    logs_.reset();
  }

  runtime::MemoryShards shards_{1, 42};
  storage::LogConfig config_;
  std::unique_ptr<storage::LogManager> logs_;
  std::shared_ptr<Partition> partition_;
};

Leadership leadership(std::int32_t epoch) {
  return {.epoch = LeaderEpoch(epoch), .replicas = {BrokerId(1)}, .isr = {BrokerId(1)}};
}

// A record of eight megabytes of zeros, which is small as zstd.
Slice bomb() {
  records::BatchBuilder builder({.compression = {records::CompressionType::kZstd, {}}});
  const std::vector<std::uint8_t> zeros(std::size_t{8} << 20U);
  builder.append(1, std::nullopt, Bytes(zeros));
  return builder.build();
}

// What decompresses to a lot is put off when asked, and does not hold up the shard when it is worked on in slices.
Task<void> a_bomb_lets_others_pass(World& world) {
  Partition& partition = world.partition();
  EXPECT_TRUE(partition.lead(leadership(3)));
  const auto refused = partition.append(bomb(), true, {.inline_bytes = 1U << 20U});
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, Errc::kWouldBlock);
  EXPECT_EQ(partition.log().log_end(), Offset(0));

  using Appended = std::expected<storage::AppendInfo, storage::AppendFailure>;
  std::vector<Task<Appended>> tasks;
  tasks.push_back(partition.append_waiting(bomb(), true));
  auto slow = runtime::start_all(std::move(tasks));
  const auto quick = partition.append(batch(2), true);
  EXPECT_TRUE(quick);
  EXPECT_EQ(quick->first_offset, Offset(0));
  const auto done = co_await slow;
  EXPECT_TRUE(done[0]);
  EXPECT_EQ(done[0]->first_offset, Offset(2));
  EXPECT_EQ(partition.log().log_end(), Offset(3));

  // Whose leadership ends meanwhile is not written.
  std::vector<Task<Appended>> late;
  late.push_back(partition.append_waiting(bomb(), true));
  auto lost = runtime::start_all(std::move(late));
  partition.stop_leading();
  const auto outcome = co_await lost;
  EXPECT_EQ(outcome[0].error().error.code, Errc::kNotLeader);
  EXPECT_EQ(partition.log().log_end(), Offset(3));
}

TEST(Partition, ABombLetsOthersPass) {
  World world(1);
  world.run([&] { return a_bomb_lets_others_pass(world); });
}

Task<void> append_waits_for_the_flush(World& world) {
  Partition& partition = world.partition();
  EXPECT_TRUE(partition.lead(leadership(3)));
  const auto appended = partition.append(batch(5), true);
  EXPECT_TRUE(appended);
  EXPECT_EQ(appended->last_offset, Offset(4));
  EXPECT_EQ(partition.high_watermark(), Offset(0)) << "nothing is flushed before the first wait";
  EXPECT_TRUE(co_await partition.wait_high_watermark(Offset(5), milliseconds(1000)));
  EXPECT_GE(partition.log().flushed_end(), Offset(5));
}

TEST(Partition, AnAcknowledgedRecordIsFlushed) {
  World world(1);
  world.run([&] { return append_waits_for_the_flush(world); });
}

Task<void> page_cache_is_enough(World& world) {
  Partition& partition = world.partition();
  EXPECT_TRUE(partition.lead(leadership(0)));
  EXPECT_TRUE(partition.append(batch(2), true));
  EXPECT_EQ(partition.high_watermark(), Offset(2));
  EXPECT_EQ(partition.log().flushed_end(), Offset(0));
  co_return;
}

TEST(Partition, WithKafkasFlushSettingTheWatermarkFollowsTheLogEnd) {
  World world(storage::kMaxLong);
  world.run([&] { return page_cache_is_enough(world); });
}

Task<void> epochs_are_checked(World& world) {
  Partition& partition = world.partition();
  EXPECT_EQ(partition.append(batch(1), true).error().error.code, Errc::kNotLeader);
  EXPECT_TRUE(partition.lead(leadership(3)));
  EXPECT_TRUE(partition.check_leader(kNoLeaderEpoch));
  EXPECT_TRUE(partition.check_leader(LeaderEpoch(3)));
  EXPECT_EQ(partition.check_leader(LeaderEpoch(2)).error().code, Errc::kFencedEpoch);
  EXPECT_EQ(partition.check_leader(LeaderEpoch(4)).error().code, Errc::kUnknownEpoch);
  partition.stop_leading();
  EXPECT_EQ(partition.check_leader(LeaderEpoch(3)).error().code, Errc::kNotLeader);
  co_return;
}

TEST(Partition, ClientsEpochsAreChecked) {
  World world(storage::kMaxLong);
  world.run([&] { return epochs_are_checked(world); });
}

Task<void> reads_stop_at_the_watermark(World& world) {
  Partition& partition = world.partition();
  EXPECT_TRUE(partition.lead(leadership(0)));
  EXPECT_TRUE(partition.append(batch(3), false));
  const ReadRequest request{.from = Offset(0), .max_bytes = 10'000};
  auto before = co_await partition.read(request);
  EXPECT_TRUE(before);
  EXPECT_EQ(before->bytes, 0U) << "unflushed records are not shown to consumers";
  EXPECT_TRUE(co_await partition.wait_high_watermark(Offset(3), milliseconds(1000)));
  auto after = co_await partition.read(request);
  EXPECT_TRUE(after);
  EXPECT_GT(after->bytes, 0U);
  auto beyond = co_await partition.read({.from = Offset(4), .max_bytes = 10'000});
  EXPECT_EQ(beyond.error().code, Errc::kOffsetOutOfRange);
}

TEST(Partition, ConsumersReadToTheHighWatermark) {
  World world(1);
  world.run([&] { return reads_stop_at_the_watermark(world); });
}

struct CountingWatch final : Partition::Watch {
  explicit CountingWatch(int& to) : count(&to) {}
  void wake() override { ++*count; }
  int* count;
};

Task<void> watchers_wake_once(World& world, int& wakes) {
  Partition& partition = world.partition();
  EXPECT_TRUE(partition.lead(leadership(0)));
  CountingWatch first(wakes);
  CountingWatch late(wakes);
  partition.watch(Offset(0), first);
  EXPECT_EQ(wakes, 0);
  EXPECT_TRUE(partition.append(batch(1), true));
  EXPECT_TRUE(partition.append(batch(1), true));
  EXPECT_EQ(wakes, 1);
  partition.watch(Offset(0), first);
  EXPECT_EQ(wakes, 2) << "there is news already";
  partition.watch(Offset(2), late);
  {
    std::vector<std::unique_ptr<CountingWatch>> gone;
    for (int i = 0; i < 3; ++i) {
      gone.push_back(std::make_unique<CountingWatch>(wakes));
      partition.watch(Offset(2), *gone.back());
    }
    partition.watch(Offset(2), first);
    gone.erase(gone.begin() + 1);
  }
  partition.stop_leading();
  EXPECT_EQ(wakes, 4) << "the end of leadership is news too";
  co_return;
}

TEST(Partition, LongPollsAreWokenByNewsAndOnlyOnce) {
  World world(storage::kMaxLong);
  int wakes = 0;
  world.run([&] { return watchers_wake_once(world, wakes); });
}

Task<void> a_failed_flush_ends_it(World& world) {
  Partition& partition = world.partition();
  EXPECT_TRUE(partition.lead(leadership(0)));
  world.shards().files().inject({.operation = runtime::FileOperation::kSync, .path_part = ".log", .times = 1});
  EXPECT_TRUE(partition.append(batch(1), true));
  const auto waited = co_await partition.wait_high_watermark(Offset(1), milliseconds(1000));
  EXPECT_EQ(waited.error().code, Errc::kStorage);
  EXPECT_EQ(partition.high_watermark(), Offset(0));
  EXPECT_EQ(partition.append(batch(1), true).error().error.code, Errc::kStorage) << "a failed fsync is final";
}

TEST(Partition, NothingIsAcknowledgedAfterAFailedFlush) {
  World world(1);
  world.run([&] { return a_failed_flush_ends_it(world); });
}

}  // namespace
}  // namespace dohle::replication

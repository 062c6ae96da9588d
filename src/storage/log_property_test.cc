// Random lives of a log against a model: what was committed is there after every death, in order, without holes.
#include <gtest/gtest.h>

#include <map>

#include "storage_world.h"

namespace dohle::storage {
namespace {

using runtime::CrashLoss;

class RandomLife {
 public:
  RandomLife(std::uint64_t seed, std::size_t shards) : seed_(seed), world_(shards, seed), random_(seed) {
    config_.segment_bytes = 600;
    config_.segment_index_bytes = 80;
    config_.index_interval_bytes = 150;
    config_.file_delete_delay_ms = 0;
    config_.retention_ms = -1;
    start();
  }

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed_) + " step " + std::to_string(step));
      act();
      if (std::exchange(settle_, false))
        world_.shards.run_until_idle();  // see docs/FORMATS.md: renames keep their order
      check();
    }
  }

 private:
  void start() {
    LogManagerConfig config;
    config.tail_cache_bytes_per_shard = random_.below(2) == 0 ? 0 : 1U << 20U;
    config.open_segments_per_shard = 4;
    config.journal_bytes = seed_ % 2 == 0 ? 0 : CommitJournal::kLeastFileBytes;
    world_.start(config, {.config_for = [this](const std::string&) { return config_; }});
    {
      const auto scope = world_.shards.enter(0);
      world_.manager->start();
    }
    log_ = &world_.log("t", kPartition, config_);
  }

  void act() {
    switch (random_.below(12)) {
      case 0:
        return crash(CrashLoss::kNothing);
      case 1:
        return crash(random_.below(2) == 0 ? CrashLoss::kUnsynced : CrashLoss::kRandom);
      case 2:
        return restart();
      case 3:
        return truncate();
      case 4:
        return delete_records();
      case 5:
      case 6:
        return commit();
      default:
        return append();
    }
  }

  void append() {
    for (std::uint64_t i = random_.below(6); i > 0; --i) {
      const int records = 1 + static_cast<int>(random_.below(3));
      const auto size = static_cast<std::size_t>(random_.below(120));
      const bool idempotent = random_.below(2) == 0;
      if (random_.below(10) == 0) ++epoch_;
      BatchSpec spec{.records = records, .value_bytes = size};
      if (idempotent) {
        spec.producer = ProducerId(1);
        spec.producer_epoch = producer_epoch_;
        spec.base_sequence = sequence_;
        sequence_ += records;
      }
      const auto appended = world_.append(*log_, spec, epoch_);
      ASSERT_TRUE(appended) << appended.error().error.message;
      ASSERT_EQ(appended->first_offset.value(), end());
      batches_[appended->first_offset.value()] = {appended->last_offset.value(), epoch_};
    }
  }

  void commit() {
    ASSERT_TRUE(world_.commit(*log_));
    committed_ = end();
    const auto scope = world_.shards.enter(world_.shard_of(kPartition));
    log_->set_high_watermark(log_->log_end());
  }

  void truncate() {
    if (batches_.empty()) return;
    // At a batch boundary, as a follower does.
    auto at = batches_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(batches_.size())));
    if (at->first < start_) return;
    const std::int64_t to = at->first;
    {
      const auto scope = world_.shards.enter(world_.shard_of(kPartition));
      ASSERT_TRUE(log_->truncate_to(Offset(to)));
    }
    batches_.erase(at, batches_.end());
    if (batches_.empty()) base_ = to;
    committed_ = std::min(committed_, to);
    forget_producer();
    // The recovery point that went back reaches its checkpoint with the next high watermarks.
    world_.shards.advance(std::chrono::seconds(6));
  }

  void delete_records() {
    const std::int64_t high = log_->high_watermark().value();
    if (high <= start_) return;
    const std::int64_t to =
        start_ + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(high - start_ + 1)));
    {
      const auto scope = world_.shards.enter(world_.shard_of(kPartition));
      ASSERT_TRUE(log_->delete_records_before(Offset(to)));
    }
    start_ = std::max(start_, to);
    deleted_ = std::max(deleted_, start_);
    ASSERT_TRUE(world_.delete_old_segments(*log_, runtime::ManualClock::kStartWallMs));
    const auto scope = world_.shards.enter(world_.shard_of(kPartition));
    log_->delete_due_files();
    settle_ = true;
  }

  void restart() {
    world_.stop_cleanly();
    start();
    committed_ = end();
    ASSERT_EQ(log_->log_start().value(), start_);
    ASSERT_EQ(log_->log_end().value(), end());
  }

  void crash(CrashLoss loss) {
    world_.crash(loss);
    start();
    // The log start is checkpointed now and then only; it may go back to where segments begin.
    start_ = log_->log_start().value();
    const std::int64_t now = log_->log_end().value();
    ASSERT_GE(now, std::min(committed_, end()));
    ASSERT_LE(now, end());
    if (loss == CrashLoss::kNothing) ASSERT_EQ(now, end());
    while (!batches_.empty() && batches_.rbegin()->first >= now) batches_.erase(std::prev(batches_.end()));
    if (batches_.empty()) base_ = now;
    ASSERT_EQ(end(), now) << "cut inside a batch";
    ASSERT_EQ(log_->flushed_end().value(), now);
    committed_ = now;
    forget_producer();
  }

  // What a producer does that does not know which of its batches survived.
  void forget_producer() {
    ++producer_epoch_;
    sequence_ = 0;
  }

  [[nodiscard]] std::int64_t end() const { return batches_.empty() ? base_ : batches_.rbegin()->second.last + 1; }

  void check() {
    ASSERT_EQ(log_->log_end().value(), end());
    ASSERT_LE(log_->log_start(), log_->high_watermark());
    std::int64_t next = log_->log_start().value();
    auto at = batches_.upper_bound(next);
    if (at != batches_.begin()) --at;
    while (next < end()) {
      const auto read = world_.read(*log_, next, {.max_bytes = 1 + static_cast<std::uint32_t>(random_.below(700))});
      ASSERT_TRUE(read) << read.error().message;
      const auto found = offsets_in(read->records);
      ASSERT_FALSE(found.empty()) << "hole at " << next;
      for (const auto& batch : found) {
        ASSERT_NE(at, batches_.end());
        ASSERT_EQ(batch.base, at->first);
        ASSERT_EQ(batch.last, at->second.last);
        if (batch.base >= deleted_) ASSERT_EQ(log_->epoch_at(Offset(batch.base)), LeaderEpoch(at->second.epoch));
        ++at;
        next = batch.last + 1;
      }
    }
  }

  struct Batch {
    std::int64_t last;
    int epoch;
  };
  static constexpr std::int32_t kPartition = 1;
  std::uint64_t seed_;
  StorageWorld world_;
  runtime::SeededRandom random_;
  LogConfig config_;
  Log* log_ = nullptr;
  std::map<std::int64_t, Batch> batches_;  // by base offset
  std::int64_t base_ = 0;                  // the log end when there are none
  std::int64_t start_ = 0;
  std::int64_t committed_ = 0;
  std::int64_t deleted_ = 0;  // epochs below are gone for good, as in Kafka, even when the log start goes back
  bool settle_ = false;
  int epoch_ = 0;
  std::int16_t producer_epoch_ = 0;
  std::int32_t sequence_ = 0;
};

class LogPropertyTest : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, LogPropertyTest, ::testing::Values(1, 4));

TEST_P(LogPropertyTest, CommittedRecordsAreThereAfterEveryDeath) {
  for (std::uint64_t seed = 1; seed <= 80 && !HasFailure(); ++seed) RandomLife(seed, GetParam()).run(60);
}

}  // namespace
}  // namespace dohle::storage

#include "tail_cache.h"

#include <memory>

#include <gtest/gtest.h>
#include <runtime/memory/memory_shards.h>

namespace dohle::storage {
namespace {

class TailCacheTest : public ::testing::Test {
 protected:
  // One batch of `size` bytes that begins at `base` and holds two records.
  void append(TailCache& cache, std::int64_t base, std::size_t size) {
    const BatchPlace place{
        .position = position, .size = size, .magic = 2, .base_offset = Offset(base), .last_offset = Offset(base + 1)};
    position += size;
    cache.append(Slice::copy_of(std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(base))), {place}, Offset(0));
  }
  runtime::MemoryShards shards{1};
  runtime::MemoryShards::Scope scope = shards.enter(0);
  std::uint64_t position = 0;
};

TEST_F(TailCacheTest, TheOldestBatchOfTheShardGoesFirst) {
  constexpr auto kBeside = TailCache::kBookkeepingBytes;
  TailCachePool pool(1000 + 2 * kBeside);
  TailCache a(pool);
  TailCache b(pool);
  append(a, 0, 400);
  append(b, 0, 400);
  append(a, 2, 300);  // 1100: the first of a goes
  EXPECT_EQ(pool.used_bytes(), 700U + 2 * kBeside);
  EXPECT_FALSE(a.read(Offset(0), Offset(10), 1000, true));
  EXPECT_TRUE(a.read(Offset(2), Offset(10), 1000, true));
  EXPECT_TRUE(b.read(Offset(1), Offset(10), 1000, true));
  b.clear();
  EXPECT_EQ(pool.used_bytes(), 300U + kBeside);
  pool.set_limit(0);
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_EQ(a.batches(), 0U);
}

TEST_F(TailCacheTest, LimitsAndUpperBound) {
  TailCachePool pool(1U << 20U);
  TailCache cache(pool);
  for (int i = 0; i < 5; ++i) append(cache, 2 * i, 100);
  EXPECT_EQ(cache.read(Offset(3), Offset(10), 250, true)->bytes, 200U);
  EXPECT_EQ(cache.read(Offset(3), Offset(6), 1000, true)->bytes, 200U);
  EXPECT_EQ(cache.read(Offset(3), Offset(10), 50, true)->bytes, 100U);
  EXPECT_EQ(cache.read(Offset(3), Offset(10), 50, false)->bytes, 0U);
  EXPECT_EQ(cache.read(Offset(3), Offset(10), 50, false)->first_size, 100U);
  EXPECT_EQ(cache.position_of(Offset(4))->position, 200U);
  EXPECT_FALSE(cache.position_of(Offset(5)));
  EXPECT_FALSE(cache.read(Offset(10), Offset(20), 100, true));
}

TEST_F(TailCacheTest, AGapStartsAnew) {
  TailCachePool pool(1U << 20U);
  TailCache cache(pool);
  append(cache, 0, 100);
  append(cache, 10, 100);
  EXPECT_EQ(cache.batches(), 1U);
  EXPECT_FALSE(cache.read(Offset(0), Offset(20), 100, true));
  EXPECT_TRUE(cache.read(Offset(10), Offset(20), 100, true));
}

TEST_F(TailCacheTest, ManyDropsKeepTheOrder) {
  TailCachePool pool(10 * (100 + TailCache::kBookkeepingBytes));
  TailCache cache(pool);
  for (int i = 0; i < 500; ++i) {
    append(cache, 2 * i, 100);
    const auto found = cache.read(Offset(2 * i), Offset(10'000), 100, true);
    ASSERT_TRUE(found);
    ASSERT_EQ(std::get<Slice>(found->fragments[0]).bytes()[0], static_cast<std::uint8_t>(2 * i));
  }
  EXPECT_EQ(cache.batches(), 10U);
}

// Requests of any shape: however they are cut up, what stays in memory is within the charge.
TEST_F(TailCacheTest, NeverPinsMoreThanItsCharge) {
  TailCachePool pool(200'000);
  std::vector<std::unique_ptr<TailCache>> caches;
  for (int i = 0; i < 5; ++i) caches.push_back(std::make_unique<TailCache>(pool));
  std::vector<std::int64_t> next(caches.size(), 0);
  const auto before = shards.at(0).buffers().allocated_bytes();
  for (int round = 0; round < 500; ++round) {
    auto [request, into] = Slice::allocate(1 + shards.random().below(20'000));
    std::size_t at = 0;
    while (at < request.size()) {
      const std::size_t whole = std::min<std::size_t>(1 + shards.random().below(request.size()), request.size() - at);
      const std::size_t which = shards.random().below(caches.size());
      std::vector<BatchPlace> batches;
      for (std::size_t done = 0; done < whole;) {
        const std::size_t size = std::min<std::size_t>(1 + shards.random().below(whole), whole - done);
        batches.push_back({.size = size, .base_offset = Offset(next[which]), .last_offset = Offset(next[which])});
        ++next[which];
        done += size;
      }
      caches[which]->append(request.sub(at, whole), batches, Offset(0));
      at += whole;
    }
    request = Slice();
    ASSERT_LE(shards.at(0).buffers().allocated_bytes() - before, pool.used_bytes());
    ASSERT_LE(pool.used_bytes(), 200'000U);
  }
}

TEST_F(TailCacheTest, LendsNothingWhenBuffersAreNearlyFull) {
  TailCachePool pool(1000, runtime::BufferGauge(shards, shards.at(0).buffers().allocated_bytes() + 1000));
  EXPECT_TRUE(pool.may_lend());
  const Slice other = Slice::allocate(900).first;
  EXPECT_FALSE(pool.may_lend());
  TailCache cache(pool);
  append(cache, 0, 10);
  EXPECT_EQ(cache.batches(), 0U);
}

}  // namespace
}  // namespace dohle::storage

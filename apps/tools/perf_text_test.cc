#include "perf_text.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace dohle::app {
namespace {

TEST(ProducerStats, LinesAreKafkas) {
  ProducerStats stats(4, 1000, false);
  for (const std::int64_t latency_ms : {1, 2, 3, 10}) stats.record(latency_ms, 1024 * 1024);
  EXPECT_FALSE(stats.window_is_over(2999, 2000));
  ASSERT_TRUE(stats.window_is_over(3000, 2000));
  EXPECT_EQ(stats.window_line(3000),
            "4 records sent, 2.0 records/sec (2.00 MB/sec), 4.0 ms avg latency, 10.0 ms max latency.");
  EXPECT_FALSE(stats.window_is_over(9000, 2000));
  EXPECT_EQ(stats.total_line(5000),
            "4 records sent, 1.000000 records/sec (1.00 MB/sec), 4.00 ms avg latency, 10.00 ms max latency, 3 ms 50th, "
            "10 ms 95th, 10 ms 99th, 10 ms 99.9th.");
}

TEST(ConsumerStats, LinesAreKafkas) {
  const ConsumerStats stats{.records = 200, .bytes = 2 * 1024 * 1024, .joining_ms = 1000};
  EXPECT_EQ(consumer_total(stats, "a", "b", 2000), "a, b, 2.0000, 1.0000, 200, 100.0000, 1000, 1000, 2.0000, 200.0000");
  const ConsumerStats before{.records = 100, .bytes = 1024 * 1024, .joining_ms = 1000};
  EXPECT_EQ(consumer_progress(stats, before, "t", 1000),
            "t, 0, 2.0000, 1.0000, 200, 100.0000, 0, 1000, 1.0000, 100.0000");
}

TEST(FormatDate, TakesJavasPatterns) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(format_date("yyyy-MM-dd HH:mm:ss:SSS", 1'709'208'000'007), "2024-02-29 12:00:00:007");
  EXPECT_EQ(format_date("dd.MM.yy 'at' h", 1'709'208'000'007), "29.02.24 at 12");
}

}  // namespace
}  // namespace dohle::app

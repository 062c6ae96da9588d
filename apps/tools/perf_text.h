// The numbers that the performance tools keep, and the lines they print.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dohle::app {

// What kafka-producer-perf-test knows of the records sent so far; times in ms of one clock.
class ProducerStats {
 public:
  ProducerStats(std::int64_t expected_records, std::int64_t now_ms, bool steady_state);
  void record(std::int64_t latency_ms, std::size_t bytes);

  // Since the last window began; begins a new one.
  [[nodiscard]] bool window_is_over(std::int64_t now_ms, std::int64_t interval_ms) const {
    return now_ms - window_start_ms_ >= interval_ms && window_.count > 0;
  }
  [[nodiscard]] std::string window_line(std::int64_t now_ms);
  [[nodiscard]] std::string total_line(std::int64_t now_ms) const;

 private:
  struct Sum {
    std::int64_t count = 0;
    std::size_t bytes = 0;
    std::int64_t latency_ms = 0;
    std::int64_t max_latency_ms = 0;
    void add(std::int64_t latency, std::size_t size);
    [[nodiscard]] double records_per_second(std::int64_t elapsed_ms) const;
    [[nodiscard]] double megabytes_per_second(std::int64_t elapsed_ms) const;
    [[nodiscard]] double average_ms() const;
  };
  Sum total_;
  Sum window_;
  std::int64_t start_ms_;
  std::int64_t window_start_ms_;
  std::int64_t every_;  // one latency in so many is kept
  std::vector<std::int64_t> latencies_ms_;
  bool steady_state_;
};

// What kafka-consumer-perf-test counts.
struct ConsumerStats {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::int64_t joining_ms = 0;  // without partitions
};
[[nodiscard]] std::string_view consumer_header(bool detailed);
[[nodiscard]] std::string consumer_total(const ConsumerStats& stats, std::string_view start, std::string_view end,
                                         std::int64_t elapsed_ms);
// Of the time since `before` was taken.
[[nodiscard]] std::string consumer_progress(const ConsumerStats& stats, const ConsumerStats& before,
                                            std::string_view now, std::int64_t elapsed_ms);

// A wall clock time by a pattern of Java's SimpleDateFormat: y M d H h m s S and quoted text. Local time.
[[nodiscard]] std::string format_date(std::string_view pattern, std::int64_t wall_ms);

}  // namespace dohle::app

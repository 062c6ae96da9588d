#include "perf_text.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>

#include <fmt/core.h>

namespace dohle::app {

namespace {

constexpr std::int64_t kSamples = 500'000;
constexpr double kMegabyte = 1024.0 * 1024.0;
constexpr double kSecondMs = 1000.0;

// Java divides by zero without complaint.
double per_second(double amount, std::int64_t elapsed_ms) {
  return kSecondMs * amount / static_cast<double>(elapsed_ms);
}

// As Java writes it.
std::string decimal(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return fmt::format("{:.{}f}", value, digits);
}

double megabytes(std::int64_t bytes) { return static_cast<double>(bytes) / kMegabyte; }

}  // namespace

void ProducerStats::Sum::add(std::int64_t latency, std::size_t size) {
  ++count;
  bytes += size;
  latency_ms += latency;
  max_latency_ms = std::max(max_latency_ms, latency);
}
double ProducerStats::Sum::records_per_second(std::int64_t elapsed_ms) const {
  return per_second(static_cast<double>(count), elapsed_ms);
}
double ProducerStats::Sum::megabytes_per_second(std::int64_t elapsed_ms) const {
  return per_second(static_cast<double>(bytes), elapsed_ms) / kMegabyte;
}
double ProducerStats::Sum::average_ms() const { return static_cast<double>(latency_ms) / static_cast<double>(count); }

ProducerStats::ProducerStats(std::int64_t expected_records, std::int64_t now_ms, bool steady_state)
    : start_ms_(now_ms),
      window_start_ms_(now_ms),
      every_(std::max<std::int64_t>(
          1, expected_records / std::min(std::max<std::int64_t>(expected_records, 1), kSamples))),
      steady_state_(steady_state) {}

void ProducerStats::record(std::int64_t latency_ms, std::size_t bytes) {
  if (total_.count % every_ == 0) latencies_ms_.push_back(latency_ms);
  total_.add(latency_ms, bytes);
  window_.add(latency_ms, bytes);
}

std::string ProducerStats::window_line(std::int64_t now_ms) {
  const std::int64_t elapsed_ms = now_ms - window_start_ms_;
  std::string out = fmt::format(
      "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {:.1f} ms max latency.", window_.count,
      decimal(window_.records_per_second(elapsed_ms), 1), decimal(window_.megabytes_per_second(elapsed_ms), 2),
      decimal(window_.average_ms(), 1), static_cast<double>(window_.max_latency_ms));
  window_ = {};
  window_start_ms_ = now_ms;
  return out;
}

std::string ProducerStats::total_line(std::int64_t now_ms) const {
  const std::int64_t elapsed_ms = now_ms - start_ms_;
  auto sorted = latencies_ms_;
  std::ranges::sort(sorted);
  const auto percentile = [&](double share) {
    if (sorted.empty()) return std::int64_t{0};
    const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return sorted[std::min(index, sorted.size() - 1)];
  };
  return fmt::format(
      "{}{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {:.2f} ms max latency, {} ms "
      "50th, {} ms 95th, {} ms 99th, {} ms 99.9th.",
      total_.count, steady_state_ ? " steady state" : "", decimal(total_.records_per_second(elapsed_ms), 6),
      decimal(total_.megabytes_per_second(elapsed_ms), 2), decimal(total_.average_ms(), 2),
      static_cast<double>(total_.max_latency_ms), percentile(0.5), percentile(0.95), percentile(0.99), percentile(0.999));
}

std::string_view consumer_header(bool detailed) {
  return detailed ? "time, threadId, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, "
                    "fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"
                  : "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, "
                    "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec";
}

std::string consumer_total(const ConsumerStats& stats, std::string_view start, std::string_view end,
                           std::int64_t elapsed_ms) {
  const std::int64_t fetching_ms = elapsed_ms - stats.joining_ms;
  const double mb = megabytes(stats.bytes);
  const auto records = static_cast<double>(stats.records);
  return fmt::format("{}, {}, {:.4f}, {}, {}, {}, {}, {}, {}, {}", start, end, mb,
                     decimal(per_second(mb, elapsed_ms), 4), stats.records, decimal(per_second(records, elapsed_ms), 4),
                     stats.joining_ms, fetching_ms, decimal(per_second(mb, fetching_ms), 4),
                     decimal(per_second(records, fetching_ms), 4));
}

std::string consumer_progress(const ConsumerStats& stats, const ConsumerStats& before, std::string_view now,
                              std::int64_t elapsed_ms) {
  const std::int64_t joining_ms = stats.joining_ms - before.joining_ms;
  const std::int64_t fetching_ms = elapsed_ms - joining_ms;
  const double mb = megabytes(stats.bytes - before.bytes);
  const auto records = static_cast<double>(stats.records - before.records);
  return fmt::format("{}, 0, {:.4f}, {:.4f}, {}, {:.4f}, {}, {}, {:.4f}, {:.4f}", now, megabytes(stats.bytes),
                     per_second(mb, elapsed_ms), stats.records, per_second(records, elapsed_ms), joining_ms,
                     fetching_ms, fetching_ms <= 0 ? 0.0 : per_second(mb, fetching_ms),
                     fetching_ms <= 0 ? 0.0 : per_second(records, fetching_ms));
}

std::string format_date(std::string_view pattern, std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm time{};
  localtime_r(&seconds, &time);
  const auto value_of = [&](char letter) -> int {
    switch (letter) {
      case 'y':
        return time.tm_year + 1900;
      case 'M':
        return time.tm_mon + 1;
      case 'd':
        return time.tm_mday;
      case 'H':
        return time.tm_hour;
      case 'h':
        return time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12;
      case 'm':
        return time.tm_min;
      case 's':
        return time.tm_sec;
      case 'S':
        return static_cast<int>(wall_ms % 1000);
      default:
        return -1;
    }
  };
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'') {
      const auto end = std::min(pattern.find('\'', i + 1), pattern.size());
      out += pattern.substr(i + 1, end - i - 1);
      i = end + 1;
      continue;
    }
    const auto run = std::min(pattern.find_first_not_of(c, i), pattern.size()) - i;
    const int value = value_of(c);
    if (value < 0) {
      out.append(run, c);
    } else {
      out += c == 'y' && run == 2 ? fmt::format("{:02}", value % 100) : fmt::format("{:0{}}", value, run);
    }
    i += run;
  }
  return out;
}

}  // namespace dohle::app

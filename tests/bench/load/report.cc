#include "report.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace dohle::load {
namespace {

double own_cpu_s() {
  timespec cpu{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  return static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
}

}  // namespace

void Report::ready() {
  std::puts("ready");
  std::fflush(stdout);
  cpu_s_before_ = own_cpu_s();
}

double Report::percentile_us(double share) const {
  if (latencies_ns_.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(latencies_ns_.size()));
  return static_cast<double>(latencies_ns_[std::min(latencies_ns_.size() - 1, at)]) / 1000;
}

void Report::print(Duration elapsed) {
  const double cpu_s = own_cpu_s() - cpu_s_before_;
  std::ranges::sort(latencies_ns_);
  std::printf(R"({"requests": %zu, "bytes": %llu, "seconds": %.6f, "p50_us": %.1f, "p99_us": %.1f, "p999_us": %.1f, )"
              R"("load_cpu_s": %.3f)",
              latencies_ns_.size(), static_cast<unsigned long long>(bytes_), static_cast<double>(elapsed.count()) / 1e9,
              percentile_us(0.5), percentile_us(0.99), percentile_us(0.999), cpu_s);
  for (const auto& [name, value] : notes_) std::printf(R"(, "%s": %.6g)", name.c_str(), value);
  std::printf("}\n");
}

}  // namespace dohle::load

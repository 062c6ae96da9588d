// ManualClock: time that passes only when a test says so; the two clocks move together or apart.
#pragma once

#include <utility>

#include <runtime/clock.h>

namespace dohle::runtime {

class ManualClock final : public Clock {
 public:
  // 2026-01-01T00:00:00Z, so that timestamps look like timestamps.
  static constexpr std::int64_t kStartWallMs = 1'767'225'600'000;

  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] std::int64_t wall_ms() const override {
    return wall_base_ms_ + std::chrono::duration_cast<std::chrono::milliseconds>(wall_passed_).count();
  }

  [[nodiscard]] Duration take_cpu_wait() const override { return std::exchange(cpu_wait_, Duration{0}); }
  // What threads have waited for a CPU, for whoever asks next.
  void add_cpu_wait(Duration time) { cpu_wait_ += time; }

  // Both clocks. Timers do not fire by this: see MemoryShards::advance.
  void advance(Duration by) {
    advance_monotonic(by);
    wall_passed_ += by;
  }
  void advance_monotonic(Duration by) { now_ = now_ + by; }
  void set_monotonic(MonotonicTime now) { now_ = now; }
  // The wall clock only, in either direction.
  void set_wall_ms(std::int64_t wall_ms) {
    wall_base_ms_ = wall_ms;
    wall_passed_ = Duration{0};
  }

 private:
  MonotonicTime now_{std::chrono::seconds(1000)};
  std::int64_t wall_base_ms_ = kStartWallMs;
  Duration wall_passed_{0};
  mutable Duration cpu_wait_{0};
};

}  // namespace dohle::runtime

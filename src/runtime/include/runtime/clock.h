// The two clocks. Sessions, delays and time-outs are monotonic; record timestamps and retention follow the wall clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace dohle::runtime {

using Duration = std::chrono::nanoseconds;

// Nanoseconds since some start of the machine's choosing.
struct MonotonicTime {
  Duration since_start{0};
  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;
  friend constexpr MonotonicTime operator+(MonotonicTime t, Duration d) { return {t.since_start + d}; }
  friend constexpr Duration operator-(MonotonicTime a, MonotonicTime b) { return a.since_start - b.since_start; }
  [[nodiscard]] std::int64_t ms() const { return std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count(); }
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonotonicTime now() const = 0;
  // Milliseconds since 1970, as record timestamps count.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
  // How long the calling thread was ready to run and waited for a CPU since it last asked: what is not the fault of whatever
  // else it waited for. Zero where that is not known. Costs a look into /proc.
  [[nodiscard]] virtual Duration take_cpu_wait() const { return Duration{0}; }
};

}  // namespace dohle::runtime

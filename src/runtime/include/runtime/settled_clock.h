// SettledClock: what a shard believes of the wall clock when it decides about retention and expiry. One shard.
#pragma once

#include <algorithm>
#include <cstdint>

#include <runtime/clock.h>
#include <runtime/wall_clock_guard.h>

namespace dohle::runtime {

class SettledClock {
 public:
  explicit SettledClock(const Clock& clock) : clock_(clock) {}
  [[nodiscard]] std::int64_t wall_ms() { return guard_.accept(clock_.now().ms(), clock_.wall_ms()); }
  // As it stands, for the timestamps of records.
  [[nodiscard]] std::int64_t shown_ms() const { return clock_.wall_ms(); }
  // For a time that is written down now, and that an expiry counts from later: whichever of the two clocks was wrong,
  // it comes early for neither.
  [[nodiscard]] std::int64_t stamp_ms() { return std::max(wall_ms(), shown_ms()); }
  // What was believed before this process began.
  void remember(std::int64_t settled_ms) { guard_.remember(clock_.now().ms(), settled_ms); }

 private:
  const Clock& clock_;
  WallClockGuard guard_;
};

}  // namespace dohle::runtime

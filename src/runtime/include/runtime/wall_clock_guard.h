// WallClockGuard: the wall clock as retention and expiry may believe it. A jump of more than five minutes against the
// monotonic clock counts only after it has stood for half an hour.
#pragma once

#include <cstdint>
#include <optional>

namespace dohle::runtime {

class WallClockGuard {
 public:
  // Both clocks read together; the accepted wall clock in ms.
  [[nodiscard]] std::int64_t accept(std::int64_t monotonic_ms, std::int64_t wall_ms);
  // What was accepted last, by this process or by one before it: a clock that was set while nobody looked has jumped
  // too.
  void remember(std::int64_t monotonic_ms, std::int64_t accepted_ms) { trusted_ = {monotonic_ms, accepted_ms}; }

 private:
  struct Anchor {
    std::int64_t monotonic_ms;
    std::int64_t wall_ms;
  };
  std::optional<Anchor> trusted_;
  std::optional<Anchor> jumped_;  // where the clock stands since the jump
};

}  // namespace dohle::runtime

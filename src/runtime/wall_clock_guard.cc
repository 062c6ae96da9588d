#include <runtime/wall_clock_guard.h>

namespace dohle::runtime {

namespace {
constexpr std::int64_t kJumpMs = 5 * 60 * 1000;
constexpr std::int64_t kStandsMs = 30 * 60 * 1000;

bool far(std::int64_t a, std::int64_t b) { return a - b > kJumpMs || b - a > kJumpMs; }
}  // namespace

std::int64_t WallClockGuard::accept(std::int64_t monotonic_ms, std::int64_t wall_ms) {
  if (!trusted_) trusted_ = {monotonic_ms, wall_ms};
  const std::int64_t expected = trusted_->wall_ms + (monotonic_ms - trusted_->monotonic_ms);
  if (!far(wall_ms, expected)) {
    trusted_ = {monotonic_ms, wall_ms};
    jumped_.reset();
    return wall_ms;
  }
  // A second jump starts the wait again.
  if (!jumped_ || far(wall_ms, jumped_->wall_ms + (monotonic_ms - jumped_->monotonic_ms))) {
    jumped_ = {monotonic_ms, wall_ms};
  }
  if (monotonic_ms - jumped_->monotonic_ms < kStandsMs) return expected;
  trusted_ = {monotonic_ms, wall_ms};
  jumped_.reset();
  return wall_ms;
}

}  // namespace dohle::runtime

// Requests at a rate, whatever has become of those before.
#pragma once

#include "wires.h"

namespace dohle::load {

// Calls `due(n, intended)` for the request n when its time has come, until `duration` is over or `most` were due;
// answers are handed on meanwhile.
template <typename Due>
void run_open_loop(Wires& wires, std::int64_t rate, Duration duration, std::int64_t most, Due due) {
  const auto start = now();
  const auto due_at = [&](std::int64_t n) { return start + Duration(n * 1'000'000'000 / rate); };
  for (std::int64_t n = 0; n < most && due_at(n) < start + duration && !is_told_to_stop();) {
    for (const auto time = now(); n < most && due_at(n) <= time && due_at(n) < start + duration; ++n) due(n, due_at(n));
    wires.turn(due_at(n));
  }
}

}  // namespace dohle::load

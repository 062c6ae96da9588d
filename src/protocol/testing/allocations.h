// Counts what goes through operator new in this program, on all threads. Linking this replaces operator new.
#pragma once

#include <cstddef>

namespace dohle::protocol::testing {

struct Allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};
// Since the program began.
[[nodiscard]] Allocations allocations();

}  // namespace dohle::protocol::testing

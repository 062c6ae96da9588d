// Counts what the calling thread takes from the heap: whoever links this has its own operator new.
#pragma once

#include <cstdint>

namespace dohle::broker {

// Since the thread began.
[[nodiscard]] std::uint64_t allocations_of_this_thread();

}  // namespace dohle::broker

// Counts what the calling thread takes from the heap: whoever links this has its own operator new.
#pragma once

#include <cstdint>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DOHLE_SANITIZED 1
#endif
#endif

namespace dohle {

// False under a sanitizer, which has an operator new of its own.
#ifdef DOHLE_SANITIZED
inline constexpr bool kCountsAllocations = false;
#else
inline constexpr bool kCountsAllocations = true;
#endif

struct Allocations {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
// Since the thread began.
[[nodiscard]] Allocations allocations_of_this_thread();

}  // namespace dohle

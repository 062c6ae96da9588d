// memory.limit: how a node's memory is divided.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dohle::broker::config {

struct MemoryPlan {
  std::uint64_t request_bytes = 0;     // of frames that wait or are being served, on each shard
  std::uint64_t tail_cache_bytes = 0;  // of records kept for readers, on each shard
};

// A quarter for requests, an eighth for the tail cache; the rest is left to everything else and to the page cache. With
// plenty of memory neither grows without end. What left the tail cache is in the page cache: beyond 32 MiB a shard it
// brings nothing but a larger process.
[[nodiscard]] constexpr MemoryPlan plan_memory(std::uint64_t total_bytes, std::size_t shards) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  const std::uint64_t share = total_bytes / std::max<std::size_t>(1, shards);
  return {.request_bytes = std::clamp(share / 4, 1 * kMiB, 256 * kMiB),
          .tail_cache_bytes = std::clamp(share / 8, 1 * kMiB, 32 * kMiB)};
}

}  // namespace dohle::broker::config

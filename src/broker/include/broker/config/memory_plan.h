// memory.limit: how a node's memory is divided.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dohle::broker::config {

struct MemoryPlan {
  // Of frames that wait or are being served, on each shard (transport::ServerOptions).
  std::uint64_t request_bytes = 0;
  std::uint64_t privileged_bytes = 0;
  std::uint64_t unauthenticated_bytes = 0;
  std::uint64_t tail_cache_bytes = 0;  // of records kept for readers, on each shard
  std::uint64_t buffer_bytes = 0;      // of all buffers of the node: these, and answers on their way
};

// Five eighths go to buffers. Of those, frames never take more than 0.35 of the whole (each pool has a quarter beside
// it for small ones), and the tail cache an eighth; so a full node can always go on, and what is left is for answers. The
// other three eighths are for everything else: connections, decoded requests, the state of partitions and groups. With
// plenty of memory the parts do not grow without end: what left the tail cache is in the page cache, and beyond 32 MiB a
// shard it brings nothing but a larger process.
[[nodiscard]] constexpr MemoryPlan plan_memory(std::uint64_t total_bytes, std::size_t shards) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  const std::uint64_t share = total_bytes / std::max<std::size_t>(1, shards);
  return {.request_bytes = std::clamp(share / 5, 1 * kMiB, 256 * kMiB),
          .privileged_bytes = std::clamp(share / 16, 1 * kMiB, 64 * kMiB),
          .unauthenticated_bytes = std::clamp(share / 64, 1 * kMiB, 4 * kMiB),
          .tail_cache_bytes = std::clamp(share / 8, 1 * kMiB, 32 * kMiB),
          .buffer_bytes = std::max(total_bytes / 8 * 5, 8 * kMiB * std::max<std::size_t>(1, shards))};
}

}  // namespace dohle::broker::config

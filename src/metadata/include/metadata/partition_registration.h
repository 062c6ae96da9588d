// What the controller has decided about one partition: its replicas, its in-sync set, its leader and their epochs.
// Values are those of PartitionRecord and PartitionChangeRecord; ids are plain numbers, as in the records.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <base/ids.h>

namespace dohle::metadata {

inline constexpr std::int32_t kNoLeader = -1;

// Directory ids below 100 are reserved (KIP-858).
inline constexpr Uuid kDirectoryMigrating{0, 0};
inline constexpr Uuid kDirectoryUnassigned{0, 1};
inline constexpr Uuid kDirectoryLost{0, 2};
[[nodiscard]] constexpr bool is_reserved_directory(const Uuid& id) { return id.high == 0 && id.low < 100; }

enum class LeaderRecoveryState : std::int8_t { kRecovered = 0, kRecovering = 1 };

struct PartitionRegistration {
  std::vector<std::int32_t> replicas;  // the first one is the preferred leader
  std::vector<Uuid> directories;       // of each replica, same order
  std::vector<std::int32_t> isr;
  std::vector<std::int32_t> removing_replicas;
  std::vector<std::int32_t> adding_replicas;
  std::vector<std::int32_t> elr;  // eligible leader replicas (KIP-966)
  std::vector<std::int32_t> last_known_elr;
  std::int32_t leader = kNoLeader;
  LeaderRecoveryState leader_recovery_state = LeaderRecoveryState::kRecovered;
  std::int32_t leader_epoch = 0;     // grows with every change of leader
  std::int32_t partition_epoch = 0;  // grows with every change

  [[nodiscard]] bool has_leader() const { return leader != kNoLeader; }
  [[nodiscard]] std::int32_t preferred_leader() const { return replicas.empty() ? kNoLeader : replicas.front(); }
  [[nodiscard]] bool has_preferred_leader() const { return leader == preferred_leader(); }
  [[nodiscard]] bool is_reassigning() const { return !adding_replicas.empty() || !removing_replicas.empty(); }
  [[nodiscard]] bool is_replica(std::int32_t broker) const {
    return std::ranges::find(replicas, broker) != replicas.end();
  }
  [[nodiscard]] bool is_in_sync(std::int32_t broker) const { return std::ranges::find(isr, broker) != isr.end(); }
  // Where `broker` keeps its replica; unassigned when it has none.
  [[nodiscard]] Uuid directory(std::int32_t broker) const {
    for (std::size_t i = 0; i < replicas.size() && i < directories.size(); ++i) {
      if (replicas[i] == broker) return directories[i];
    }
    return kDirectoryUnassigned;
  }
  friend bool operator==(const PartitionRegistration&, const PartitionRegistration&) = default;
};

using PartitionRef = std::shared_ptr<const PartitionRegistration>;

}  // namespace dohle::metadata

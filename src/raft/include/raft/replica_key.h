// The small values of KRaft: who a replica is, where a log stands, who leads.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include <base/ids.h>
#include <base/uuid.h>

namespace dohle::raft {

// KIP-853: a replica is a node id and, when known, the id of its metadata directory.
struct ReplicaKey {
  std::int32_t id = -1;
  std::optional<Uuid> directory;  // absent under kraft.version 0; on the wire the zero uuid

  // The wire form: a zero uuid means "not known".
  [[nodiscard]] static ReplicaKey of(std::int32_t node_id, const Uuid& directory_id) {
    return {node_id, directory_id.is_zero() ? std::nullopt : std::optional(directory_id)};
  }
  [[nodiscard]] Uuid directory_or_zero() const { return directory.value_or(kZeroUuid); }
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const ReplicaKey&, const ReplicaKey&) = default;
};

// An end offset and the epoch of the record before it. Also the id of a snapshot.
struct OffsetAndEpoch {
  Offset offset{0};
  LeaderEpoch epoch{0};
  friend constexpr auto operator<=>(const OffsetAndEpoch&, const OffsetAndEpoch&) = default;
};
using SnapshotId = OffsetAndEpoch;
inline constexpr SnapshotId kBootstrapSnapshotId{Offset(0), LeaderEpoch(0)};

struct LeaderAndEpoch {
  std::optional<std::int32_t> leader;
  LeaderEpoch epoch{0};
  friend bool operator==(const LeaderAndEpoch&, const LeaderAndEpoch&) = default;
};

inline constexpr const char* kMetadataTopic = "__cluster_metadata";
inline constexpr const char* kMetadataDirectory = "__cluster_metadata-0";

}  // namespace dohle::raft

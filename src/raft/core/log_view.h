// LogView: what the core must know of the local log. Read only.
#pragma once

#include <optional>

#include <raft/replica_key.h>

namespace dohle::raft {

class LogView {
 public:
  virtual ~LogView() = default;
  // End offset and the epoch of the last record, or of the snapshot when the log is empty.
  [[nodiscard]] virtual OffsetAndEpoch end() const = 0;
  [[nodiscard]] virtual Offset start() const = 0;
  // Everything below is on disk.
  [[nodiscard]] virtual Offset flushed() const = 0;
  // The largest epoch <= `epoch` in the log and where it ends.
  [[nodiscard]] virtual OffsetAndEpoch end_offset_for_epoch(LeaderEpoch epoch) const = 0;
  [[nodiscard]] virtual std::optional<SnapshotId> earliest_snapshot() const = 0;
  [[nodiscard]] virtual std::optional<SnapshotId> latest_snapshot() const = 0;
  [[nodiscard]] virtual bool has_snapshot(SnapshotId id) const = 0;
};

// Does (offset, last fetched epoch) of a replica lie on this log?
struct PositionCheck {
  enum class Kind : std::uint8_t { kValid, kDiverging, kSnapshot } kind = Kind::kValid;
  OffsetAndEpoch point;  // diverging: where they part; snapshot: its id
};
[[nodiscard]] PositionCheck check_position(const LogView& log, Offset offset, LeaderEpoch epoch);

// Where a follower truncates when the leader says that its `diverging.epoch` ends at `diverging.offset`.
[[nodiscard]] Offset truncation_point(const LogView& log, OffsetAndEpoch diverging);

}  // namespace dohle::raft

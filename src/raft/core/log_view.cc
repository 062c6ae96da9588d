#include "core/log_view.h"

#include <algorithm>

namespace dohle::raft {

PositionCheck check_position(const LogView& log, Offset offset, LeaderEpoch epoch) {
  using Kind = PositionCheck::Kind;
  if (log.start() == Offset(0) && offset == Offset(0) && epoch == LeaderEpoch(0)) {
    return {Kind::kValid, {offset, epoch}};
  }
  if (const auto earliest = log.earliest_snapshot()) {
    const bool before_log = offset < log.start();
    const bool at_start_of_other_epoch = offset == log.start() && epoch != earliest->epoch;
    if (before_log || at_start_of_other_epoch || epoch < earliest->epoch) {
      return {Kind::kSnapshot, *log.latest_snapshot()};
    }
  }
  const OffsetAndEpoch end = log.end_offset_for_epoch(epoch);
  if (end.epoch != epoch || end.offset < offset) return {Kind::kDiverging, end};
  return {Kind::kValid, {offset, epoch}};
}

Offset truncation_point(const LogView& log, OffsetAndEpoch diverging) {
  if (diverging.epoch == LeaderEpoch(0)) return std::min(diverging.offset, log.end().offset);
  const OffsetAndEpoch local = log.end_offset_for_epoch(diverging.epoch);
  return local.epoch == diverging.epoch ? std::min(local.offset, diverging.offset) : local.offset;
}

}  // namespace dohle::raft

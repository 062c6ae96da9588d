// LeaderEpochCache: where each leader epoch begins in a log. Pure state; the log writes its checkpoint.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include <base/ids.h>
#include <storage/log.h>

#include "checkpoint_file.h"

namespace dohle::storage {

class LeaderEpochCache {
 public:
  LeaderEpochCache() = default;
  explicit LeaderEpochCache(const std::vector<EpochEntry>& entries);

  // True when it changed. Entries that contradict the new one go.
  bool assign(LeaderEpoch epoch, Offset start);
  [[nodiscard]] std::optional<EpochEntry> latest() const;
  [[nodiscard]] std::optional<EpochEntry> earliest() const;
  [[nodiscard]] std::optional<LeaderEpoch> epoch_at(Offset offset) const;
  [[nodiscard]] EpochEndOffset end_offset_for(LeaderEpoch epoch, Offset log_end) const;
  // Drops epochs that begin at or above `end`. True when it changed.
  bool truncate_from_end(Offset end);
  // Drops epochs that end at or below `start`; the one that holds it then begins there. True when it changed.
  bool truncate_from_start(Offset start);
  bool clear();
  [[nodiscard]] std::vector<EpochEntry> entries() const;
  [[nodiscard]] bool empty() const { return starts_.empty(); }

 private:
  std::map<LeaderEpoch, Offset> starts_;  // both columns ascend
};

}  // namespace dohle::storage

// ProducerSnapshotFiles: which producer snapshots a partition directory holds.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <runtime/file_system.h>

#include "file_work.h"
#include "producer_snapshot.h"

namespace dohle::storage {

class ProducerSnapshotFiles {
 public:
  ProducerSnapshotFiles(runtime::FileSystem& fs, std::string directory) : fs_(fs), directory_(std::move(directory)) {}

  void add_existing(Offset offset) { offsets_.insert(offset); }
  [[nodiscard]] const std::set<Offset>& offsets() const { return offsets_; }
  // Keeps the snapshots at segment bases, and the newest if it lies above them all: that of a clean stop.
  [[nodiscard]] Result<> remove_strays(const std::set<Offset>& segment_bases);
  // Writes the state at its end unless there is such a snapshot. The file, to be synced; nothing when not written.
  [[nodiscard]] Result<runtime::FileRef> write(const ProducerState& state);
  // The same for whoever writes it elsewhere, and calls add_existing() then.
  [[nodiscard]] std::optional<WholeFile> prepare(const ProducerState& state) const;
  // Loads the newest readable snapshot at or below `upto` into `state`; damaged ones are removed. False when there is
  // none.
  [[nodiscard]] Result<bool> load_newest(Offset upto, std::int64_t now_ms, ProducerState& state);
  [[nodiscard]] Result<> remove(Offset offset);
  // Snapshots outside (low, high].
  [[nodiscard]] Result<> remove_outside(Offset low, Offset high);
  // Renames to .deleted; the new path, empty when there was none.
  [[nodiscard]] Result<std::string> retire(Offset offset);
  void set_directory(std::string directory) { directory_ = std::move(directory); }

 private:
  [[nodiscard]] std::string path(Offset offset) const;
  runtime::FileSystem& fs_;
  std::string directory_;
  std::set<Offset> offsets_;
};

}  // namespace dohle::storage

// OffsetIndex: where in a segment an offset lies; one entry for each index.interval.bytes of log.
// Entry, 8 bytes: i32 offset relative to the segment's base, i32 position.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <base/ids.h>
#include <base/result.h>

#include "index_file.h"

namespace dohle::storage {

struct OffsetPosition {
  Offset offset;
  std::uint32_t position = 0;
};

class OffsetIndex {
 public:
  static constexpr std::size_t kEntryBytes = 8;
  OffsetIndex(runtime::FileSystem& fs, OpenFiles& pool, std::string path, Offset base);

  // As IndexFile::load; with `verify` kCorrupt too when the last entry cannot belong to the segment.
  [[nodiscard]] Result<> load(std::uint64_t file_bytes, bool verify);
  void append(Offset offset, std::uint32_t position);
  // The last entry at or below `target`; the segment's start when there is none.
  [[nodiscard]] Result<OffsetPosition> lookup(Offset target, Probe probe = nullptr) const;
  [[nodiscard]] Result<OffsetPosition> entry(std::size_t n, Probe probe = nullptr) const;
  [[nodiscard]] Result<OffsetPosition> last(Probe probe = nullptr) const;  // the segment's start when empty
  // Drops entries at and above `offset`.
  [[nodiscard]] Result<> truncate_to(Offset offset);
  [[nodiscard]] bool is_full(std::int32_t max_index_bytes) const;
  [[nodiscard]] IndexFile& file() { return file_; }
  [[nodiscard]] const IndexFile& file() const { return file_; }

 private:
  // How many entries are at or below `target`.
  [[nodiscard]] Result<std::size_t> count_up_to(Offset target, Probe probe) const;
  IndexFile file_;
  Offset base_;
};

}  // namespace dohle::storage

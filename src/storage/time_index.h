// TimeIndex: the largest timestamp up to an offset. The last entry of a sealed or cleanly closed segment is its maximum
// timestamp: Kafka's retention depends on it.
// Entry, 12 bytes: i64 timestamp, i32 offset relative to the segment's base; both ascend.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <base/ids.h>
#include <base/result.h>

#include "index_file.h"

namespace dohle::storage {

struct TimeEntry {
  std::int64_t timestamp = -1;
  Offset offset;
};

class TimeIndex {
 public:
  static constexpr std::size_t kEntryBytes = 12;
  TimeIndex(runtime::FileSystem& fs, OpenFiles& pool, std::string path, Offset base);

  [[nodiscard]] Result<> load(std::uint64_t file_bytes, bool verify);
  // Starts empty, whatever is on disk.
  [[nodiscard]] Result<> reset();
  // Ignored unless the timestamp is larger than the last one.
  [[nodiscard]] Result<> maybe_append(std::int64_t timestamp, Offset offset);
  // The last entry with a timestamp at or below `timestamp`; (-1, base) when there is none.
  [[nodiscard]] Result<TimeEntry> lookup(std::int64_t timestamp, Probe probe = nullptr) const;
  [[nodiscard]] Result<TimeEntry> entry(std::size_t n, Probe probe = nullptr) const;
  [[nodiscard]] Result<TimeEntry> last(Probe probe = nullptr) const;
  // Drops entries at and above `offset`.
  [[nodiscard]] Result<> truncate_to(Offset offset);
  // One slot is kept for the maximum at roll.
  [[nodiscard]] bool is_full(std::int32_t max_index_bytes) const;
  [[nodiscard]] IndexFile& file() { return file_; }
  [[nodiscard]] const IndexFile& file() const { return file_; }

 private:
  IndexFile file_;
  Offset base_;
  mutable std::optional<TimeEntry> last_;  // once read
};

}  // namespace dohle::storage

// The binary files beside a segment, as values: for tools that show them. All views are copies; any shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <base/bytes.h>
#include <base/ids.h>
#include <base/result.h>
#include <storage/log.h>

namespace dohle::storage {

struct OffsetIndexEntry {
  Offset offset;
  std::uint32_t position = 0;  // in the log file
};
struct TimeIndexEntry {
  std::int64_t timestamp = -1;
  Offset offset;
};
struct TransactionIndexEntry {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;  // of the abort marker
  Offset last_stable_offset;
};

// `base` is the offset in the file's name. Every whole entry; what lies behind the last one is left out. A running or
// killed Kafka leaves zeroes behind its entries, and these read as more entries: written_entries() tells them apart.
[[nodiscard]] std::vector<OffsetIndexEntry> decode_offset_index(Bytes content, Offset base);
[[nodiscard]] std::vector<TimeIndexEntry> decode_time_index(Bytes content, Offset base);
inline constexpr std::size_t kOffsetIndexEntryBytes = 8;
inline constexpr std::size_t kTimeIndexEntryBytes = 12;
// How many entries come before the zeroes: only the first may name the base offset itself.
template <typename Entry>
[[nodiscard]] std::size_t written_entries(const std::vector<Entry>& entries, Offset base) {
  std::size_t count = 0;
  while (count < entries.size() && (count == 0 || entries[count].offset != base)) ++count;
  return count;
}
// In the file's order, whatever that is: what a broker refuses to load can be shown. kCorrupt for an unknown version.
[[nodiscard]] Result<std::vector<TransactionIndexEntry>> decode_transaction_index(Bytes content);
// A producer snapshot, in the file's order. kCorrupt when its checksum is wrong or it is cut short.
[[nodiscard]] Result<std::vector<ProducerInfo>> decode_producer_snapshot(Bytes content);

}  // namespace dohle::storage

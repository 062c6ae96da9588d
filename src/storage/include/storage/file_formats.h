// The binary files beside a segment, as values: for tools that show them. All views are copies; any shard.
#pragma once

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

// `base` is the offset in the file's name. A zero tail, as a running or killed Kafka leaves it, is left out. kCorrupt
// when the length is no multiple of the entry size.
[[nodiscard]] Result<std::vector<OffsetIndexEntry>> decode_offset_index(Bytes content, Offset base);
[[nodiscard]] Result<std::vector<TimeIndexEntry>> decode_time_index(Bytes content, Offset base);
[[nodiscard]] Result<std::vector<TransactionIndexEntry>> decode_transaction_index(Bytes content, Offset base);
// A producer snapshot; sorted by producer id. kCorrupt when its checksum is wrong.
[[nodiscard]] Result<std::vector<ProducerInfo>> decode_producer_snapshot(Bytes content);

}  // namespace dohle::storage

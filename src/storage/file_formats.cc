#include <storage/file_formats.h>

#include <fmt/format.h>

#include "offset_index.h"
#include "producer_snapshot.h"
#include "time_index.h"
#include "transaction_index.h"

namespace dohle::storage {

namespace {

Result<> check_length(Bytes content, std::size_t entry_bytes) {
  if (content.size() % entry_bytes == 0) return {};
  return fail(Errc::kCorrupt,
              fmt::format("{} bytes is no multiple of the entry size, {}", content.size(), entry_bytes));
}

}  // namespace

Result<std::vector<OffsetIndexEntry>> decode_offset_index(Bytes content, Offset base) {
  DOHLE_TRY(check_length(content, OffsetIndex::kEntryBytes));
  std::vector<OffsetIndexEntry> out;
  for (std::size_t at = 0; at < content.size(); at += OffsetIndex::kEntryBytes) {
    const auto relative = load_be<std::int32_t>(content.data() + at);
    const auto position = load_be<std::uint32_t>(content.data() + at + 4);
    if (!out.empty() && relative == 0 && position == 0) break;
    out.push_back({base + relative, position});
  }
  return out;
}

Result<std::vector<TimeIndexEntry>> decode_time_index(Bytes content, Offset base) {
  DOHLE_TRY(check_length(content, TimeIndex::kEntryBytes));
  std::vector<TimeIndexEntry> out;
  for (std::size_t at = 0; at < content.size(); at += TimeIndex::kEntryBytes) {
    const auto timestamp = load_be<std::int64_t>(content.data() + at);
    const auto relative = load_be<std::int32_t>(content.data() + at + 8);
    if (!out.empty() && timestamp == 0 && relative == 0) break;
    out.push_back({timestamp, base + relative});
  }
  return out;
}

Result<std::vector<TransactionIndexEntry>> decode_transaction_index(Bytes content, Offset base) {
  DOHLE_ASSIGN(const auto entries, parse_transaction_index(content, base));
  std::vector<TransactionIndexEntry> out;
  for (const auto& txn : entries) {
    out.push_back({txn.producer_id, txn.first_offset, txn.last_offset, txn.last_stable_offset});
  }
  return out;
}

Result<std::vector<ProducerInfo>> decode_producer_snapshot(Bytes content) {
  DOHLE_ASSIGN(const auto producers, parse_producer_snapshot(content));
  std::vector<ProducerInfo> out;
  for (const auto& [id, entry] : producers) out.push_back(describe_producer(id, entry));
  return out;
}

}  // namespace dohle::storage

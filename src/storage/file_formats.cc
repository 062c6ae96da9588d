#include <storage/file_formats.h>

#include "offset_index.h"
#include "producer_snapshot.h"
#include "time_index.h"
#include "transaction_index.h"

namespace dohle::storage {

static_assert(kOffsetIndexEntryBytes == OffsetIndex::kEntryBytes);
static_assert(kTimeIndexEntryBytes == TimeIndex::kEntryBytes);

std::vector<OffsetIndexEntry> decode_offset_index(Bytes content, Offset base) {
  std::vector<OffsetIndexEntry> out(content.size() / kOffsetIndexEntryBytes);
  const std::uint8_t* at = content.data();
  for (auto& entry : out) {
    entry = {base + load_be<std::int32_t>(at), load_be<std::uint32_t>(at + 4)};
    at += kOffsetIndexEntryBytes;
  }
  return out;
}

std::vector<TimeIndexEntry> decode_time_index(Bytes content, Offset base) {
  std::vector<TimeIndexEntry> out(content.size() / kTimeIndexEntryBytes);
  const std::uint8_t* at = content.data();
  for (auto& entry : out) {
    entry = {load_be<std::int64_t>(at), base + load_be<std::int32_t>(at + 8)};
    at += kTimeIndexEntryBytes;
  }
  return out;
}

Result<std::vector<TransactionIndexEntry>> decode_transaction_index(Bytes content) {
  const std::size_t whole = content.size() - content.size() % TransactionIndex::kEntryBytes;
  DOHLE_ASSIGN(const auto entries, read_transaction_index(content.first(whole)));
  std::vector<TransactionIndexEntry> out;
  out.reserve(entries.size());
  for (const auto& txn : entries) {
    out.push_back({txn.producer_id, txn.first_offset, txn.last_offset, txn.last_stable_offset});
  }
  return out;
}

Result<std::vector<ProducerInfo>> decode_producer_snapshot(Bytes content) {
  DOHLE_ASSIGN(const auto producers, read_producer_snapshot(content));
  std::vector<ProducerInfo> out;
  out.reserve(producers.size());
  for (const auto& [id, entry] : producers) out.push_back(describe_producer(id, entry));
  return out;
}

}  // namespace dohle::storage

#include "producer_snapshot.h"

#include <base/crc32c.h>
#include <base/reader.h>
#include <fmt/format.h>

namespace dohle::storage {

namespace {

constexpr std::int16_t kVersion = 1;
constexpr std::size_t kCrcAt = 2;
constexpr std::size_t kEntriesAt = 6;
constexpr std::size_t kEntryBytes = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8;

template <typename T>
void put(std::vector<std::uint8_t>& out, T value) {
  out.resize(out.size() + sizeof(T));
  store_be(out.data() + out.size() - sizeof(T), value);
}

}  // namespace

Result<std::vector<std::pair<ProducerId, ProducerEntry>>> read_producer_snapshot(Bytes content) {
  Reader reader(content);
  const auto version = reader.read<std::int16_t>();
  const auto crc = reader.read<std::uint32_t>();
  if (!reader.ok()) return fail(Errc::kCorrupt, "producer snapshot: cut short");
  if (version != kVersion) {
    return fail(Errc::kCorrupt, fmt::format("Snapshot failed schema validation: Snapshot contained an unknown file version {}", version));
  }
  if (const auto computed = crc32c(reader.rest()); computed != crc) {
    return fail(Errc::kCorrupt, fmt::format("Snapshot is corrupt (CRC is no longer valid). Stored crc: {}. Computed crc: {}", crc, computed));
  }
  const auto count = reader.read<std::int32_t>();
  if (count < 0 || static_cast<std::size_t>(count) * kEntryBytes != reader.remaining()) {
    return fail(Errc::kCorrupt, fmt::format("producer snapshot: {} entries in {} bytes", count, reader.remaining()));
  }
  std::vector<std::pair<ProducerId, ProducerEntry>> out;
  for (std::int32_t i = 0; i < count; ++i) {
    const ProducerId id(reader.read<std::int64_t>());
    const auto epoch = reader.read<std::int16_t>();
    ProducerBatch last;
    last.last_sequence = reader.read<std::int32_t>();
    last.last_offset = Offset(reader.read<std::int64_t>());
    last.offset_delta = reader.read<std::int32_t>();
    last.timestamp = reader.read<std::int64_t>();
    ProducerEntry entry;
    entry.epoch = epoch;
    entry.coordinator_epoch = reader.read<std::int32_t>();
    entry.last_timestamp = last.timestamp;
    const Offset txn_first(reader.read<std::int64_t>());
    if (txn_first.value() >= 0) entry.txn_first_offset = txn_first;
    if (last.last_offset.value() >= 0) entry.add(epoch, last);
    out.emplace_back(id, entry);
  }
  return out;
}

Result<ProducerMap> parse_producer_snapshot(Bytes content) {
  DOHLE_ASSIGN(auto entries, read_producer_snapshot(content));
  ProducerMap out;
  for (auto& [id, entry] : entries) out.insert_or_assign(id, std::move(entry));
  return out;
}

std::vector<std::uint8_t> format_producer_snapshot(const ProducerMap& producers) {
  std::vector<std::uint8_t> out;
  out.reserve(kEntriesAt + 4 + producers.size() * kEntryBytes);
  put(out, kVersion);
  put(out, std::uint32_t{0});
  put(out, static_cast<std::int32_t>(producers.size()));
  for (const auto& [id, entry] : producers) {
    const ProducerBatch last = entry.has_batches() ? entry.last() : ProducerBatch{};
    put(out, id.value());
    put(out, entry.epoch);
    put(out, last.last_sequence);
    put(out, last.last_offset.value());
    put(out, last.offset_delta);
    put(out, entry.last_timestamp);
    put(out, entry.coordinator_epoch);
    put(out, entry.txn_first_offset.value_or(kNoOffset).value());
  }
  store_be(out.data() + kCrcAt, crc32c(Bytes(out).subspan(kEntriesAt)));
  return out;
}

}  // namespace dohle::storage

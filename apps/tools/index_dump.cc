// The part of LogDumper that shows what lies beside a log, and compares it with the log.
#include <algorithm>
#include <limits>

#include <fmt/core.h>
#include <records/batch.h>
#include <records/reader.h>
#include <runtime/live/system.h>
#include <storage/file_formats.h>

#include "log_dump.h"

namespace dohle::app {

using runtime::absolute_path;

namespace {

// The file of another kind for the same offset.
std::string sibling(const std::string& path, std::string_view suffix) {
  const auto name = name_of_file(path);
  const auto stem = name.substr(0, name.find('.'));
  return path.substr(0, path.size() - name.size()).append(stem).append(suffix);
}

Checked<> whole_entries(const std::string& path, std::size_t bytes, std::size_t entry_bytes) {
  if (bytes % entry_bytes == 0) return {};
  return complain(fmt::format("Index file {} is corrupt, found {} bytes which is neither positive nor a multiple of {}",
                              absolute_path(path), bytes, entry_bytes));
}

// The last entry at or below `offset`: where to begin to look for it.
std::uint64_t position_for(const std::vector<storage::OffsetIndexEntry>& index, std::size_t written, Offset offset) {
  const auto end = index.begin() + static_cast<std::ptrdiff_t>(written);
  const auto after = std::upper_bound(index.begin(), end, offset,
                                      [](Offset wanted, const auto& entry) { return wanted < entry.offset; });
  return after == index.begin() ? 0 : std::prev(after)->position;
}

std::int32_t first_sequence(std::int32_t last, std::int32_t delta) {
  return last >= delta ? last - delta : std::numeric_limits<std::int32_t>::max() - (delta - last) + 1;
}

}  // namespace

Checked<> LogDumper::dump_offset_index(const std::string& path) {
  const auto base = offset_of_file(path);
  if (!base) return std::unexpected(base.error());
  const auto log = open(sibling(path, ".log"));
  if (!log) return std::unexpected(log.error());
  const auto content = load_text(path);
  if (!content) return std::unexpected(content.error());
  const auto entries = storage::decode_offset_index(as_bytes(*content), Offset(*base));
  if (entries.empty()) {
    fmt::print("{} is empty.\n", path);
    return {};
  }
  if (options_.sanity_only) {
    if (entries.back().offset < Offset(*base)) {
      return complain(
          fmt::format("Corrupt index found, index file ({}) has non-zero size but the last offset is {} "
                      "which is less than the base offset {}",
                      absolute_path(path), entries.back().offset.value(), *base));
    }
    if (auto whole = whole_entries(path, content->size(), storage::kOffsetIndexEntryBytes); !whole) return whole;
    fmt::print("{} passed sanity check.\n", path);
    return {};
  }
  for (std::size_t i = 0; i < storage::written_entries(entries, Offset(*base)); ++i) {
    const auto& entry = entries[i];
    const auto end = std::min<std::uint64_t>(
        log->size, std::uint64_t{entry.position} + static_cast<std::uint64_t>(std::max(0, options_.max_message_bytes)));
    storage::BatchHeaderScanner scanner(log->file, entry.position, end);
    const auto batch = scanner.next();
    if (!batch) return complain(batch.error());
    if (!*batch) {
      return complain(fmt::format("{} has no whole batch at position {}, which is in {}", sibling(path, ".log"),
                                  entry.position, path));
    }
    if ((*batch)->last_offset != entry.offset) {
      auto& found = findings_.index_mismatches[absolute_path(path)];
      found.emplace(found.begin(), entry.offset.value(), (*batch)->last_offset.value());
    }
    if (!options_.verify_only) fmt::print("offset: {} position: {}\n", entry.offset.value(), entry.position);
  }
  return {};
}

Checked<std::int64_t> LogDumper::max_timestamp(const Segment& log, const storage::BatchPlace& place) {
  storage::BatchFileReader whole(log.file, place.position, place.end());
  const auto batch = whole.next();
  if (!batch) return complain(batch.error());
  if (!*batch) return complain("the log became shorter meanwhile");
  std::int64_t out = records::kNoTimestamp;
  const auto read = records::for_each(**batch, [&](const records::RecordView& record) -> Result<> {
    out = std::max(out, record.timestamp_ms);
    return {};
  });
  if (!read) return complain(read.error());
  return out;
}

namespace {

// What a broker checks of a time index when it starts.
Checked<> check_time_index(const std::string& path, std::size_t bytes, Offset base,
                           const std::vector<storage::TimeIndexEntry>& entries) {
  if (!entries.empty() && entries.back().timestamp < entries.front().timestamp) {
    return complain(
        fmt::format("Corrupt time index found, time index file ({}) has non-zero size but the last timestamp "
                    "is {} which is less than the first timestamp {}",
                    absolute_path(path), entries.back().timestamp, entries.front().timestamp));
  }
  if (!entries.empty() && entries.back().offset < base) {
    return complain(
        fmt::format("Corrupt time index found, time index file ({}) has non-zero size but the last offset is "
                    "{} which is less than the first offset {}",
                    absolute_path(path), entries.back().offset.value(), base.value()));
  }
  return whole_entries(path, bytes, storage::kTimeIndexEntryBytes);
}

}  // namespace

Checked<> LogDumper::dump_time_index(const std::string& path) {
  const auto base = offset_of_file(path);
  if (!base) return std::unexpected(base.error());
  const auto log = open(sibling(path, ".log"));
  if (!log) return std::unexpected(log.error());
  const auto index_content = load_text(sibling(path, ".index"));
  if (!index_content) return std::unexpected(index_content.error());
  const auto content = load_text(path);
  if (!content) return std::unexpected(content.error());
  const auto index = storage::decode_offset_index(as_bytes(*index_content), Offset(*base));
  const auto entries = storage::decode_time_index(as_bytes(*content), Offset(*base));
  if (options_.sanity_only) {
    if (auto sane = check_time_index(path, content->size(), Offset(*base), entries); !sane) return sane;
    fmt::print("{} passed sanity check.\n", path);
    return {};
  }
  const auto indexed = storage::written_entries(index, Offset(*base));
  std::int64_t previous = records::kNoTimestamp;
  for (std::size_t i = 0; i < storage::written_entries(entries, Offset(*base)); ++i) {
    const auto& entry = entries[i];
    const auto position = position_for(index, indexed, entry.offset);
    if (position > log->size) {
      return complain(fmt::format("{} points to {}, behind the end of its log", sibling(path, ".index"), position));
    }
    storage::BatchHeaderScanner scanner(log->file, position, log->size);
    auto batch = scanner.next();
    while (batch && *batch && (*batch)->last_offset < entry.offset) batch = scanner.next();
    if (!batch) return complain(batch.error());
    if (!*batch || (*batch)->last_offset != entry.offset) {
      findings_.offsets_not_found[absolute_path(path)].emplace_back(entry.offset.value(),
                                                                    *batch ? (*batch)->last_offset.value() : -1);
    } else {
      const auto largest = max_timestamp(*log, **batch);
      if (!largest) return std::unexpected(largest.error());
      if (*largest != entry.timestamp) {
        findings_.timestamp_mismatches[absolute_path(path)].emplace_back(entry.timestamp, *largest);
      }
      if (previous >= entry.timestamp) {
        findings_.timestamps_out_of_order[absolute_path(path)].emplace_back(entry.timestamp, previous);
      }
    }
    if (!options_.verify_only) fmt::print("timestamp: {} offset: {}\n", entry.timestamp, entry.offset.value());
    previous = entry.timestamp;
  }
  return {};
}

Checked<> LogDumper::dump_transaction_index(const std::string& path) {
  const auto content = load_text(path);
  if (!content) return std::unexpected(content.error());
  const auto entries = storage::decode_transaction_index(as_bytes(*content));
  if (!entries) return complain(fmt::format("{}: {}", path, entries.error().message));
  for (const auto& entry : *entries) {
    fmt::print("version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}\n",
               entry.producer_id.value(), entry.first_offset.value(), entry.last_offset.value(),
               entry.last_stable_offset.value());
  }
  return {};
}

Checked<> LogDumper::dump_producer_snapshot(const std::string& path) {
  const auto content = load_text(path);
  if (!content) return std::unexpected(content.error());
  const auto producers = storage::decode_producer_snapshot(as_bytes(*content));
  if (!producers) {  // told, and no failure
    fmt::print(stderr, "{}\n", producers.error().message);
    return {};
  }
  for (const auto& producer : *producers) {
    const auto txn = producer.current_txn_first_offset;
    fmt::print("producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {}",
               producer.id.value(), producer.epoch, producer.coordinator_epoch,
               txn.value() >= 0 ? fmt::format("OptionalLong[{}]", txn.value()) : "OptionalLong.empty",
               producer.last_timestamp);
    if (producer.last_offset.value() >= 0) {
      fmt::print(" firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
                 first_sequence(producer.last_sequence, producer.offset_delta), producer.last_sequence,
                 producer.last_offset.value(), producer.offset_delta, producer.last_timestamp);
    }
    fmt::print("\n");
  }
  return {};
}

}  // namespace dohle::app

#include "log_dump.h"

#include <array>

#include <fmt/core.h>
#include <records/compression.h>
#include <records/legacy.h>
#include <records/reader.h>
#include <runtime/live/system.h>

namespace dohle::app {

using records::BatchView;
using records::RecordView;

namespace {

constexpr std::string_view kSnapshotSuffix = ".checkpoint";
constexpr std::string_view kBootstrapName = "bootstrap.checkpoint";

std::string_view timestamp_name(records::TimestampType type) {
  switch (type) {
    case records::TimestampType::kNone:
      return "NoTimestampType";
    case records::TimestampType::kCreateTime:
      return "CreateTime";
    case records::TimestampType::kLogAppendTime:
      return "LogAppendTime";
  }
  return "";
}

std::string codec_name(const BatchView& batch) {
  static constexpr std::array<std::string_view, 5> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
  const auto id = batch.compression_id();
  return id < kNames.size() ? std::string(kNames[id]) : fmt::format("unknown({})", id);
}

std::string batch_text(const BatchView& batch, std::uint64_t position) {
  std::string out = fmt::format("offset: {}", batch.last_offset().value());
  if (batch.is_v2()) {
    const auto horizon = batch.delete_horizon_ms();
    out = fmt::format(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} "
        "partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {}",
        batch.base_offset().value(), batch.last_offset().value(), *batch.record_count(), batch.base_sequence(),
        batch.last_sequence(), batch.producer_id().value(), batch.producer_epoch(), batch.leader_epoch().value(),
        batch.is_transactional(), batch.is_control(),
        horizon ? fmt::format("OptionalLong[{}]", *horizon) : "OptionalLong.empty");
  }
  return fmt::format("{} position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}", out, position,
                     timestamp_name(batch.timestamp_type()), batch.max_timestamp(), batch.size_bytes(),
                     static_cast<int>(batch.magic()), codec_name(batch), batch.stored_crc(), batch.crc_ok());
}

std::int64_t size_of(const std::optional<Bytes>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

std::string header_keys(const RecordView& record) {
  std::vector<std::string> keys;
  for (const auto& header : record.headers) keys.emplace_back(header.key);
  return "[" + join(keys, ",") + "]";
}

// What is known of a record without reading its key and value.
std::string record_text(const BatchView& batch, const RecordView& record,
                        const std::vector<records::MessageChecksum>& checksums, std::size_t index) {
  std::string out = fmt::format("| offset: {} {}: {} keySize: {} valueSize: {}", record.offset.value(),
                                timestamp_name(batch.timestamp_type()), record.timestamp_ms, size_of(record.key),
                                size_of(record.value));
  if (batch.is_v2()) {
    out += fmt::format(" sequence: {} headerKeys: {}", record.sequence, header_keys(record));
  } else if (index < checksums.size()) {
    out += fmt::format(" isValid: {} crc: {}", checksums[index].ok, checksums[index].stored);
  }
  if (batch.is_control()) out += control_text(record);
  return out;
}

// "00000000000000000042-0000000003.checkpoint" is of offset 42 and epoch 3.
Checked<> print_snapshot_title(const std::string& path) {
  const std::string_view name = name_of_file(path);
  if (name == kBootstrapName) {
    fmt::print("KRaft bootstrap snapshot\n");
    return {};
  }
  const auto dash = name.find('-');
  const auto offset = parse_number(name.substr(0, dash));
  const auto epoch = dash == std::string_view::npos
                         ? std::nullopt
                         : parse_number(name.substr(dash + 1, name.size() - dash - 1 - kSnapshotSuffix.size()));
  if (!offset || !epoch) return complain(fmt::format("{} is no snapshot's name: OFFSET-EPOCH.checkpoint", name));
  fmt::print("Snapshot end offset: {}, epoch: {}\n", *offset, *epoch);
  return {};
}

Checked<> print_title(const std::string& path) {
  if (path.ends_with(kSnapshotSuffix)) return print_snapshot_title(path);
  const auto start = offset_of_file(path);
  if (!start) return std::unexpected(start.error());
  fmt::print("Log starting offset: {}\n", *start);
  return {};
}

void print_pairs(const DumpFindings::Pairs& found, std::string_view title,
                 fmt::format_string<std::int64_t&, std::int64_t&> line) {
  for (const auto& [path, pairs] : found) {
    fmt::print(stderr, "{}{}\n", title, path);
    for (auto [one, other] : pairs) fmt::print(stderr, line, one, other);
  }
}

}  // namespace

std::string_view name_of_file(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

Checked<std::int64_t> offset_of_file(const std::string& path) {
  const std::string_view name = name_of_file(path);
  const auto digits = name.substr(0, name.find('.'));
  if (const auto offset = parse_number(digits)) return *offset;
  return complain(fmt::format("For input string: \"{}\"", digits));
}

void DumpFindings::print() const {
  print_pairs(index_mismatches, "Mismatches in :", "  Index offset: {}, log offset: {}\n");
  print_pairs(timestamp_mismatches, "Found timestamp mismatch in :", "  Index timestamp: {}, log timestamp: {}\n");
  print_pairs(timestamps_out_of_order,
              "Found out of order timestamp in :", "  Index timestamp: {}, Previously indexed timestamp: {}\n");
  print_pairs(offsets_not_found,
              "The following indexed offsets are not found in :", "Indexed offset: {}, found log offset: {}\n");
  print_pairs(non_consecutive, "Non-consecutive offsets in ", "  {} is followed by {}\n");
}

Checked<LogDumper::Segment> LogDumper::open(const std::string& path) {
  const auto file = files_.open(path, runtime::OpenMode::kRead);
  if (!file) return complain(file.error());
  const auto size = (*file)->size();
  if (!size) return complain(size.error());
  return Segment{*file, *size};
}

Checked<> LogDumper::dump_log(const std::string& path, const RecordDecoder& decoder) {
  if (auto title = print_title(path); !title) return title;
  const auto log = open(path);
  if (!log) return std::unexpected(log.error());
  if (options_.max_bytes < 0) return complain(fmt::format("Invalid size: {}", options_.max_bytes));
  const auto end = std::min<std::uint64_t>(log->size, static_cast<std::uint64_t>(options_.max_bytes));
  storage::BatchFileReader reader(log->file, 0, end);
  std::int64_t last_offset = -1;
  for (;;) {
    const std::uint64_t position = reader.position();
    const auto batch = reader.next();
    if (!batch) return complain(fmt::format("{}, at position {} of {}", batch.error().message, position, path));
    if (!*batch) break;
    fmt::print("{}\n", batch_text(**batch, position));
    if (!options_.deep) continue;
    if (auto dumped = dump_records(path, **batch, decoder, last_offset); !dumped) return dumped;
  }
  if (reader.position() < end && options_.max_bytes == INT32_MAX) {
    fmt::print("Found {} invalid bytes at the end of {}\n", end - reader.position(), name_of_file(path));
  }
  return {};
}

Checked<> LogDumper::dump_records(const std::string& path, const BatchView& batch, const RecordDecoder& decoder,
                                  std::int64_t& last_offset) {
  std::vector<records::MessageChecksum> checksums;
  if (!batch.is_v2()) {
    auto known = records::legacy_checksums(batch);
    if (!known) return complain(known.error());
    checksums = std::move(*known);
  }
  records::RecordReader reader(batch);
  for (std::size_t index = 0;; ++index) {
    const auto more = reader.next();
    if (!more) return complain(more.error());
    if (!*more) return {};
    const RecordView& record = reader.record();
    const std::int64_t offset = record.offset.value();
    if (offset != last_offset + 1)
      findings_.non_consecutive[runtime::absolute_path(path)].emplace_back(last_offset, offset);
    last_offset = offset;
    if (!options_.skip_metadata) fmt::print("{}", record_text(batch, record, checksums, index));
    if (options_.contents && !batch.is_control()) {
      const auto decoded = decoder(record);
      if (!decoded) return std::unexpected(decoded.error());
      std::string_view lead = options_.skip_metadata ? "| " : " ";
      for (const auto& [name, text] : {std::pair{"key", &decoded->key}, std::pair{"payload", &decoded->value}}) {
        if (!*text) continue;
        fmt::print("{}{}: {}", lead, name, **text);
        lead = " ";
      }
    }
    fmt::print("\n");
  }
}

}  // namespace dohle::app

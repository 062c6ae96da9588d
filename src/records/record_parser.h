// The body of a v2 record: attributes, timestamp delta, offset delta, key, value, headers.
#pragma once

#include <cstdint>
#include <optional>

#include <base/bytes.h>
#include <base/varint.h>
#include <records/batch.h>
#include <records/record.h>

namespace dohle::records {

// Reads a zig-zag varint at `at`; false when cut short or too long.
[[nodiscard]] inline bool read_varint(const std::uint8_t*& at, const std::uint8_t* end, std::int32_t& value) {
  if (at != end && *at < 0x80) {
    value = static_cast<std::int32_t>(unzigzag(*at++));
    return true;
  }
  std::uint64_t raw = 0;
  const int n = get_uvarint(at, end, raw, kMaxVarintBytes);
  at += n;
  value = static_cast<std::int32_t>(unzigzag(raw));
  return n != 0;
}

[[nodiscard]] inline bool read_varlong(const std::uint8_t*& at, const std::uint8_t* end, std::int64_t& value) {
  std::uint64_t raw = 0;
  const int n = get_uvarint(at, end, raw, kMaxVarlongBytes);
  at += n;
  value = unzigzag(raw);
  return n != 0;
}

struct ParsedRecord {
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  Headers headers;
};

// Parses `body`, which must be one record to the last byte. Returns what is wrong with it, or null.
[[nodiscard]] const char* parse_record_body(Bytes body, ParsedRecord& out);

// What the records of a batch inherit from its header.
struct BatchFrame {
  explicit BatchFrame(const BatchView& batch)
      : base_offset(batch.base_offset()),
        base_timestamp_ms(batch.base_timestamp()),
        max_timestamp_ms(batch.max_timestamp()),
        base_sequence(batch.base_sequence()),
        timestamp_type(batch.timestamp_type()) {}

  [[nodiscard]] std::int64_t timestamp(std::int64_t delta) const {
    if (timestamp_type == TimestampType::kLogAppendTime) return max_timestamp_ms;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_ms) + static_cast<std::uint64_t>(delta));
  }
  void fill(const ParsedRecord& parsed, RecordView& out) const;

  Offset base_offset;
  std::int64_t base_timestamp_ms;
  std::int64_t max_timestamp_ms;
  std::int32_t base_sequence;
  TimestampType timestamp_type;
};

}  // namespace dohle::records

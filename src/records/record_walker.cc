#include "record_walker.h"

#include <algorithm>
#include <limits>

#include <base/varint.h>

#include "record_parser.h"

namespace dohle::records {

namespace {
constexpr const char* kTooMany = "bytes are left after the last record";
constexpr const char* kLengthMismatch = "the record's length is not that of its fields";

// A zig-zag varint of at most three bytes: where it ends, or null when it is longer or cut short.
inline const std::uint8_t* read_short(const std::uint8_t* at, const std::uint8_t* end, std::int32_t& value) {
  std::uint32_t raw = 0;
  for (unsigned shift = 0; shift < 21; shift += 7) {
    if (at == end) return nullptr;
    const std::uint32_t byte = *at++;
    raw |= (byte & 0x7fU) << shift;
    if (byte < 0x80) {
      value = static_cast<std::int32_t>(unzigzag(raw));
      return at;
    }
  }
  return nullptr;
}

// The same, and as many bytes behind it; none where it is negative.
inline const std::uint8_t* skip_short(const std::uint8_t* at, const std::uint8_t* end, std::int32_t& length) {
  at = read_short(at, end, length);
  if (at == nullptr || length > end - at) return nullptr;
  return at + std::max(length, 0);
}

}  // namespace

bool RecordWalker::plain_record(const std::uint8_t*& at, const std::uint8_t* end) {
  std::int32_t length = 0;
  const std::uint8_t* from = read_short(at, end, length);
  if (from == nullptr || length < 1 || length > end - from) return false;
  const std::uint8_t* const body_end = from + length;
  std::int32_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::int32_t key = 0;
  std::int32_t value = 0;
  std::int32_t headers = 0;
  from = read_short(from + 1, body_end, timestamp_delta);
  if (from != nullptr) from = read_short(from, body_end, offset_delta);
  if (from != nullptr) from = skip_short(from, body_end, key);
  if (from != nullptr) from = skip_short(from, body_end, value);
  if (from != nullptr) from = read_short(from, body_end, headers);
  if (from != body_end || headers != 0) return false;
  seen_.timestamp_delta = timestamp_delta;
  seen_.offset_delta = offset_delta;
  seen_.has_key = key >= 0;
  at = body_end;
  return true;
}

bool RecordWalker::whole_record(const std::uint8_t*& at, const std::uint8_t* end) {
  if (seen_.index == expected_) return refuse(kTooMany);
  if (plain_record(at, end)) return true;
  const std::uint8_t* from = at;
  std::int32_t length = 0;
  if (!read_varint(from, end, length) || length < 0 || length > end - from) return false;
  ParsedRecord parsed;
  const char* wrong = parse_record_body(Bytes(from, static_cast<std::size_t>(length)), parsed);
  if (wrong != nullptr) return is_exact() ? refuse(wrong) : false;
  seen_.timestamp_delta = parsed.timestamp_delta;
  seen_.offset_delta = parsed.offset_delta;
  seen_.has_key = parsed.key.has_value();
  at = from + length;
  return true;
}

bool RecordWalker::step(const std::uint8_t*& at, const std::uint8_t* end) {
  switch (field_) {
    case Field::kKey:
    case Field::kValue:
    case Field::kHeaderKey:
    case Field::kHeaderValue: {
      const std::int64_t part = std::min<std::int64_t>(skip_left_, end - at);
      at += part;
      skip_left_ -= part;
      body_left_ -= part;
      if (skip_left_ > 0) return true;
      if (field_ == Field::kKey) {
        field_ = Field::kValueLength;
      } else if (field_ == Field::kValue) {
        field_ = Field::kHeaderCount;
      } else if (field_ == Field::kHeaderKey) {
        field_ = Field::kHeaderValueLength;
      } else {
        after_headers();
      }
      break;
    }
    default: {
      if (field_ != Field::kLength && --body_left_ < 0 && is_exact()) return refuse(kLengthMismatch);
      const std::uint8_t byte = *at++;
      if (field_ == Field::kAttributes) {
        field_ = Field::kTimestamp;
      } else if (!varint_byte(byte)) {
        return false;
      }
    }
  }
  return field_ != Field::kEnd || body_left_ == 0 || !is_exact() || refuse(kLengthMismatch);
}

bool RecordWalker::varint_byte(std::uint8_t byte) {
  const unsigned max_bytes = field_ == Field::kTimestamp ? kMaxVarlongBytes : kMaxVarintBytes;
  value_ |= static_cast<std::uint64_t>(byte & 0x7fU) << shift_;
  shift_ += 7;
  if (byte >= 0x80) {
    // Kafka has no name for this one where it reads a plain batch.
    const bool nameless = is_exact() && field_ == Field::kLength;
    return shift_ < 7 * max_bytes ||
           refuse("a varint is too long", nameless ? Errc::kUndecodable : Errc::kInvalidRecord);
  }
  const std::int64_t value = unzigzag(value_);
  value_ = 0;
  shift_ = 0;
  if (max_bytes == kMaxVarintBytes &&
      (value > std::numeric_limits<std::int32_t>::max() || value < std::numeric_limits<std::int32_t>::min())) {
    return refuse("a varint is too large");
  }
  return varint_done(value);
}

bool RecordWalker::skip_field(std::int64_t length, Field skip, Field after) {
  if (length > body_left_ && is_exact()) return refuse(kLengthMismatch);
  skip_left_ = std::max<std::int64_t>(length, 0);
  field_ = skip_left_ > 0 ? skip : after;
  return true;
}

bool RecordWalker::varint_done(std::int64_t value) {
  switch (field_) {
    case Field::kLength:
      if (seen_.index == expected_) return refuse(kTooMany);
      if (value < 0) return refuse("a bad record length");
      body_left_ = value;
      field_ = Field::kAttributes;
      return true;
    case Field::kTimestamp:
      seen_.timestamp_delta = value;
      field_ = Field::kOffset;
      return true;
    case Field::kOffset:
      seen_.offset_delta = static_cast<std::int32_t>(value);
      field_ = Field::kKeyLength;
      return true;
    case Field::kKeyLength:
      seen_.has_key = value >= 0;
      return skip_field(value, Field::kKey, Field::kValueLength);
    case Field::kValueLength:
      return skip_field(value, Field::kValue, Field::kHeaderCount);
    case Field::kHeaderCount:
      if (value < 0 || (value > body_left_ && is_exact())) return refuse("bad header count");
      headers_left_ = static_cast<std::int32_t>(value);
      after_headers();
      return true;
    case Field::kHeaderKeyLength:
      if (value < 0) return refuse("bad header key length");
      --headers_left_;
      return skip_field(value, Field::kHeaderKey, Field::kHeaderValueLength);
    case Field::kHeaderValueLength:
      if (!skip_field(value, Field::kHeaderValue, Field::kEnd)) return false;
      if (field_ == Field::kEnd) after_headers();
      return true;
    default:
      return refuse("no varint belongs here");
  }
}

bool RecordWalker::finish() {
  if (wrong_ != nullptr) return false;
  if (seen_.index != expected_ || field_ != Field::kLength || shift_ != 0) return refuse("records are missing");
  return true;
}

}  // namespace dohle::records

#include "record_parser.h"

namespace dohle::records {

namespace {

// A length and as many bytes; a negative length means null.
bool read_nullable(const std::uint8_t*& at, const std::uint8_t* end, std::optional<Bytes>& out) {
  std::int32_t length = 0;
  if (!read_varint(at, end, length) || length > end - at) return false;
  if (length < 0) {
    out.reset();
    return true;
  }
  out.emplace(at, static_cast<std::size_t>(length));
  at += length;
  return true;
}

}  // namespace

const char* parse_record_body(Bytes body, ParsedRecord& out) {
  const std::uint8_t* at = body.data();
  const std::uint8_t* const end = at + body.size();
  if (at == end) return "a record of no bytes";
  ++at;  // attributes: none are defined
  if (!read_varlong(at, end, out.timestamp_delta)) return "bad timestamp delta";
  if (!read_varint(at, end, out.offset_delta)) return "bad offset delta";
  if (!read_nullable(at, end, out.key)) return "bad key length";
  if (!read_nullable(at, end, out.value)) return "bad value length";
  std::int32_t count = 0;
  if (!read_varint(at, end, count) || count < 0 || count > end - at) return "bad header count";
  const std::uint8_t* const headers = at;
  std::optional<Bytes> skipped;
  for (std::int32_t i = 0; i < count; ++i) {
    if (!read_nullable(at, end, skipped) || !skipped) return "bad header key length";
    if (!read_nullable(at, end, skipped)) return "bad header value length";
  }
  if (at != end) return "the record's length is not that of its fields";
  out.headers = Headers(Bytes(headers, static_cast<std::size_t>(end - headers)), count);
  return nullptr;
}

void BatchFrame::fill(const ParsedRecord& parsed, RecordView& out) const {
  out.offset = base_offset + parsed.offset_delta;
  out.timestamp_ms = timestamp(parsed.timestamp_delta);
  out.timestamp_type = timestamp_type;
  out.sequence = base_sequence < 0 ? kNoSequence : increment_sequence(base_sequence, parsed.offset_delta);
  out.key = parsed.key;
  out.value = parsed.value;
  out.headers = parsed.headers;
}

void Headers::Iterator::read() {
  if (left_ <= 0) return;
  std::optional<Bytes> key;
  if (!read_nullable(at_, end_, key) || !key || !read_nullable(at_, end_, header_.value)) {
    left_ = 0;  // cannot happen to checked bytes
    return;
  }
  header_.key = as_text(*key);
}

}  // namespace dohle::records

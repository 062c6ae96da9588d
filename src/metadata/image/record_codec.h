// Records to bytes and back: the frame is unsigned varints of frame version (1), record type and record version, then
// the body.
#pragma once

#include <cstdint>

#include <base/bytes.h>
#include <base/reader.h>
#include <base/result.h>
#include <metadata/delta.h>
#include <protocol/writer.h>

namespace dohle::metadata {

// RecordType and version as the frame says; `body` views the record.
struct RecordFrame {
  std::int16_t type = 0;
  std::int16_t version = 0;
  Bytes body;
};

[[nodiscard]] Result<RecordFrame> parse_frame(Bytes framed_record);
[[nodiscard]] std::unexpected<Error> trailing_bytes(const RecordFrame& frame, std::size_t count);
[[nodiscard]] EncodedRecord frame_body(std::int16_t type, std::int16_t version, Bytes body);

template <typename T>
EncodedRecord encode_record(const T& record, std::int16_t version) {
  protocol::Writer writer;
  record.encode(writer, version);
  return frame_body(T::kType, version, writer.bytes());
}

template <typename T>
Result<T> decode_record(const RecordFrame& frame) {
  Reader reader(frame.body);
  auto record = T::decode(reader, frame.version);
  if (record && reader.remaining() > 0) return trailing_bytes(frame, reader.remaining());
  return record;
}

}  // namespace dohle::metadata

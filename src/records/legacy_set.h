// The inner messages of a compressed v0 or v1 batch, and a single message of those formats.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <records/batch.h>
#include <records/codec.h>
#include <records/record.h>

#include "chunk_reader.h"

namespace dohle::records {

// A v0 or v1 message without its offset and length: crc, magic, attributes, timestamp (v1), key, value.
struct LegacyMessage {
  std::int8_t magic = 0;
  std::int8_t attributes = 0;
  std::int64_t timestamp_ms = kNoTimestamp;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
};
[[nodiscard]] Result<LegacyMessage> parse_legacy_message(Bytes message);

// Walks the messages inside a compressed batch, one at a time. `batch` must outlive it.
class LegacySet {
 public:
  LegacySet(const BatchView& batch, Decompressor& decompressor, std::size_t max_record_bytes)
      : batch_(batch), decompressor_(&decompressor), max_record_bytes_(max_record_bytes) {}

  // True when there was a message. Inner offsets of v1 are relative: the first call walks the whole set once to learn
  // the last of them.
  [[nodiscard]] Result<bool> next(RecordView& out);
  // The bytes of the message that next() gave, without offset and length; valid as long as it.
  [[nodiscard]] Bytes message() const { return message_; }

 private:
  struct Inner {
    std::int64_t offset;
    Bytes message;
  };
  [[nodiscard]] Result<> open();
  [[nodiscard]] Result<> find_base();
  [[nodiscard]] Result<std::optional<Inner>> read_inner();

  BatchView batch_;
  Decompressor* decompressor_;
  std::size_t max_record_bytes_;
  std::optional<ChunkReader> stream_;
  std::vector<std::uint8_t> room_;
  Bytes message_;
  std::int64_t offset_base_ = 0;
  bool begun_ = false;
};

}  // namespace dohle::records

// Record batches as they lie in requests, responses and segments. A BatchView reads one batch in place, of any format:
// v2 (KIP-98) in full, v0 and v1 (the old message sets) as far as a batch is concerned; see legacy.h for their records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <base/buffer.h>
#include <base/bytes.h>
#include <base/ids.h>
#include <base/result.h>
#include <records/compression.h>

namespace dohle::records {

inline constexpr std::int8_t kMagicV0 = 0;
inline constexpr std::int8_t kMagicV1 = 1;
inline constexpr std::int8_t kMagicV2 = 2;

inline constexpr std::int64_t kNoTimestamp = -1;
inline constexpr std::int16_t kNoProducerEpoch = -1;
inline constexpr std::int32_t kNoSequence = -1;

// kNone is what records of format v0 have.
enum class TimestampType : std::int8_t { kNone = -1, kCreateTime = 0, kLogAppendTime = 1 };

// Offset and length come before every batch of every format; the length counts what follows it.
inline constexpr std::size_t kLogOverhead = 12;
// From the start of a batch up to and with its magic byte.
inline constexpr std::size_t kPrefixBytes = 17;
// The header of a v2 batch.
inline constexpr std::size_t kBatchHeaderBytes = 61;
// The smallest length field that any format allows (v0, no key, no value).
inline constexpr std::int32_t kMinLengthField = 14;

// Where the fields of a v2 header lie. The CRC covers everything from the attributes on.
namespace layout {
inline constexpr std::size_t kBaseOffset = 0;
inline constexpr std::size_t kLength = 8;
inline constexpr std::size_t kLeaderEpoch = 12;
inline constexpr std::size_t kMagic = 16;
inline constexpr std::size_t kCrc = 17;
inline constexpr std::size_t kAttributes = 21;
inline constexpr std::size_t kLastOffsetDelta = 23;
inline constexpr std::size_t kBaseTimestamp = 27;
inline constexpr std::size_t kMaxTimestamp = 35;
inline constexpr std::size_t kProducerId = 43;
inline constexpr std::size_t kProducerEpoch = 51;
inline constexpr std::size_t kBaseSequence = 53;
inline constexpr std::size_t kRecordCount = 57;
}  // namespace layout

// Attribute bits of a v2 batch.
namespace attributes {
inline constexpr std::int16_t kCompressionMask = 0x07;
inline constexpr std::int16_t kLogAppendTime = 0x08;
inline constexpr std::int16_t kTransactional = 0x10;
inline constexpr std::int16_t kControl = 0x20;
inline constexpr std::int16_t kDeleteHorizon = 0x40;
}  // namespace attributes

// What the first bytes of a batch of any format say.
struct BatchPrefix {
  Offset offset;           // v2: the base offset; v0 and v1: the last offset
  std::size_t size_bytes;  // of the whole batch, the prefix included
  std::int8_t magic;
};
// Nothing when `at` ends before the prefix does; kCorrupt for an impossible length or magic.
[[nodiscard]] Result<std::optional<BatchPrefix>> peek(Bytes at);

// The sequence number `increment` after `sequence`: wraps from the largest int to 0.
[[nodiscard]] constexpr std::int32_t increment_sequence(std::int32_t sequence, std::int32_t increment) {
  const std::int64_t sum = static_cast<std::int64_t>(sequence) + increment;
  constexpr std::int64_t kWrap = std::int64_t{1} << 31;
  return static_cast<std::int32_t>(sum >= kWrap ? sum - kWrap : sum);
}

// One whole batch. Views the bytes; they must outlive it. Fields a format does not have read as Kafka's "none".
class BatchView {
 public:
  // The batch that begins at `at`; more bytes may follow it. kCorrupt when it is cut short, has an impossible length or
  // an unknown magic, or is smaller than its format's header. The CRC is not checked.
  [[nodiscard]] static Result<BatchView> parse(Bytes at);

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_.size(); }
  [[nodiscard]] std::int8_t magic() const { return static_cast<std::int8_t>(bytes_[layout::kMagic]); }
  [[nodiscard]] bool is_v2() const { return magic() == kMagicV2; }

  // v2: exact. v0 and v1: the last offset, which is what their header holds; legacy.h knows the first.
  [[nodiscard]] Offset base_offset() const { return Offset(load<std::int64_t>(layout::kBaseOffset)); }
  [[nodiscard]] Offset last_offset() const { return base_offset() + (is_v2() ? last_offset_delta() : 0); }
  [[nodiscard]] Offset next_offset() const { return last_offset().next(); }
  [[nodiscard]] std::int32_t last_offset_delta() const { return v2<std::int32_t>(layout::kLastOffsetDelta, 0); }
  [[nodiscard]] LeaderEpoch leader_epoch() const { return LeaderEpoch(v2<std::int32_t>(layout::kLeaderEpoch, -1)); }

  [[nodiscard]] std::uint32_t stored_crc() const;
  // CRC-32C in v2, CRC-32 before.
  [[nodiscard]] std::uint32_t computed_crc() const;
  [[nodiscard]] bool crc_ok() const { return stored_crc() == computed_crc(); }

  [[nodiscard]] std::int16_t attribute_bits() const;
  // May be 5, 6 or 7, which are no codec.
  [[nodiscard]] std::uint8_t compression_id() const {
    return static_cast<std::uint8_t>(attribute_bits() & attributes::kCompressionMask);
  }
  // kUnsupportedCompression for an id that is no codec.
  [[nodiscard]] Result<CompressionType> compression() const;
  [[nodiscard]] bool is_compressed() const { return compression_id() != 0; }
  [[nodiscard]] TimestampType timestamp_type() const;
  [[nodiscard]] bool is_transactional() const {
    return is_v2() && (attribute_bits() & attributes::kTransactional) != 0;
  }
  [[nodiscard]] bool is_control() const { return is_v2() && (attribute_bits() & attributes::kControl) != 0; }
  [[nodiscard]] bool has_delete_horizon() const {
    return is_v2() && (attribute_bits() & attributes::kDeleteHorizon) != 0;
  }
  // When tombstones and aborted markers of this batch may go, in ms; lies in the base timestamp.
  [[nodiscard]] std::optional<std::int64_t> delete_horizon_ms() const;

  // Milliseconds since 1970.
  [[nodiscard]] std::int64_t base_timestamp() const { return v2<std::int64_t>(layout::kBaseTimestamp, kNoTimestamp); }
  [[nodiscard]] std::int64_t max_timestamp() const;

  [[nodiscard]] ProducerId producer_id() const { return ProducerId(v2<std::int64_t>(layout::kProducerId, -1)); }
  [[nodiscard]] bool has_producer_id() const { return producer_id().value() > -1; }
  [[nodiscard]] std::int16_t producer_epoch() const { return v2<std::int16_t>(layout::kProducerEpoch, -1); }
  [[nodiscard]] std::int32_t base_sequence() const { return v2<std::int32_t>(layout::kBaseSequence, kNoSequence); }
  [[nodiscard]] std::int32_t last_sequence() const;

  // As declared. v0 and v1 declare none: nothing.
  [[nodiscard]] std::optional<std::int32_t> record_count() const;
  // What follows a v2 header: the records, compressed or not.
  [[nodiscard]] Bytes records_section() const { return bytes_.subspan(kBatchHeaderBytes); }

 private:
  explicit BatchView(Bytes bytes) : bytes_(bytes) {}
  template <typename T>
  [[nodiscard]] T load(std::size_t at) const {
    return load_be<T>(bytes_.data() + at);
  }
  template <typename T>
  [[nodiscard]] T v2(std::size_t at, T otherwise) const {
    return is_v2() ? load<T>(at) : otherwise;
  }

  Bytes bytes_;
};

// Walks the batches of a stretch of log, of mixed formats too. A batch that is cut short at the end is left alone, as a
// fetch response may end inside one.
class BatchCursor {
 public:
  explicit BatchCursor(Bytes bytes) : rest_(bytes) {}
  // The next whole batch; nothing at the end; kCorrupt when the stretch cannot be walked further.
  [[nodiscard]] Result<std::optional<BatchView>> next();
  // Bytes walked over so far: where the batch after the last one begins.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }

 private:
  Bytes rest_;
  std::size_t consumed_ = 0;
};

// In-place changes to a v2 batch that nobody else can read yet. `batch` is the whole batch.
void set_base_offset(MutableBytes batch, Offset offset);
void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch);
// Both lie inside the CRC, which is recomputed only when one of them really changes.
void set_max_timestamp(MutableBytes batch, TimestampType type, std::int64_t max_timestamp_ms);
// Producer id, epoch and base sequence, for a producer that numbers its batches when it sends them.
void set_producer_state(MutableBytes batch, ProducerId id, std::int16_t epoch, std::int32_t base_sequence);

}  // namespace dohle::records

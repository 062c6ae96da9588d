// What a leader does with a batch before it is appended: checks every record as Kafka's broker does, and gives it its
// offsets, leader epoch and timestamps; in place where possible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <base/result.h>
#include <records/batch.h>
#include <records/codec.h>

namespace dohle::records {

enum class AppendOrigin : std::uint8_t {
  kClient,       // a produce request: control batches are refused, offsets must start at 0 and leave no gaps
  kCoordinator,  // group and transaction coordinators of this broker, transaction markers included
};

struct ValidationConfig {
  std::optional<Compression> target;  // compression.type; nothing means "producer": keep what came
  TimestampType timestamp_type = TimestampType::kCreateTime;                        // message.timestamp.type
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();  // message.timestamp.before.max.ms
  std::int64_t timestamp_after_max_ms = 3'600'000;                                  // message.timestamp.after.max.ms
  std::int64_t now_ms = 0;                                                          // wall clock
  std::int64_t max_message_bytes = 1'048'588;  // of the batch as it is stored, compressed
  bool compacted = false;                      // every record needs a key
  bool allow_zstd = true;                      // false for Produce below v7
  AppendOrigin origin = AppendOrigin::kClient;
  LeaderEpoch leader_epoch{0};
  Offset next_offset{0};  // the log end: what the first record gets
  // A batch that decompresses to more is refused; Kafka would walk it for as long as it takes.
  std::uint64_t max_decompressed_bytes = std::numeric_limits<std::int32_t>::max();
};

struct Validated {
  Slice bytes;  // what to append: the input, patched in place, or a re-encoded batch
  Offset first_offset;
  Offset last_offset;
  std::int32_t record_count = 0;
  std::int64_t max_timestamp_ms = kNoTimestamp;
  Offset offset_of_max_timestamp;                  // the batch's last offset: time indexes point at batches
  std::int64_t log_append_time_ms = kNoTimestamp;  // set under LogAppendTime, for the produce response
  bool rewritten = false;                          // bytes are not the input's
};

// A record that made its batch fail: reported to clients since Produce v8 (KIP-467).
struct RecordError {
  std::int32_t batch_index = 0;
  std::string message;
};

struct ValidationFailure {
  Error error;
  std::vector<RecordError> record_errors;
};

// `records` is the records field of one partition; its first batch is what counts, bytes of a cut-off batch after it
// are dropped as Kafka drops them. Errors:
//   kInvalidRecord          no batch, more than one, magic below 2, impossible offsets, counts or sequence, control
//   batch
//                           of a client, malformed records, a record without key on a compacted topic
//   kCorrupt                length, magic or CRC are wrong
//   kInvalidTimestamp       a record outside the window, or one that claims LogAppendTime
//   kRecordTooLarge         larger than max_message_bytes, before or after it was re-encoded
//   kUnsupportedCompression zstd when it is not allowed
//   kUndecodable            an unknown codec, a stream that does not decompress, compressed records whose offsets leave
//                           gaps: Kafka answers UNKNOWN_SERVER_ERROR
[[nodiscard]] std::expected<Validated, ValidationFailure> validate_and_assign(Slice records,
                                                                              const ValidationConfig& config,
                                                                              Decompressor* decompressor = nullptr);

// The one batch of a partition's `records` in a produce request, as far as its frame and its codec: what Kafka refuses
// before the partition sees it. Part of validate_and_assign; errors as there.
[[nodiscard]] Result<BatchView> single_batch(Bytes records, bool allow_zstd);

// Moves a validated batch to where the log has got to meanwhile: patches its base offset and leader epoch, which lie
// outside the CRC, and the offsets in `validated`.
void place_at(Validated& validated, Offset next_offset, LeaderEpoch leader_epoch);

// The same in slices, so that a compression bomb does not hold up a shard: call advance() until it says done.
class BatchValidator {
 public:
  BatchValidator(Slice records, const ValidationConfig& config, Decompressor* decompressor = nullptr);
  BatchValidator(BatchValidator&&) noexcept;
  BatchValidator& operator=(BatchValidator&&) noexcept;
  ~BatchValidator();

  // Works on about `budget_bytes` more of (decompressed) records. True when there is a result.
  [[nodiscard]] bool advance(std::size_t budget_bytes);
  // Once, after advance() returned true.
  [[nodiscard]] std::expected<Validated, ValidationFailure> take_result();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dohle::records

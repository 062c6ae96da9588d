// BatchBuilder: makes one v2 batch, record by record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <records/batch.h>
#include <records/codec.h>
#include <records/control.h>
#include <records/record.h>

namespace dohle::records {

struct BuilderOptions {
  Compression compression;
  Offset base_offset{0};
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::int64_t log_append_time_ms = kNoTimestamp;  // what the batch carries under LogAppendTime
  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  bool transactional = false;
  bool control = false;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::optional<std::int64_t> delete_horizon_ms;
};

class BatchBuilder {
 public:
  explicit BatchBuilder(BuilderOptions options);
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) noexcept;
  ~BatchBuilder();

  // Appends at the offset after the last one, and returns it. Timestamps are ms since 1970, or kNoTimestamp.
  Offset append(std::int64_t timestamp_ms, std::optional<Bytes> key, std::optional<Bytes> value,
                std::span<const Header> headers = {});
  // Appends at `offset`, which must be larger than the last one: what compaction keeps has gaps.
  void append_at(Offset offset, std::int64_t timestamp_ms, std::optional<Bytes> key, std::optional<Bytes> value,
                 std::span<const Header> headers = {});
  void append_at(Offset offset, std::int64_t timestamp_ms, std::optional<Bytes> key, std::optional<Bytes> value,
                 const Headers& headers);
  // Only in a control batch.
  Offset append_control(std::int64_t timestamp_ms, ControlType type, Bytes value);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::int32_t record_count() const { return count_; }
  [[nodiscard]] Offset next_offset() const { return next_offset_; }
  [[nodiscard]] std::int64_t max_timestamp_ms() const { return max_timestamp_ms_; }
  // Header and records, before compression.
  [[nodiscard]] std::size_t uncompressed_bytes() const { return kBatchHeaderBytes + uncompressed_bytes_; }
  // Bytes produced so far, header included; a codec may hold some back. Never above uncompressed_bytes() by much.
  [[nodiscard]] std::size_t written_bytes() const { return out_->size(); }

  // A producer numbers its batches when it sends them. Before build().
  void set_producer_state(ProducerId id, std::int16_t epoch, std::int32_t base_sequence, bool transactional);
  // Makes the batch end at `offset`, though its last record lies before: compaction keeps a batch's range.
  void override_last_offset(Offset offset) { last_offset_override_ = offset; }

  // The finished batch, CRC and all. Once. An empty builder gives a batch without records.
  [[nodiscard]] Slice build();

  // Bytes a record takes uncompressed in a batch, at most: to ask whether it still fits.
  [[nodiscard]] static std::size_t max_record_bytes(std::optional<Bytes> key, std::optional<Bytes> value,
                                                    std::span<const Header> headers);

 private:
  struct Body;
  void append_record(Offset offset, std::int64_t timestamp_ms, std::optional<Bytes> key, std::optional<Bytes> value,
                     const Body& headers);

  BuilderOptions options_;
  std::unique_ptr<std::vector<std::uint8_t>> out_;  // the compressor holds on to it
  std::vector<std::uint8_t> scratch_;
  std::unique_ptr<Compressor> compressor_;
  std::int32_t count_ = 0;
  Offset next_offset_;
  std::optional<std::int64_t> base_timestamp_;
  std::int64_t max_timestamp_ms_ = kNoTimestamp;
  std::size_t uncompressed_bytes_ = 0;
  std::optional<Offset> last_offset_override_;
};

}  // namespace dohle::records

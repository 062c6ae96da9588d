#include <records/batch.h>

#include <fmt/core.h>
#include <zlib.h>

#include <base/crc32c.h>

namespace dohle::records {

namespace {

// v0: offset, length, crc, magic, attributes, key length, value length; v1 has a timestamp after the attributes.
constexpr std::size_t kLegacyCrc = 12;
constexpr std::size_t kLegacyAttributes = 17;
constexpr std::size_t kLegacyTimestamp = 18;
constexpr std::size_t kMinBatchBytes[] = {26, 34, kBatchHeaderBytes};
constexpr std::int16_t kUsedAttributes = attributes::kCompressionMask | attributes::kLogAppendTime |
                                         attributes::kTransactional | attributes::kControl | attributes::kDeleteHorizon;

std::uint32_t crc32(Bytes bytes) { return static_cast<std::uint32_t>(::crc32_z(0, bytes.data(), bytes.size())); }

void update_crc(MutableBytes batch) {
  store_be<std::uint32_t>(batch.data() + layout::kCrc, crc32c(batch.subspan(layout::kAttributes)));
}

}  // namespace

Result<std::optional<BatchPrefix>> peek(Bytes at) {
  if (at.size() < kLogOverhead) return std::nullopt;
  const auto length = load_be<std::int32_t>(at.data() + layout::kLength);
  if (length < kMinLengthField) {
    return fail(Errc::kCorrupt, fmt::format("batch length {} is below the smallest, {}", length, kMinLengthField));
  }
  if (at.size() < kPrefixBytes) return std::nullopt;
  const auto magic = static_cast<std::int8_t>(at[layout::kMagic]);
  if (magic < kMagicV0 || magic > kMagicV2) return fail(Errc::kCorrupt, fmt::format("unknown batch magic {}", magic));
  return BatchPrefix{Offset(load_be<std::int64_t>(at.data())), kLogOverhead + static_cast<std::size_t>(length), magic};
}

Result<BatchView> BatchView::parse(Bytes at) {
  DOHLE_ASSIGN(const auto prefix, peek(at));
  if (!prefix || at.size() < prefix->size_bytes) return fail(Errc::kCorrupt, "the batch is cut short");
  if (prefix->size_bytes < kMinBatchBytes[prefix->magic]) {
    return fail(Errc::kCorrupt, fmt::format("a batch of {} bytes is smaller than its header", prefix->size_bytes));
  }
  return BatchView(at.first(prefix->size_bytes));
}

std::uint32_t BatchView::stored_crc() const { return load<std::uint32_t>(is_v2() ? layout::kCrc : kLegacyCrc); }

std::uint32_t BatchView::computed_crc() const {
  return is_v2() ? crc32c(bytes_.subspan(layout::kAttributes)) : crc32(bytes_.subspan(layout::kMagic));
}

std::int16_t BatchView::attribute_bits() const {
  return is_v2() ? load<std::int16_t>(layout::kAttributes) : load<std::int8_t>(kLegacyAttributes);
}

Result<CompressionType> BatchView::compression() const {
  const std::uint8_t id = compression_id();
  if (id < kCompressionTypes) return static_cast<CompressionType>(id);
  return fail(Errc::kUnsupportedCompression, fmt::format("{} is no compression codec", id));
}

TimestampType BatchView::timestamp_type() const {
  if (magic() == kMagicV0) return TimestampType::kNone;
  return (attribute_bits() & attributes::kLogAppendTime) != 0 ? TimestampType::kLogAppendTime
                                                              : TimestampType::kCreateTime;
}

std::optional<std::int64_t> BatchView::delete_horizon_ms() const {
  if (!has_delete_horizon()) return std::nullopt;
  return base_timestamp();
}

std::int64_t BatchView::max_timestamp() const {
  switch (magic()) {
    case kMagicV0:
      return kNoTimestamp;
    case kMagicV1:
      return load<std::int64_t>(kLegacyTimestamp);
    default:
      return load<std::int64_t>(layout::kMaxTimestamp);
  }
}

std::int32_t BatchView::last_sequence() const {
  const std::int32_t base = base_sequence();
  return base == kNoSequence ? kNoSequence : increment_sequence(base, last_offset_delta());
}

std::optional<std::int32_t> BatchView::record_count() const {
  if (!is_v2()) return std::nullopt;
  return load<std::int32_t>(layout::kRecordCount);
}

Result<std::optional<BatchView>> BatchCursor::next() {
  DOHLE_ASSIGN(const auto prefix, peek(rest_));
  if (!prefix || rest_.size() < prefix->size_bytes) return std::nullopt;
  DOHLE_ASSIGN(const auto batch, BatchView::parse(rest_));
  rest_ = rest_.subspan(batch.size_bytes());
  consumed_ += batch.size_bytes();
  return batch;
}

void set_base_offset(MutableBytes batch, Offset offset) {
  store_be<std::int64_t>(batch.data() + layout::kBaseOffset, offset.value());
}

void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch) {
  store_be<std::int32_t>(batch.data() + layout::kLeaderEpoch, epoch.value());
}

void set_max_timestamp(MutableBytes batch, TimestampType type, std::int64_t max_timestamp_ms) {
  const auto bits = load_be<std::int16_t>(batch.data() + layout::kAttributes);
  const bool had_append_time = (bits & attributes::kLogAppendTime) != 0;
  const bool append_time = type == TimestampType::kLogAppendTime;
  const auto max_timestamp = load_be<std::int64_t>(batch.data() + layout::kMaxTimestamp);
  if (had_append_time == append_time && max_timestamp == max_timestamp_ms) return;
  // Bits that mean nothing are dropped here, as Kafka drops them.
  auto changed = static_cast<std::int16_t>(bits & kUsedAttributes & ~attributes::kLogAppendTime);
  if (append_time) changed |= attributes::kLogAppendTime;
  store_be<std::int16_t>(batch.data() + layout::kAttributes, changed);
  store_be<std::int64_t>(batch.data() + layout::kMaxTimestamp, max_timestamp_ms);
  update_crc(batch);
}

void set_producer_state(MutableBytes batch, ProducerId id, std::int16_t epoch, std::int32_t base_sequence) {
  store_be<std::int64_t>(batch.data() + layout::kProducerId, id.value());
  store_be<std::int16_t>(batch.data() + layout::kProducerEpoch, epoch);
  store_be<std::int32_t>(batch.data() + layout::kBaseSequence, base_sequence);
  update_crc(batch);
}

}  // namespace dohle::records

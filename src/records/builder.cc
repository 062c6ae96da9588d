#include <records/builder.h>

#include <algorithm>
#include <limits>
#include <utility>

#include <base/check.h>
#include <base/crc32c.h>
#include <base/varint.h>

namespace dohle::records {

namespace {

constexpr std::size_t kMaxVarint = kMaxVarintBytes;
// Length, attributes, timestamp delta, offset delta.
constexpr std::size_t kMaxRecordOverhead = kMaxVarintBytes + 1 + kMaxVarlongBytes + kMaxVarintBytes;

class RecordWriter {
 public:
  explicit RecordWriter(std::vector<std::uint8_t>& to) : to_(to) {}
  void byte(std::uint8_t value) { to_.push_back(value); }
  void varint(std::int64_t value) {
    std::uint8_t raw[kMaxVarlongBytes];
    const int n = put_uvarint(raw, zigzag(value));
    to_.insert(to_.end(), raw, raw + n);
  }
  void bytes(Bytes bytes) { to_.insert(to_.end(), bytes.begin(), bytes.end()); }
  void nullable(std::optional<Bytes> value) {
    varint(value ? static_cast<std::int64_t>(value->size()) : -1);
    if (value) bytes(*value);
  }

 private:
  std::vector<std::uint8_t>& to_;
};

std::size_t nullable_size(std::optional<Bytes> value) {
  return value ? static_cast<std::size_t>(varlong_size(static_cast<std::int64_t>(value->size()))) + value->size() : 1;
}

std::int16_t attribute_bits(const BuilderOptions& options) {
  auto bits = static_cast<std::int16_t>(options.compression.type);
  if (options.timestamp_type == TimestampType::kLogAppendTime) bits |= attributes::kLogAppendTime;
  if (options.transactional) bits |= attributes::kTransactional;
  if (options.control) bits |= attributes::kControl;
  if (options.delete_horizon_ms) bits |= attributes::kDeleteHorizon;
  return bits;
}

}  // namespace

// The headers of a record: as the caller has them, or already encoded.
struct BatchBuilder::Body {
  std::span<const Header> headers;
  const Headers* encoded = nullptr;

  [[nodiscard]] std::int64_t count() const {
    return static_cast<std::int64_t>(encoded != nullptr ? encoded->size() : headers.size());
  }
  [[nodiscard]] std::size_t size() const {
    auto total = static_cast<std::size_t>(varlong_size(count()));
    if (encoded != nullptr) return total + encoded->encoded().size();
    for (const auto& header : headers) total += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
    return total;
  }
  void write(RecordWriter& to) const {
    to.varint(count());
    if (encoded != nullptr) return to.bytes(encoded->encoded());
    for (const auto& header : headers) {
      to.nullable(as_bytes(header.key));
      to.nullable(header.value);
    }
  }
};

BatchBuilder::BatchBuilder(BuilderOptions options)
    : options_(std::move(options)), next_offset_(options_.base_offset), base_timestamp_(options_.delete_horizon_ms) {
  out_ = std::make_unique<std::vector<std::uint8_t>>(kBatchHeaderBytes);
  if (options_.compression.type != CompressionType::kNone) compressor_ = make_compressor(options_.compression, *out_);
}
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;
BatchBuilder& BatchBuilder::operator=(BatchBuilder&&) noexcept = default;
BatchBuilder::~BatchBuilder() = default;

Offset BatchBuilder::append(std::int64_t timestamp_ms, std::optional<Bytes> key, std::optional<Bytes> value,
                            std::span<const Header> headers) {
  const Offset offset = next_offset_;
  append_record(offset, timestamp_ms, key, value, Body{headers});
  return offset;
}

void BatchBuilder::append_at(Offset offset, std::int64_t timestamp_ms, std::optional<Bytes> key,
                             std::optional<Bytes> value, std::span<const Header> headers) {
  append_record(offset, timestamp_ms, key, value, Body{headers});
}

void BatchBuilder::append_at(Offset offset, std::int64_t timestamp_ms, std::optional<Bytes> key,
                             std::optional<Bytes> value, const Headers& headers) {
  append_record(offset, timestamp_ms, key, value, Body{{}, &headers});
}

Offset BatchBuilder::append_control(std::int64_t timestamp_ms, ControlType type, Bytes value) {
  DOHLE_CHECK(options_.control);
  const auto key = encode_control_key(type);
  return append(timestamp_ms, Bytes(key), value);
}

void BatchBuilder::append_record(Offset offset, std::int64_t timestamp_ms, std::optional<Bytes> key,
                                 std::optional<Bytes> value, const Body& headers) {
  DOHLE_CHECK(offset >= next_offset_);
  const std::int64_t offset_delta = offset - options_.base_offset;
  DOHLE_CHECK(offset_delta <= std::numeric_limits<std::int32_t>::max());
  if (!base_timestamp_) base_timestamp_ = timestamp_ms;
  const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp_ms) -
                                                         static_cast<std::uint64_t>(*base_timestamp_));
  const std::size_t body = 1 + static_cast<std::size_t>(varlong_size(timestamp_delta) + varlong_size(offset_delta)) +
                           nullable_size(key) + nullable_size(value) + headers.size();
  const bool plain = compressor_ == nullptr;
  std::vector<std::uint8_t>& to = plain ? *out_ : scratch_;
  if (!plain) scratch_.clear();
  const std::size_t before = to.size();
  RecordWriter writer(to);
  writer.varint(static_cast<std::int64_t>(body));
  writer.byte(0);
  writer.varint(timestamp_delta);
  writer.varint(offset_delta);
  writer.nullable(key);
  writer.nullable(value);
  headers.write(writer);
  uncompressed_bytes_ += to.size() - before;
  if (!plain) compressor_->write(scratch_);
  ++count_;
  next_offset_ = offset.next();
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
}

void BatchBuilder::set_producer_state(ProducerId id, std::int16_t epoch, std::int32_t base_sequence,
                                      bool transactional) {
  options_.producer_id = id;
  options_.producer_epoch = epoch;
  options_.base_sequence = base_sequence;
  options_.transactional = transactional;
}

Slice BatchBuilder::build() {
  if (compressor_) compressor_->finish();
  const bool append_time = options_.timestamp_type == TimestampType::kLogAppendTime;
  const Offset last = last_offset_override_.value_or(count_ == 0 ? options_.base_offset : next_offset_.prev());
  auto [slice, batch] = Slice::allocate(out_->size());
  std::copy(out_->begin() + kBatchHeaderBytes, out_->end(), batch.begin() + kBatchHeaderBytes);
  std::uint8_t* const at = batch.data();
  store_be<std::int64_t>(at + layout::kBaseOffset, options_.base_offset.value());
  store_be<std::int32_t>(at + layout::kLength, static_cast<std::int32_t>(batch.size() - kLogOverhead));
  store_be<std::int32_t>(at + layout::kLeaderEpoch, options_.leader_epoch.value());
  at[layout::kMagic] = kMagicV2;
  store_be<std::int16_t>(at + layout::kAttributes, attribute_bits(options_));
  store_be<std::int32_t>(at + layout::kLastOffsetDelta, static_cast<std::int32_t>(last - options_.base_offset));
  store_be<std::int64_t>(at + layout::kBaseTimestamp, base_timestamp_.value_or(kNoTimestamp));
  store_be<std::int64_t>(at + layout::kMaxTimestamp, append_time ? options_.log_append_time_ms : max_timestamp_ms_);
  store_be<std::int64_t>(at + layout::kProducerId, options_.producer_id.value());
  store_be<std::int16_t>(at + layout::kProducerEpoch, options_.producer_epoch);
  store_be<std::int32_t>(at + layout::kBaseSequence, options_.base_sequence);
  store_be<std::int32_t>(at + layout::kRecordCount, count_);
  store_be<std::uint32_t>(at + layout::kCrc, crc32c(batch.subspan(layout::kAttributes)));
  return slice;
}

std::size_t BatchBuilder::max_record_bytes(std::optional<Bytes> key, std::optional<Bytes> value,
                                           std::span<const Header> headers) {
  std::size_t total = kMaxRecordOverhead + nullable_size(key) + nullable_size(value) + kMaxVarint;
  for (const auto& header : headers) total += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
  return total;
}

}  // namespace dohle::records

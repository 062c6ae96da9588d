#include <records/legacy.h>

#include <fmt/core.h>
#include <zlib.h>

#include <records/reader.h>

#include "legacy_set.h"

namespace dohle::records {

namespace {

constexpr std::size_t kMessageMagic = 4;
constexpr std::size_t kMessageAttributes = 5;
constexpr std::size_t kBodyV0 = 6;
constexpr std::size_t kBodyV1 = 14;

// An int32 length and as many bytes; negative means null.
Result<std::optional<Bytes>> take_nullable(Bytes& rest) {
  if (rest.size() < 4) return fail(Errc::kCorrupt, "a message is cut short");
  const auto length = load_be<std::int32_t>(rest.data());
  rest = rest.subspan(4);
  if (length < 0) return std::nullopt;
  if (static_cast<std::size_t>(length) > rest.size()) return fail(Errc::kCorrupt, "a message is cut short");
  const Bytes out = rest.first(static_cast<std::size_t>(length));
  rest = rest.subspan(out.size());
  return out;
}

}  // namespace

Result<LegacyMessage> parse_legacy_message(Bytes message) {
  if (message.size() < static_cast<std::size_t>(kMinLengthField)) return fail(Errc::kCorrupt, "a message is cut short");
  LegacyMessage out;
  out.magic = static_cast<std::int8_t>(message[kMessageMagic]);
  out.attributes = static_cast<std::int8_t>(message[kMessageAttributes]);
  if (out.magic != kMagicV0 && out.magic != kMagicV1) {
    return fail(Errc::kCorrupt, fmt::format("magic {} inside a message set", out.magic));
  }
  if (out.magic == kMagicV1) {
    if (message.size() < kBodyV1) return fail(Errc::kCorrupt, "a message is cut short");
    out.timestamp_ms = load_be<std::int64_t>(message.data() + kBodyV0);
  }
  Bytes rest = message.subspan(out.magic == kMagicV1 ? kBodyV1 : kBodyV0);
  DOHLE_ASSIGN(out.key, take_nullable(rest));
  DOHLE_ASSIGN(out.value, take_nullable(rest));
  return out;
}

Result<> LegacySet::open() {
  DOHLE_ASSIGN(const LegacyMessage wrapper, parse_legacy_message(batch_.bytes().subspan(kLogOverhead)));
  DOHLE_ASSIGN(const CompressionType type, batch_.compression());
  if (type == CompressionType::kZstd) return fail(Errc::kInvalidRecord, "zstd inside an old message format");
  if (!wrapper.value) return fail(Errc::kInvalidRecord, "a compressed message set without a value");
  DOHLE_TRY(decompressor_->open(type, *wrapper.value, wrapper.magic));
  stream_.emplace(*decompressor_);
  return {};
}

Result<std::optional<LegacySet::Inner>> LegacySet::read_inner() {
  DOHLE_ASSIGN(const Bytes head, stream_->take(kLogOverhead, room_));
  if (head.size() < kLogOverhead) return std::nullopt;
  const auto offset = load_be<std::int64_t>(head.data());
  const auto length = load_be<std::int32_t>(head.data() + 8);
  if (length < kMinLengthField) return fail(Errc::kCorrupt, fmt::format("an inner message of {} bytes", length));
  const auto size = static_cast<std::size_t>(length);
  if (size > max_record_bytes_) return fail(Errc::kRecordTooLarge, fmt::format("an inner message of {} bytes", size));
  DOHLE_ASSIGN(const Bytes message, stream_->take(size, room_));
  if (message.size() < size) return std::nullopt;
  return Inner{offset, message};
}

Result<> LegacySet::find_base() {
  std::optional<std::int64_t> last;
  for (;;) {
    DOHLE_ASSIGN(const auto inner, read_inner());
    if (!inner) break;
    last = inner->offset;
  }
  if (!last) return fail(Errc::kInvalidRecord, "a compressed message set without messages");
  if (batch_.magic() == kMagicV0) return {};  // absolute offsets
  // Some old producers left the wrapper's offset at 0.
  const std::int64_t wrapper = batch_.last_offset().value();
  if (wrapper == 0) return {};
  if (wrapper < *last || *last < 0) {
    return fail(Errc::kInvalidRecord, fmt::format("wrapper offset {} below the last inner offset {}", wrapper, *last));
  }
  offset_base_ = wrapper - *last;
  return {};
}

Result<bool> LegacySet::next(RecordView& out) {
  if (!begun_) {
    DOHLE_TRY(open());
    DOHLE_TRY(find_base());
    DOHLE_TRY(open());
    begun_ = true;
  }
  DOHLE_ASSIGN(const auto inner, read_inner());
  if (!inner) return false;
  message_ = inner->message;
  DOHLE_ASSIGN(const LegacyMessage message, parse_legacy_message(inner->message));
  if ((message.attributes & attributes::kCompressionMask) != 0) {
    return fail(Errc::kInvalidRecord, "a compressed message inside a compressed message");
  }
  const auto sum = static_cast<std::uint64_t>(inner->offset) + static_cast<std::uint64_t>(offset_base_);
  out = RecordView{};
  out.offset = Offset(static_cast<std::int64_t>(sum));
  out.timestamp_type = message.magic == kMagicV0 ? TimestampType::kNone : batch_.timestamp_type();
  out.timestamp_ms =
      out.timestamp_type == TimestampType::kLogAppendTime ? batch_.max_timestamp() : message.timestamp_ms;
  out.key = message.key;
  out.value = message.value;
  out.size_bytes = kLogOverhead + inner->message.size();
  return true;
}

Result<Offset> legacy_first_offset(const BatchView& batch, Decompressor* decompressor) {
  if (batch.is_v2() || !batch.is_compressed()) return batch.base_offset();
  RecordReader reader(batch, decompressor);
  DOHLE_TRY(reader.next());
  return reader.record().offset;
}

Result<std::vector<MessageChecksum>> legacy_checksums(const BatchView& batch) {
  std::vector<MessageChecksum> out;
  if (!batch.is_compressed()) {
    out.push_back({batch.stored_crc(), batch.crc_ok()});
    return out;
  }
  Decompressor decompressor;
  LegacySet set(batch, decompressor, ReadLimits{}.max_record_bytes);
  for (RecordView record;;) {
    DOHLE_ASSIGN(const bool more, set.next(record));
    if (!more) return out;
    const auto stored = load_be<std::uint32_t>(set.message().data());
    const Bytes covered = set.message().subspan(kMessageMagic);
    out.push_back({stored, stored == ::crc32_z(0, covered.data(), covered.size())});
  }
}

Result<Slice> convert_to_v2(const BatchView& batch, const Compression& compression, Decompressor* decompressor) {
  DOHLE_ASSIGN(const Offset first, legacy_first_offset(batch, decompressor));
  BuilderOptions options;
  options.compression = compression;
  options.base_offset = first;
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) {
    options.timestamp_type = TimestampType::kLogAppendTime;
    options.log_append_time_ms = batch.max_timestamp();
  }
  BatchBuilder builder(options);
  std::optional<Offset> previous;
  DOHLE_TRY(for_each(
      batch,
      [&](const RecordView& record) -> Result<> {
        if (previous ? record.offset <= *previous : record.offset < first) {
          return fail(Errc::kInvalidRecord, "offsets inside a message set do not grow");
        }
        if (record.offset - first > std::numeric_limits<std::int32_t>::max()) {
          return fail(Errc::kInvalidRecord, "offsets inside a message set are too far apart");
        }
        previous = record.offset;
        builder.append_at(record.offset, record.timestamp_ms, record.key, record.value, record.headers);
        return {};
      },
      decompressor));
  return builder.build();
}

}  // namespace dohle::records

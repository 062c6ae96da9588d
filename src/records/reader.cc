#include <records/reader.h>

#include <optional>
#include <vector>

#include <fmt/core.h>

#include "chunk_reader.h"
#include "legacy_set.h"
#include "record_parser.h"

namespace dohle::records {

class RecordReader::Impl {
 public:
  Impl(const BatchView& batch, Decompressor* decompressor, ReadLimits limits)
      : batch_(batch), frame_(batch), limits_(limits), decompressor_(decompressor) {}

  Result<bool> next() {
    if (!batch_.is_v2()) return next_legacy();
    const std::int32_t declared = *batch_.record_count();
    if (declared < 0) return fail(Errc::kInvalidRecord, fmt::format("a record count of {}", declared));
    if (read_ == declared) return at_end();
    DOHLE_TRY(batch_.is_compressed() ? next_compressed() : next_plain());
    ++read_;
    return true;
  }
  [[nodiscard]] const RecordView& record() const { return record_; }

 private:
  Decompressor& decompressor() {
    if (decompressor_ == nullptr) decompressor_ = &own_.emplace();
    return *decompressor_;
  }

  Result<> next_plain() {
    if (read_ == 0) rest_ = batch_.records_section();
    const std::uint8_t* at = rest_.data();
    const std::uint8_t* const end = at + rest_.size();
    std::int32_t length = 0;
    if (!read_varint(at, end, length) || length < 0 || length > end - at) {
      return fail(Errc::kInvalidRecord, "a record is longer than its batch");
    }
    DOHLE_TRY(parse(Bytes(at, static_cast<std::size_t>(length))));
    record_.size_bytes = static_cast<std::size_t>(at - rest_.data() + length);
    rest_ = rest_.subspan(record_.size_bytes);
    return {};
  }

  Result<> next_compressed() {
    if (!stream_) {
      DOHLE_ASSIGN(const CompressionType type, batch_.compression());
      DOHLE_TRY(decompressor().open(type, batch_.records_section(), batch_.magic()));
      stream_.emplace(decompressor());
    }
    std::uint8_t prefix[kMaxVarintBytes];
    std::uint8_t* to = prefix;
    do {
      DOHLE_ASSIGN(const auto byte, stream_->byte());
      if (!byte || to == std::end(prefix)) return fail(Errc::kInvalidRecord, "a record without a length");
      *to++ = *byte;
    } while (*(to - 1) >= 0x80);
    const std::uint8_t* at = prefix;
    std::int32_t length = 0;
    if (!read_varint(at, to, length) || length < 0) return fail(Errc::kInvalidRecord, "a bad record length");
    const auto size = static_cast<std::size_t>(length);
    if (size > limits_.max_record_bytes) return fail(Errc::kRecordTooLarge, fmt::format("a record of {} bytes", size));
    DOHLE_ASSIGN(const Bytes body, stream_->take(size, room_));
    if (body.size() < size) return fail(Errc::kInvalidRecord, "a record is longer than its batch");
    DOHLE_TRY(parse(body));
    record_.size_bytes = static_cast<std::size_t>(to - prefix) + size;
    return {};
  }

  Result<> parse(Bytes body) {
    ParsedRecord parsed;
    if (const char* wrong = parse_record_body(body, parsed)) return fail(Errc::kInvalidRecord, wrong);
    frame_.fill(parsed, record_);
    return {};
  }

  // False, unless bytes are left. An empty batch is not looked into, as compaction leaves only its header.
  Result<bool> at_end() {
    if (read_ == 0) return false;
    bool more = !rest_.empty();
    if (stream_) {
      DOHLE_ASSIGN(more, stream_->more());
    }
    if (more) return fail(Errc::kInvalidRecord, "bytes are left after the last record");
    return false;
  }

  Result<bool> next_legacy() {
    if (batch_.is_compressed()) {
      if (!legacy_) legacy_.emplace(batch_, decompressor(), limits_.max_record_bytes);
      return legacy_->next(record_);
    }
    if (read_ > 0) return false;
    ++read_;
    DOHLE_ASSIGN(const LegacyMessage message, parse_legacy_message(batch_.bytes().subspan(kLogOverhead)));
    record_.offset = batch_.last_offset();
    record_.timestamp_ms = message.timestamp_ms;
    record_.timestamp_type = batch_.timestamp_type();
    record_.key = message.key;
    record_.value = message.value;
    record_.size_bytes = batch_.size_bytes();
    return true;
  }

  BatchView batch_;
  BatchFrame frame_;
  ReadLimits limits_;
  Decompressor* decompressor_;
  std::optional<Decompressor> own_;
  std::optional<ChunkReader> stream_;
  std::optional<LegacySet> legacy_;
  Bytes rest_;
  std::vector<std::uint8_t> room_;
  RecordView record_;
  std::int32_t read_ = 0;
};

RecordReader::RecordReader(const BatchView& batch, Decompressor* decompressor, ReadLimits limits)
    : impl_(std::make_unique<Impl>(batch, decompressor, limits)) {}
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;
RecordReader::~RecordReader() = default;

Result<bool> RecordReader::next() { return impl_->next(); }
const RecordView& RecordReader::record() const { return impl_->record(); }

}  // namespace dohle::records

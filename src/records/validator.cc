#include <records/validator.h>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include <base/check.h>
#include <records/builder.h>
#include <records/reader.h>

#include "record_parser.h"
#include "record_walker.h"

namespace dohle::records {

namespace {

using Outcome = std::expected<Validated, ValidationFailure>;

// More record errors than this are not listed; the batch is refused all the same.
constexpr std::size_t kMaxRecordErrors = 10'000;
// A re-encoded record must fit in memory.
constexpr std::size_t kMinRewriteRecordBytes = std::size_t{64} << 20U;

std::int64_t wrapping_subtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

Result<> check_origin(const BatchView& batch, AppendOrigin origin) {
  if (origin != AppendOrigin::kClient) return {};
  const auto refuse = [](std::string why) { return fail(Errc::kInvalidRecord, std::move(why)); };
  const std::int64_t delta = batch.last_offset_delta();
  const std::int32_t count = *batch.record_count();
  if (delta < 0) return refuse(fmt::format("a last offset delta of {}", delta));
  if (count <= 0) return refuse(fmt::format("a record count of {}", count));
  if (delta + 1 != count) return refuse(fmt::format("{} records over {} offsets", count, delta + 1));
  if (batch.is_control()) return refuse("clients may not write control records");
  if (batch.has_producer_id() && batch.base_sequence() < 0) {
    return refuse(fmt::format("sequence {} of producer id {}", batch.base_sequence(), batch.producer_id().value()));
  }
  return {};
}

}  // namespace

Result<BatchView> single_batch(Bytes records, bool allow_zstd) {
  BatchCursor cursor(records);
  const auto prefix = peek(records);
  if (!prefix) return fail(prefix.error());
  if (*prefix && (*prefix)->size_bytes <= records.size() && (*prefix)->magic != kMagicV2) {
    return fail(Errc::kInvalidRecord, fmt::format("only batches of magic 2 may be written, not {}", (*prefix)->magic));
  }
  DOHLE_ASSIGN(const auto first, cursor.next());
  if (!first) return fail(Errc::kInvalidRecord, "no record batch");
  if (!allow_zstd) {
    // Only here does Kafka look at the codec, and it fails at one that does not exist.
    const auto codec = first->compression();
    if (!codec) return fail(Errc::kUndecodable, codec.error().message);
    if (*codec == CompressionType::kZstd) {
      return fail(Errc::kUnsupportedCompression, "zstd needs a newer produce request");
    }
  }
  DOHLE_ASSIGN(const auto second, peek(records.subspan(cursor.consumed())));
  if (second && second->size_bytes <= records.size() - cursor.consumed()) {
    return fail(Errc::kInvalidRecord, "more than one record batch");
  }
  return *first;
}

namespace {

// Everything that the header alone decides.
Result<BatchView> admit(Bytes records, const ValidationConfig& config) {
  DOHLE_ASSIGN(const BatchView batch, single_batch(records, config.allow_zstd));
  if (config.origin == AppendOrigin::kClient && batch.base_offset().value() != 0) {
    return fail(Errc::kInvalidRecord, fmt::format("base offset {} instead of 0", batch.base_offset().value()));
  }
  if (std::cmp_greater(batch.size_bytes(), config.max_message_bytes)) {
    return fail(Errc::kRecordTooLarge,
                fmt::format("a batch of {} bytes, allowed are {}", batch.size_bytes(), config.max_message_bytes));
  }
  if (!batch.crc_ok()) {
    return fail(Errc::kCorrupt,
                fmt::format("CRC {:#010x} is stored, {:#010x} computed", batch.stored_crc(), batch.computed_crc()));
  }
  // Kafka has no error of its own for a codec that does not exist.
  if (!batch.compression()) return fail(Errc::kUndecodable, batch.compression().error().message);
  DOHLE_TRY(check_origin(batch, config.origin));
  return batch;
}

// What each record must fulfil, and what is learnt from them all.
class RecordRules {
 public:
  RecordRules(const ValidationConfig& config, TimestampType batch_type) : config_(config), batch_type_(batch_type) {}

  void check(std::int32_t index, std::int64_t timestamp_ms, std::int32_t offset_delta, bool has_key) {
    max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
    if (offset_delta != index) consecutive_ = false;
    if (config_.compacted && !has_key) {
      add(index, "a compacted topic takes no record without a key");
    } else if (config_.timestamp_type == TimestampType::kCreateTime && timestamp_ms != kNoTimestamp) {
      check_window(index, timestamp_ms);
    } else if (batch_type_ == TimestampType::kLogAppendTime) {
      bad_timestamp_ = true;
      add(index, "a producer may not use LogAppendTime");
    }
  }

  [[nodiscard]] bool consecutive() const { return consecutive_; }
  [[nodiscard]] std::int64_t max_timestamp_ms() const { return max_timestamp_ms_; }
  [[nodiscard]] bool failed() const { return count_ > 0; }
  [[nodiscard]] ValidationFailure failure() {
    Error error{Errc::kInvalidTimestamp, "One or more records have been rejected due to invalid timestamp"};
    if (!bad_timestamp_) {
      error = {Errc::kInvalidRecord, fmt::format("One or more records have been rejected due to {} record errors, the "
                                                 "first at index {}: {}",
                                                 count_, errors_.front().batch_index, errors_.front().message)};
    }
    return {std::move(error), std::move(errors_)};
  }

 private:
  void check_window(std::int32_t index, std::int64_t timestamp_ms) {
    const std::int64_t age = wrapping_subtract(config_.now_ms, timestamp_ms);
    const std::int64_t ahead = wrapping_subtract(0, age);
    if (age <= config_.timestamp_before_max_ms && ahead <= config_.timestamp_after_max_ms) return;
    bad_timestamp_ = true;
    add(index, fmt::format("timestamp {} is outside [{}, {}]", timestamp_ms,
                           wrapping_subtract(config_.now_ms, config_.timestamp_before_max_ms),
                           wrapping_subtract(config_.now_ms, -config_.timestamp_after_max_ms)));
  }
  void add(std::int32_t index, std::string message) {
    ++count_;
    if (errors_.size() < kMaxRecordErrors) errors_.push_back({index, std::move(message)});
  }

  const ValidationConfig& config_;
  TimestampType batch_type_;
  std::int64_t max_timestamp_ms_ = kNoTimestamp;
  bool consecutive_ = true;
  bool bad_timestamp_ = false;
  std::size_t count_ = 0;
  std::vector<RecordError> errors_;
};

}  // namespace

class BatchValidator::Impl {
 public:
  Impl(Slice records, const ValidationConfig& config, Decompressor* decompressor)
      : records_(std::move(records)), config_(config), decompressor_(decompressor) {}

  bool advance(std::size_t budget) {
    if (outcome_) return true;
    const Result<bool> done = step(budget);
    if (!done) outcome_ = std::unexpected(ValidationFailure{done.error(), {}});
    return outcome_.has_value();
  }
  Outcome take_result() {
    DOHLE_CHECK(outcome_.has_value());
    return std::move(*outcome_);
  }

 private:
  enum class Phase : std::uint8_t { kStart, kWalk, kRewrite };

  Result<bool> step(std::size_t budget) {
    if (phase_ == Phase::kStart) DOHLE_TRY(start());
    if (phase_ == Phase::kWalk) {
      DOHLE_ASSIGN(const bool done, walk(budget));
      return done;
    }
    return rewrite(budget);
  }

  Result<> start() {
    DOHLE_ASSIGN(batch_, admit(records_.bytes(), config_));
    records_ = records_.sub(0, batch_->size_bytes());
    frame_.emplace(*batch_);
    rules_.emplace(config_, batch_->timestamp_type());
    source_ = *batch_->compression();
    // Control records stay as they are unless they came compressed.
    const bool plain_control = source_ == CompressionType::kNone && batch_->is_control();
    const bool in_place = !config_.target || config_.target->type == source_ || plain_control;
    return in_place ? begin_walk() : begin_rewrite();
  }

  Result<> begin_walk() {
    phase_ = Phase::kWalk;
    walker_.emplace(std::max(*batch_->record_count(), 0), source_ == CompressionType::kNone
                                                              ? RecordWalker::Lengths::kExact
                                                              : RecordWalker::Lengths::kIgnored);
    return decompressor().open(source_, batch_->records_section(), kMagicV2);
  }

  Result<bool> walk(std::size_t budget) {
    std::size_t walked = 0;
    while (walked < budget) {
      if (rest_.empty()) {
        DOHLE_ASSIGN(rest_, decompressor().next_chunk());
        if (rest_.empty()) return end_of_walk();
        DOHLE_TRY(count_decompressed(rest_.size()));
      }
      // A plain batch is one large chunk.
      const Bytes part = rest_.first(std::min(rest_.size(), budget - walked));
      const bool well = walker_->feed(part, [this](const RecordWalker::Seen& seen) {
        rules_->check(seen.index, frame_->timestamp(seen.timestamp_delta), seen.offset_delta, seen.has_key);
      });
      if (!well) return std::unexpected(walker_->error());
      walked += part.size();
      rest_ = rest_.subspan(part.size());
    }
    return false;
  }

  Result<bool> end_of_walk() {
    // An empty batch of a coordinator is a header alone.
    if (!walker_->finish()) return std::unexpected(walker_->error());
    if (rules_->failed()) return refuse();
    // Kafka wants to re-encode such a batch and fails over it, but does not look at the offsets of a plain one.
    const bool compressed = source_ != CompressionType::kNone;
    if (compressed && !rules_->consecutive() && config_.origin == AppendOrigin::kClient) {
      return fail(Errc::kUndecodable, "the offsets of compressed records leave gaps");
    }
    assign_in_place();
    return true;
  }

  void assign_in_place() {
    const bool append_time = config_.timestamp_type == TimestampType::kLogAppendTime;
    const std::int32_t count = walker_->records();
    const Offset last = config_.next_offset + (count - 1);
    const std::int64_t max_timestamp = append_time ? config_.now_ms : rules_->max_timestamp_ms();
    const MutableBytes bytes = records_.mutable_bytes();
    set_base_offset(bytes, last - batch_->last_offset_delta());
    set_leader_epoch(bytes, config_.leader_epoch);
    set_max_timestamp(bytes, config_.timestamp_type, max_timestamp);
    finish(std::move(records_), count, max_timestamp, false);
  }

  Result<> begin_rewrite() {
    phase_ = Phase::kRewrite;
    BuilderOptions options;
    options.compression = config_.target.value_or(Compression{source_, std::nullopt});
    options.base_offset = config_.next_offset;
    options.timestamp_type = config_.timestamp_type;
    options.log_append_time_ms = config_.now_ms;
    options.producer_id = batch_->producer_id();
    options.producer_epoch = batch_->producer_epoch();
    options.base_sequence = batch_->base_sequence();
    options.transactional = batch_->is_transactional();
    options.control = batch_->is_control();
    options.leader_epoch = config_.leader_epoch;
    builder_.emplace(std::move(options));
    const auto max_bytes = static_cast<std::size_t>(std::max<std::int64_t>(config_.max_message_bytes, 0));
    reader_.emplace(*batch_, &decompressor(), ReadLimits{std::max(kMinRewriteRecordBytes, max_bytes)});
    return {};
  }

  Result<bool> rewrite(std::size_t budget) {
    const Offset base = batch_->base_offset();
    for (std::size_t walked = 0; walked < budget;) {
      DOHLE_ASSIGN(const bool more, reader_->next());
      if (!more) return end_of_rewrite();
      const RecordView& record = reader_->record();
      walked += record.size_bytes;
      DOHLE_TRY(count_decompressed(record.size_bytes));
      const std::int32_t index = index_++;
      rules_->check(index, record.timestamp_ms, static_cast<std::int32_t>(record.offset - base),
                    record.key.has_value());
      if (rules_->failed()) continue;
      builder_->append_at(config_.next_offset + index, record.timestamp_ms, record.key, record.value, record.headers);
      DOHLE_TRY(check_rewritten_size(builder_->written_bytes()));
    }
    return false;
  }

  Result<bool> end_of_rewrite() {
    if (rules_->failed()) return refuse();
    const std::int32_t count = builder_->record_count();
    Slice bytes = builder_->build();
    DOHLE_TRY(check_rewritten_size(bytes.size()));
    const bool append_time = config_.timestamp_type == TimestampType::kLogAppendTime;
    finish(std::move(bytes), count, append_time ? config_.now_ms : rules_->max_timestamp_ms(), true);
    return true;
  }

  [[nodiscard]] Result<> check_rewritten_size(std::size_t size) const {
    if (std::cmp_less_equal(size, config_.max_message_bytes)) return {};
    return fail(Errc::kRecordTooLarge,
                fmt::format("re-encoded, the batch is larger than {} bytes", config_.max_message_bytes));
  }

  Result<> count_decompressed(std::size_t size) {
    decompressed_ += size;
    if (decompressed_ <= config_.max_decompressed_bytes) return {};
    return fail(Errc::kRecordTooLarge,
                fmt::format("the batch decompresses to more than {} bytes", config_.max_decompressed_bytes));
  }

  bool refuse() {
    outcome_ = std::unexpected(rules_->failure());
    return true;
  }

  void finish(Slice bytes, std::int32_t count, std::int64_t max_timestamp, bool rewritten) {
    Validated out;
    out.bytes = std::move(bytes);
    out.first_offset = config_.next_offset;
    out.last_offset = config_.next_offset + (count - 1);
    out.record_count = count;
    out.max_timestamp_ms = max_timestamp;
    out.offset_of_max_timestamp = out.last_offset;
    if (config_.timestamp_type == TimestampType::kLogAppendTime) out.log_append_time_ms = config_.now_ms;
    out.rewritten = rewritten;
    outcome_ = std::move(out);
  }

  Decompressor& decompressor() {
    if (decompressor_ == nullptr) decompressor_ = &own_.emplace();
    return *decompressor_;
  }

  Slice records_;
  ValidationConfig config_;
  Decompressor* decompressor_;
  std::optional<Decompressor> own_;
  Phase phase_ = Phase::kStart;
  std::optional<BatchView> batch_;
  std::optional<BatchFrame> frame_;
  std::optional<RecordRules> rules_;
  CompressionType source_ = CompressionType::kNone;
  std::optional<RecordWalker> walker_;
  Bytes rest_;
  std::optional<RecordReader> reader_;
  std::optional<BatchBuilder> builder_;
  std::int32_t index_ = 0;
  std::uint64_t decompressed_ = 0;
  std::optional<Outcome> outcome_;
};

BatchValidator::BatchValidator(Slice records, const ValidationConfig& config, Decompressor* decompressor)
    : impl_(std::make_unique<Impl>(std::move(records), config, decompressor)) {}
BatchValidator::BatchValidator(BatchValidator&&) noexcept = default;
BatchValidator& BatchValidator::operator=(BatchValidator&&) noexcept = default;
BatchValidator::~BatchValidator() = default;

bool BatchValidator::advance(std::size_t budget_bytes) { return impl_->advance(budget_bytes); }
Outcome BatchValidator::take_result() { return impl_->take_result(); }

void place_at(Validated& validated, Offset next_offset, LeaderEpoch leader_epoch) {
  const MutableBytes batch = validated.bytes.mutable_bytes();
  const Offset before = BatchView::parse(validated.bytes.bytes())->base_offset();
  const std::int64_t by = next_offset - validated.first_offset;
  set_base_offset(batch, before + by);
  set_leader_epoch(batch, leader_epoch);
  validated.first_offset = next_offset;
  validated.last_offset = validated.last_offset + by;
  validated.offset_of_max_timestamp = validated.offset_of_max_timestamp + by;
}

Outcome validate_and_assign(Slice records, const ValidationConfig& config, Decompressor* decompressor) {
  BatchValidator validator(std::move(records), config, decompressor);
  while (!validator.advance(std::numeric_limits<std::size_t>::max())) {
  }
  return validator.take_result();
}

}  // namespace dohle::records

#include <algorithm>
#include <limits>

#include <base/log.h>
#include <base/mark.h>
#include <fmt/format.h>
#include <records/batch.h>
#include <records/validator.h>
#include <runtime/sync.h>

#include "log_files.h"
#include "log_state.h"
#include "partition_metadata.h"

namespace dohle::storage {

namespace {

constexpr std::int64_t kSlowWriteMs = 5;
// Of decompressed records, between two looks at the rest of the shard: about a millisecond of gzip.
constexpr std::size_t kSliceBytes = std::size_t{512} << 10U;

std::optional<records::Compression> target_compression(const LogConfig& config) {
  using records::CompressionType;
  switch (config.compression) {
    case BrokerCompression::kProducer:
      return std::nullopt;
    case BrokerCompression::kUncompressed:
      return records::Compression{CompressionType::kNone, std::nullopt};
    case BrokerCompression::kGzip:
      return records::Compression{CompressionType::kGzip, config.gzip_level};
    case BrokerCompression::kSnappy:
      return records::Compression{CompressionType::kSnappy, std::nullopt};
    case BrokerCompression::kLz4:
      return records::Compression{CompressionType::kLz4, config.lz4_level};
    case BrokerCompression::kZstd:
      return records::Compression{CompressionType::kZstd, config.zstd_level};
  }
  return std::nullopt;
}

records::ValidationConfig validation_config(const LogConfig& config, const AppendOptions& options, std::int64_t now_ms,
                                            LeaderEpoch epoch, Offset next) {
  return {.target = target_compression(config),
          .timestamp_type = config.timestamp_type == TimestampType::kLogAppendTime
                                ? records::TimestampType::kLogAppendTime
                                : records::TimestampType::kCreateTime,
          .timestamp_before_max_ms = config.timestamp_before_max_ms,
          .timestamp_after_max_ms = config.timestamp_after_max_ms,
          .now_ms = now_ms,
          .max_message_bytes =
              options.ignore_record_size ? std::numeric_limits<std::int32_t>::max() : config.max_message_bytes,
          .compacted = config.cleanup_compact,
          .allow_zstd = options.allow_zstd,
          .origin = options.origin == AppendOrigin::kClient ? records::AppendOrigin::kClient
                                                            : records::AppendOrigin::kCoordinator,
          .leader_epoch = epoch,
          .next_offset = next};
}

bool keeps_working_on_a_full_disk(const TopicPartition& partition) { return partition.topic.starts_with("__"); }

std::unexpected<AppendFailure> refuse(Error error) { return std::unexpected(AppendFailure{std::move(error), {}}); }

}  // namespace

std::expected<AppendInfo, AppendFailure> Log::State::append_as_leader(Slice records, LeaderEpoch epoch,
                                                                      AppendOptions options) {
  if (options.origin == AppendOrigin::kRaftLeader || options.origin == AppendOrigin::kReplication) {
    auto appended = append_given(std::move(records), epoch, options.origin);
    if (!appended) return refuse(std::move(appended.error()));
    return *appended;
  }
  if (auto online = check_online(); !online) return refuse(std::move(online.error()));
  records::BatchValidator validator(std::move(records),
                                    validation_config(config, options, services.clock.wall_ms(), epoch, log_end),
                                    &services.decompressor);
  if (!validator.advance(options.inline_bytes)) return refuse({Errc::kWouldBlock, "the batch takes long to validate"});
  return append_validated(validator.take_result(), epoch, options.origin);
}

runtime::Task<std::expected<AppendInfo, AppendFailure>> Log::State::append_as_leader_in_slices(
    Slice records, LeaderEpoch epoch, AppendOptions options, std::function<bool()> still_wanted) {
  const auto self = shared_from_this();
  auto rules = validation_config(config, options, services.clock.wall_ms(), epoch, Offset(0));
  rules.max_decompressed_bytes = std::numeric_limits<std::uint64_t>::max();
  records::BatchValidator validator(std::move(records), rules);
  while (!validator.advance(kSliceBytes)) co_await runtime::yield();
  auto validated = validator.take_result();
  if (!still_wanted()) co_return refuse({Errc::kNotLeader, "leadership ended while a batch was validated"});
  if (auto online = check_online(); !online) co_return refuse(std::move(online.error()));
  // The log went on meanwhile.
  if (validated) records::place_at(*validated, log_end, epoch);
  co_return append_validated(std::move(validated), epoch, options.origin);
}

std::expected<AppendInfo, AppendFailure> Log::State::append_validated(
    std::expected<records::Validated, records::ValidationFailure> validated, LeaderEpoch epoch, AppendOrigin origin) {
  if (!validated) {
    AppendFailure failure{std::move(validated.error().error), {}};
    for (auto& record : validated.error().record_errors) {
      failure.record_errors.push_back({record.batch_index, std::move(record.message)});
    }
    return std::unexpected(std::move(failure));
  }
  const auto batch = records::BatchView::parse(validated->bytes.bytes());
  if (!batch) return refuse(batch.error());
  if (origin == AppendOrigin::kClient && batch->is_transactional()) {
    return refuse({Errc::kUnsupported, "transactional records are not supported yet"});
  }
  AppendInfo info{.first_offset = validated->first_offset,
                  .last_offset = validated->last_offset,
                  .max_timestamp = validated->max_timestamp_ms,
                  .log_append_time = validated->log_append_time_ms,
                  .last_epoch = epoch,
                  .record_count = validated->record_count};
  auto appended = append_batches({.bytes = std::move(validated->bytes),
                                  .first_offset = info.first_offset,
                                  .last_offset = info.last_offset,
                                  .max_timestamp = info.max_timestamp,
                                  .origin = origin},
                                 info);
  if (!appended) return refuse(std::move(appended.error()));
  return *appended;
}

// Batches that bring their offsets: of a leader elsewhere, or of raft. Checks what Kafka checks of them.
Result<AppendInfo> Log::State::append_given(Slice records, LeaderEpoch epoch, AppendOrigin origin) {
  DOHLE_TRY(check_online());
  AppendInfo info{.log_start = log_start};
  records::BatchCursor cursor(records.bytes());
  std::size_t valid_bytes = 0;
  for (;;) {
    DOHLE_ASSIGN(const auto batch, cursor.next());
    if (!batch) break;
    if (origin == AppendOrigin::kRaftLeader && batch->leader_epoch() != epoch) {
      return fail(Errc::kInvalidRecord,
                  fmt::format("the batch has leader epoch {}, not {}", batch->leader_epoch().value(), epoch.value()));
    }
    // A leader that lost its office meanwhile: only what belongs to the epoch that was fetched from is kept.
    if (origin == AppendOrigin::kReplication && batch->leader_epoch() > epoch) break;
    const Offset first = info.last_offset == kNoOffset ? batch->base_offset() : info.first_offset;
    if (info.last_offset != kNoOffset && batch->base_offset() <= info.last_offset) {
      return fail(Errc::kInvalidRecord,
                  fmt::format("offset {} comes after {}", batch->base_offset().value(), info.last_offset.value()));
    }
    if (batch->last_offset() < batch->base_offset()) return fail(Errc::kCorrupt, "a batch ends before it begins");
    if (!batch->crc_ok())
      return fail(Errc::kCorrupt, fmt::format("the batch at offset {} is damaged", batch->base_offset().value()));
    info.first_offset = first;
    info.last_offset = batch->last_offset();
    info.max_timestamp = std::max(info.max_timestamp, batch->max_timestamp());
    info.last_epoch = batch->leader_epoch();
    info.record_count += batch->record_count().value_or(1);
    valid_bytes = cursor.consumed();
  }
  if (valid_bytes == 0) return info;
  if (info.first_offset < log_end) {
    return fail(Errc::kOffsetOutOfRange,
                fmt::format("append at offset {} below the log end {}", info.first_offset.value(), log_end.value()));
  }
  return append_batches({.bytes = records.sub(0, valid_bytes),
                         .first_offset = info.first_offset,
                         .last_offset = info.last_offset,
                         .max_timestamp = info.max_timestamp,
                         .origin = origin},
                        info);
}

Result<AppendInfo> Log::State::append_batches(const Append& append, AppendInfo info) {
  info.log_start = log_start;
  info.bytes = static_cast<std::uint32_t>(append.bytes.size());
  if (append.bytes.size() > static_cast<std::size_t>(config.segment_bytes)) {
    return fail(Errc::kRecordListTooLarge,
                fmt::format("{} bytes are more than segment.bytes, {}", append.bytes.size(), config.segment_bytes));
  }
  ProducerUpdate update;
  const ProducerBatch* duplicate = nullptr;
  DOHLE_TRY(prepare_producers(append.bytes.bytes(), append.origin, update, duplicate));
  if (duplicate != nullptr) {
    DOHLE_MARK("storage.duplicate_batch");
    info.first_offset = duplicate->first_offset();
    info.last_offset = duplicate->last_offset;
    info.log_append_time = duplicate->timestamp;
    info.duplicate = true;
    info.bytes = 0;
    return info;
  }
  auto placed = place(append);
  if (!placed && placed.error().code == Errc::kNoSpace && keeps_working_on_a_full_disk(setup.partition) &&
      services.commit_log.release_reserve()) {
    DOHLE_MARK("storage.append_on_the_reserve");
    placed = place(append);
  }
  DOHLE_TRY(guard(std::move(placed)));
  DOHLE_TRY(guard(finish_append(append, update)));
  return info;
}

// Everything that goes to disk for an append. May be done again after it failed.
Result<> Log::State::place(const Append& append) {
  DOHLE_TRY(write_partition_metadata());
  DOHLE_TRY(maybe_roll(append));
  DOHLE_ASSIGN(batches_, describe(append.bytes.bytes()));
  note_epochs();
  DOHLE_TRY(write_epochs());
  return write_to_active(append);
}

Result<> Log::State::prepare_producers(Bytes bytes, AppendOrigin origin, ProducerUpdate& update,
                                       const ProducerBatch*& duplicate) const {
  records::BatchCursor cursor(bytes);
  for (;;) {
    DOHLE_ASSIGN(const auto batch, cursor.next());
    if (!batch) return {};
    if (!batch->has_producer_id()) continue;
    if (origin == AppendOrigin::kClient) {
      const auto* known = producers.find(batch->producer_id());
      if (known != nullptr) {
        duplicate = known->find_duplicate(batch->producer_epoch(), batch->base_sequence(), batch->last_sequence());
        if (duplicate != nullptr) return {};
      }
    }
    DOHLE_TRY(producers.prepare(*batch, origin, update));
  }
}

Result<std::vector<BatchPlace>> Log::State::describe(Bytes bytes) const {
  std::vector<BatchPlace> out;
  std::uint64_t position = 0;
  records::BatchCursor cursor(bytes);
  for (;;) {
    DOHLE_ASSIGN(const auto batch, cursor.next());
    if (!batch) return out;
    out.push_back({.position = position,
                   .size = batch->size_bytes(),
                   .magic = batch->magic(),
                   .base_offset = batch->base_offset(),
                   .last_offset = batch->last_offset(),
                   .leader_epoch = batch->leader_epoch(),
                   .max_timestamp = batch->max_timestamp()});
    position += batch->size_bytes();
  }
}

Result<> Log::State::maybe_roll(const Append& append) {
  const RollQuestion question{.bytes = append.bytes.size(),
                              .last_offset = append.last_offset,
                              .max_timestamp = append.max_timestamp,
                              .now_ms = services.clock.wall_ms()};
  DOHLE_ASSIGN(bool due, segments.active().should_roll(question, config));
  if (DOHLE_ODD("storage.early_roll")) due = !segments.active().empty();
  return due ? roll(append.first_offset) : Result<>{};
}

Result<> Log::State::roll(Offset expected_next) {
  Segment& old = segments.active();
  const Offset base = std::max(expected_next, log_end);
  if (base == old.base()) return {};
  touched = true;
  DOHLE_TRY(old.seal());
  DOHLE_TRY(old.collect_files(sync_files, true));
  DOHLE_ASSIGN(auto fresh, Segment::create(segment_setup(base)));
  segments.add(std::move(fresh));
  sync_directory = true;
  producers.set_end(base);
  DOHLE_ASSIGN(const auto snapshot, snapshots.write(producers));
  if (snapshot) sync_later(snapshot);
  log::debug("storage", "{}: rolled a segment at offset {}", path, base.value());
  // The sealed segment leaves the range that a crash would make us scan.
  commit_in_background();
  return {};
}

void Log::State::note_epochs() {
  for (const auto& batch : batches_) {
    if (batch.magic < records::kMagicV2) {
      // Old formats know no epochs: truncation falls back to the high watermark, as in Kafka.
      epochs_dirty = epochs.clear() || epochs_dirty;
    } else if (batch.leader_epoch.value() >= 0) {
      epochs_dirty = epochs.assign(batch.leader_epoch, batch.base_offset) || epochs_dirty;
    }
  }
}

// Not synced here: it goes with the next commit, before anything under the new epoch is acknowledged.
Result<> Log::State::write_epochs() {
  if (!epochs_dirty) return {};
  const std::string target = runtime::join_path(path, kLeaderEpochFile);
  const std::string temporary = target + ".tmp";
  DOHLE_ASSIGN(auto file, services.files.open(temporary, runtime::OpenMode::kTruncate));
  DOHLE_TRY(file->write_at(0, as_bytes(format_epoch_checkpoint(epochs.entries()))));
  DOHLE_TRY(services.files.rename(temporary, target));
  sync_later(std::move(file));
  sync_directory = true;
  epochs_dirty = false;
  return {};
}

Result<> Log::State::write_partition_metadata() {
  if (metadata_written || !topic_id) return {};
  const std::string target = runtime::join_path(path, kPartitionMetadataFile);
  const std::string temporary = target + ".tmp";
  DOHLE_ASSIGN(auto file, services.files.open(temporary, runtime::OpenMode::kTruncate));
  DOHLE_TRY(file->write_at(0, as_bytes(format_partition_metadata(*topic_id))));
  DOHLE_TRY(services.files.rename(temporary, target));
  sync_later(std::move(file));
  sync_directory = true;
  metadata_written = true;
  return {};
}

Result<> Log::State::write_to_active(const Append& append) {
  touched = true;
  Segment& active = segments.active();
  for (auto& batch : batches_) batch.position += active.size();
  const auto begin = services.clock.now();
  const auto written = active.append(append.bytes.bytes(), batches_, config.index_interval_bytes);
  if ((services.clock.now() - begin) > std::chrono::milliseconds(kSlowWriteMs)) services.commit_log.count_slow_write();
  return written;
}

Result<> Log::State::finish_append(const Append& append, const ProducerUpdate& update) {
  size_bytes += append.bytes.size();
  const std::int64_t unflushed_before = log_end - flushed_end;
  log_end = append.last_offset.next();
  const bool modern = std::ranges::all_of(batches_, [](const auto& batch) { return batch.magic == records::kMagicV2; });
  if (modern) {
    tail.append(append.bytes, batches_, segments.active().base());
  } else {
    tail.clear();
  }
  producers.apply(update);
  for (const auto& txn : update.completed) {
    if (txn.aborted) {
      DOHLE_TRY(segments.active().transaction_index().append(
          {txn.producer_id, txn.first_offset, txn.last_offset, producers.last_stable_offset(txn)}));
    }
    producers.complete(txn);
  }
  producers.set_end(log_end);
  const std::int64_t every = config.flush_messages;
  if (every > 1 && every != kMaxLong && unflushed_before + (log_end - append.first_offset) >= every)
    commit_in_background();
  return {};
}

}  // namespace dohle::storage

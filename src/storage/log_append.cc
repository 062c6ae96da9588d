#include <algorithm>
#include <limits>

#include <base/check.h>
#include <base/log.h>
#include <base/mark.h>
#include <fmt/format.h>
#include <records/batch.h>
#include <records/validator.h>
#include <runtime/io_thread.h>
#include <runtime/sync.h>

#include "log_files.h"
#include "log_state.h"
#include "partition_metadata.h"

namespace dohle::storage {

namespace {

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
  if (door.is_held() || services.commit_log.is_slow()) return refuse({Errc::kWouldBlock, "the disk is slow"});
  records::BatchValidator validator(std::move(records),
                                    validation_config(config, options, services.clock.wall_ms(), epoch, log_end),
                                    &services.decompressor);
  if (!validator.advance(options.inline_bytes)) return refuse({Errc::kWouldBlock, "the batch takes long to validate"});
  auto checked = check_validated(validator.take_result(), epoch, options.origin);
  if (!checked) return std::unexpected(std::move(checked.error()));
  auto written = write(*checked);
  if (!written) return refuse(std::move(written.error()));
  return *written;
}

runtime::Task<std::expected<AppendInfo, AppendFailure>> Log::State::append_as_leader_waiting(
    Slice records, LeaderEpoch epoch, AppendOptions options, std::function<bool()> still_wanted) {
  const auto self = shared_from_this();
  auto rules = validation_config(config, options, services.clock.wall_ms(), epoch, Offset(0));
  rules.max_decompressed_bytes = std::numeric_limits<std::uint64_t>::max();
  records::BatchValidator validator(std::move(records), rules);
  while (!validator.advance(kSliceBytes)) co_await runtime::yield();
  auto validated = validator.take_result();
  const auto turn = co_await door.lock();
  if (abandoned) co_return refuse({Errc::kClosed, "the log was removed"});
  if (!still_wanted()) co_return refuse({Errc::kNotLeader, "leadership ended before a batch was written"});
  if (auto online = check_online(); !online) co_return refuse(std::move(online.error()));
  // The log went on meanwhile.
  if (validated) records::place_at(*validated, log_end, epoch);
  auto checked = check_validated(std::move(validated), epoch, options.origin);
  if (!checked) co_return std::unexpected(std::move(checked.error()));
  auto written = co_await write_in_turn(*checked);
  if (!written) co_return refuse(std::move(written.error()));
  co_return *written;
}

std::expected<Log::State::Append, AppendFailure> Log::State::check_validated(Validated validated, LeaderEpoch epoch,
                                                                             AppendOrigin origin) const {
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
  Append append{.bytes = std::move(validated->bytes),
                .origin = origin,
                .info = {.first_offset = validated->first_offset,
                         .last_offset = validated->last_offset,
                         .max_timestamp = validated->max_timestamp_ms,
                         .log_append_time = validated->log_append_time_ms,
                         .last_epoch = epoch,
                         .record_count = validated->record_count},
                .update = {}};
  if (auto checked = check_append(append); !checked) return refuse(std::move(checked.error()));
  return append;
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
  DOHLE_CHECK(!door.is_held());
  Append append{.bytes = records.sub(0, valid_bytes), .origin = origin, .info = info, .update = {}};
  DOHLE_TRY(check_append(append));
  return write(append);
}

// What is left to check once offsets are known. A duplicate is no error: the answer is that of the original.
Result<> Log::State::check_append(Append& append) const {
  AppendInfo& info = append.info;
  info.log_start = log_start;
  info.bytes = static_cast<std::uint32_t>(append.bytes.size());
  if (append.bytes.size() > static_cast<std::size_t>(config.segment_bytes)) {
    return fail(Errc::kRecordListTooLarge,
                fmt::format("{} bytes are more than segment.bytes, {}", append.bytes.size(), config.segment_bytes));
  }
  const ProducerBatch* duplicate = nullptr;
  DOHLE_TRY(prepare_producers(append.bytes.bytes(), append.origin, append.update, duplicate));
  if (duplicate == nullptr) {
    if (!services.commit_log.lives_on_reserve() || keeps_working_on_a_full_disk(setup.partition)) return {};
    services.commit_log.note_refused();
    return fail(Errc::kNoSpace, fmt::format("the log directory of {} is full", path));
  }
  DOHLE_MARK("storage.duplicate_batch");
  info.first_offset = duplicate->first_offset();
  info.last_offset = duplicate->last_offset;
  info.log_append_time = duplicate->timestamp;
  info.duplicate = true;
  info.bytes = 0;
  return {};
}

bool Log::State::may_use_reserve(const Result<>& placed) const {
  const bool released = !placed && placed.error().code == Errc::kNoSpace &&
                        keeps_working_on_a_full_disk(setup.partition) && services.commit_log.release_reserve();
  if (released) DOHLE_MARK("storage.append_on_the_reserve");
  if (!released && !placed && placed.error().code == Errc::kNoSpace) services.commit_log.note_refused();
  return released;
}

// On the shard, as almost all appends are.
Result<AppendInfo> Log::State::write(const Append& append) {
  if (append.info.duplicate) return append.info;
  auto placed = place(append);
  if (may_use_reserve(placed)) placed = place(append);
  DOHLE_TRY(guard(std::move(placed)));
  DOHLE_TRY(guard(finish_append(append)));
  return append.info;
}

// With the door held.
runtime::Task<Result<AppendInfo>> Log::State::write_in_turn(const Append& append) {
  if (append.info.duplicate) co_return append.info;
  auto placed = co_await place_in_turn(append);
  if (may_use_reserve(placed)) placed = co_await place_in_turn(append);
  DOHLE_CO_TRY(guard(std::move(placed)));
  // Failed meanwhile: what was written is not acknowledged.
  DOHLE_CO_TRY(check_online());
  DOHLE_CO_TRY(guard(finish_append(append)));
  co_return append.info;
}

Result<> Log::State::place(const Append& append) {
  DOHLE_ASSIGN(Placement placement, prepare_placement(append, nullptr));
  auto placed = run_placement(placement);
  finish_placement(placement);
  return placed;
}

// On whichever thread. A thread that waited for a CPU did not wait for the disk.
Result<> Log::State::run_placement(Placement& placement) {
  const auto began = services.clock.now();
  auto placed = placement.run(services.files);
  const auto ended = services.clock.now();
  runtime::Duration took = ended - began;
  if (took > kSlowWrite) took -= std::min(took, services.clock.take_cpu_wait());
  services.commit_log.note_write(took, ended);
  return placed;
}

// On the write thread while the directory is slow.
runtime::Task<Result<>> Log::State::place_in_turn(const Append& append) {
  if (!services.commit_log.is_slow()) co_return place(append);
  DOHLE_MARK("storage.append_on_the_thread");
  DOHLE_CO_ASSIGN(Placement placement,
                  co_await look_until_warm([&](Probe probe) { return prepare_placement(append, probe); }));
  auto placed =
      co_await runtime::run_on(services.commit_log.writes(), [this, &placement] { return run_placement(placement); });
  finish_placement(placement);
  co_return placed;
}

// Everything that goes to disk for an append. May be done again after it failed.
Result<Placement> Log::State::prepare_placement(const Append& append, Probe probe) {
  DOHLE_TRY(describe(append.bytes.bytes()));
  Placement out;
  out.segment = &segments.active();
  const RollQuestion question{.bytes = append.bytes.size(),
                              .last_offset = append.info.last_offset,
                              .max_timestamp = append.info.max_timestamp,
                              .now_ms = services.clock.wall_ms()};
  DOHLE_ASSIGN(bool due, out.segment->should_roll(question, config, probe));
  if (DOHLE_ODD("storage.early_roll")) due = !out.segment->empty();
  if (due) {
    DOHLE_ASSIGN(out.roll, prepare_roll(append.info.first_offset, probe));
    if (out.roll) out.segment = out.roll->fresh.get();
  }
  DOHLE_ASSIGN(out.write, out.segment->prepare_append(append.bytes.bytes(), probe));
  touched = true;
  note_epochs();
  out.metadata = prepare_partition_metadata();
  out.epochs = prepare_epochs();
  return out;
}

// Whatever became of it.
void Log::State::finish_placement(Placement& placement) {
  if (placement.metadata) finish_partition_metadata(*placement.metadata);
  if (placement.epochs) finish_epochs(*placement.epochs);
  if (placement.roll) {
    finish_roll(*placement.roll);
    if (!placement.roll->files.done) return;
  }
  for (auto& batch : batches_) batch.position += placement.write.size;
  placement.segment->finish_append(placement.write, batches_, config.index_interval_bytes);
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

// Into batches_, with positions from zero.
Result<> Log::State::describe(Bytes bytes) {
  batches_.clear();
  std::uint64_t position = 0;
  records::BatchCursor cursor(bytes);
  for (;;) {
    DOHLE_ASSIGN(const auto batch, cursor.next());
    if (!batch) return {};
    batches_.push_back({.position = position,
                        .size = batch->size_bytes(),
                        .magic = batch->magic(),
                        .base_offset = batch->base_offset(),
                        .last_offset = batch->last_offset(),
                        .leader_epoch = batch->leader_epoch(),
                        .max_timestamp = batch->max_timestamp()});
    position += batch->size_bytes();
  }
}

Result<> Log::State::roll(Offset expected_next) {
  DOHLE_ASSIGN(const auto roll, prepare_roll(expected_next, nullptr));
  if (!roll) return {};
  auto rolled = roll->run(services.files);
  finish_roll(*roll);
  return rolled;
}

// Nothing when the active segment begins there already.
Result<std::unique_ptr<Roll>> Log::State::prepare_roll(Offset expected_next, Probe probe) {
  Segment& old = segments.active();
  const Offset base = std::max(expected_next, log_end);
  if (base == old.base()) return nullptr;
  auto roll = std::make_unique<Roll>();
  roll->base = base;
  DOHLE_ASSIGN(roll->seal, old.prepare_seal(probe));
  roll_jitter_ms = draw_roll_jitter();
  roll->fresh = Segment::to_create(segment_setup(base));
  roll->files = roll->fresh->prepare_create();
  producers.set_end(base);
  roll->snapshot = snapshots.prepare(producers);
  touched = true;
  return roll;
}

void Log::State::finish_roll(Roll& roll) {
  Segment& old = segments.active();
  old.finish_seal(roll.seal);
  if (!roll.files.done) return;
  for (const auto& file : {roll.seal.log.file, roll.seal.offset_index.file.file, roll.seal.time_index.file.file}) {
    sync_later(file);
  }
  if (const auto transactions = old.transaction_file()) sync_later(transactions);
  roll.fresh->finish_create(roll.files);
  segments.add(std::move(roll.fresh));
  durable_bytes = 0;
  sync_directory = true;
  if (roll.snapshot && roll.snapshot->file) {
    snapshots.add_existing(roll.base);
    sync_later(roll.snapshot->file);
  }
  log::debug("storage", "{}: rolled a segment at offset {}", path, roll.base.value());
  // The sealed segment leaves the range that a crash would make us scan.
  commit_in_background();
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
std::optional<WholeFile> Log::State::prepare_epochs() {
  if (!std::exchange(epochs_dirty, false)) return std::nullopt;
  return WholeFile{.path = runtime::join_path(path, kLeaderEpochFile),
                   .content = format_epoch_checkpoint(epochs.entries()),
                   .replaces = true};
}

void Log::State::finish_epochs(const WholeFile& written) {
  if (!written.file) {
    epochs_dirty = true;
    return;
  }
  sync_later(written.path);
  sync_directory = true;
}

Result<> Log::State::write_epochs() {
  auto file = prepare_epochs();
  if (!file) return {};
  auto written = file->run(services.files);
  finish_epochs(*file);
  return written;
}

runtime::Task<Result<>> Log::State::write_epochs_in_turn() {
  const auto turn = co_await door.lock();
  if (setup.writes_inline || !services.commit_log.is_slow()) co_return write_epochs();
  auto file = prepare_epochs();
  if (!file) co_return Result<>{};
  auto written =
      co_await runtime::run_on(services.commit_log.writes(), [this, &file] { return file->run(services.files); });
  finish_epochs(*file);
  co_return written;
}

std::optional<WholeFile> Log::State::prepare_partition_metadata() const {
  if (metadata_written || !topic_id) return std::nullopt;
  return WholeFile{.path = runtime::join_path(path, kPartitionMetadataFile),
                   .content = format_partition_metadata(*topic_id),
                   .replaces = true};
}

void Log::State::finish_partition_metadata(const WholeFile& metadata) {
  if (!metadata.file) return;
  sync_later(metadata.path);
  sync_directory = true;
  metadata_written = true;
}

Result<> Log::State::write_partition_metadata() {
  auto file = prepare_partition_metadata();
  if (!file) return {};
  auto written = file->run(services.files);
  finish_partition_metadata(*file);
  return written;
}

Result<> Log::State::finish_append(const Append& append) {
  size_bytes += append.bytes.size();
  const std::int64_t unflushed_before = log_end - flushed_end;
  log_end = append.info.last_offset.next();
  const bool modern = std::ranges::all_of(batches_, [](const auto& batch) { return batch.magic == records::kMagicV2; });
  if (modern) {
    tail.append(append.bytes, batches_, segments.active().base());
  } else {
    tail.clear();
  }
  producers.apply(append.update);
  for (const auto& txn : append.update.completed) {
    if (txn.aborted) {
      DOHLE_TRY(segments.active().transaction_index().append(
          {txn.producer_id, txn.first_offset, txn.last_offset, producers.last_stable_offset(txn)}));
    }
    producers.complete(txn);
  }
  producers.set_end(log_end);
  const std::int64_t every = config.flush_messages;
  if (every > 1 && every != kMaxLong && unflushed_before + (log_end - append.info.first_offset) >= every)
    commit_in_background();
  return {};
}

}  // namespace dohle::storage

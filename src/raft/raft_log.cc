#include "raft_log.h"

#include <algorithm>
#include <limits>

#include <base/log.h>
#include <base/mutant.h>
#include <fmt/format.h>

#include <records/batch.h>

namespace dohle::raft {

namespace {

// As for segments of ordinary logs: who still reads a snapshot may finish.
constexpr runtime::Duration kFileDeleteDelay = std::chrono::minutes(1);

storage::LogConfig log_config(const RaftLogConfig& config) {
  storage::LogConfig out;
  out.segment_bytes =
      static_cast<std::int32_t>(std::min<std::int64_t>(config.segment_bytes, std::numeric_limits<std::int32_t>::max()));
  out.segment_ms = config.segment_ms;
  out.retention_bytes = -1;  // only snapshots move the log's start
  out.retention_ms = -1;
  out.max_message_bytes = kMaxBatchBytes;
  out.flush_messages = 1;
  return out;
}

}  // namespace

Result<std::unique_ptr<RaftLog>> RaftLog::open(const RaftLogConfig& config, Surroundings around) {
  storage::LogSetup setup{.path = runtime::join_path(around.directory.path(), kMetadataDirectory),
                          .partition = {kMetadataTopic, 0},
                          .topic_id = TopicId{kMetadataTopicUuid},
                          .config = log_config(config),
                          .had_clean_shutdown = false,  // as Kafka: the whole log is checked at every start
                          .journal = around.directory.journal(),
                          .refuse_rot = true,
                          .directory_was_clean = around.directory.had_clean_shutdown()};
  DOHLE_ASSIGN(auto log, around.logs.open_unmanaged(around.directory, std::move(setup)));
  std::unique_ptr<RaftLog> out(new RaftLog(config, around, std::move(log)));
  DOHLE_TRY(out->load_snapshots());
  // A follower that died after it had fetched a snapshot, before it had cut its log.
  DOHLE_TRY(out->truncate_to_latest_snapshot());
  return out;
}

Result<> RaftLog::load_snapshots() {
  DOHLE_ASSIGN(const auto entries, around_.files.list(log_->path()));
  std::vector<std::string> leftovers;
  for (const auto& entry : entries) {
    const auto snapshot = parse_snapshot_file_name(entry.name);
    if (!snapshot) continue;
    if (snapshot->kind == SnapshotFileKind::kComplete && snapshot->id.offset >= log_->log_start()) {
      snapshots_.insert(snapshot->id);
    } else {
      leftovers.push_back(runtime::join_path(log_->path(), entry.name));
    }
  }
  if (log_->log_start() > Offset(0) && snapshots_.empty()) {
    return fail(Errc::kCorrupt,
                fmt::format("{} starts at offset {} and has no snapshot of what came before: it is damaged",
                            log_->path(), log_->log_start().value()));
  }
  for (const std::string& path : leftovers) DOHLE_TRY(around_.files.remove_file(path));
  return {};
}

OffsetAndEpoch RaftLog::end() const {
  const Offset offset = log_->log_end();
  if (const auto epoch = log_->latest_epoch()) return {offset, *epoch};
  const auto snapshot = latest_snapshot();
  if (snapshot && snapshot->offset == offset && snapshot->offset == log_->log_start()) return *snapshot;
  return {offset, LeaderEpoch(0)};
}

Offset RaftLog::flushed() const {
  return DOHLE_MUTANT("raft.committed_before_flush") ? log_->log_end() : log_->flushed_end();
}

OffsetAndEpoch RaftLog::end_offset_for_epoch(LeaderEpoch epoch) const {
  const storage::EpochEndOffset found = log_->end_offset_for_epoch(epoch);
  if (found.epoch == kNoLeaderEpoch || found.end_offset == kNoOffset) return end();
  const auto earliest = earliest_snapshot();
  if (earliest && found.end_offset == earliest->offset && found.epoch == epoch) return *earliest;
  return {found.end_offset, found.epoch};
}

std::optional<SnapshotId> RaftLog::earliest_snapshot() const {
  return snapshots_.empty() ? std::nullopt : std::optional(*snapshots_.begin());
}

std::optional<SnapshotId> RaftLog::latest_snapshot() const {
  return snapshots_.empty() ? std::nullopt : std::optional(*snapshots_.rbegin());
}

Result<> RaftLog::append_as_leader(Slice batch, LeaderEpoch epoch) {
  auto appended = log_->append_as_leader(std::move(batch), epoch, {.origin = storage::AppendOrigin::kRaftLeader});
  if (!appended) return fail(std::move(appended.error().error));
  return {};
}

Result<> RaftLog::append_as_follower(Slice batches, LeaderEpoch epoch) {
  DOHLE_TRY(log_->append_as_follower(std::move(batches), epoch));
  return {};
}

Result<> RaftLog::truncate_to(Offset offset) {
  DOHLE_TRY(log_->truncate_to(offset));
  return {};
}

runtime::Task<Result<runtime::Fragments>> RaftLog::read(Offset from, Offset upper_bound, std::uint32_t max_bytes) {
  const storage::ReadLimits limits{.max_bytes = max_bytes, .upper_bound = upper_bound, .min_one_batch = true};
  auto read = log_->read(from, limits);
  if (!read && read.error().code == Errc::kWouldBlock) read = co_await log_->read_cold(from, limits);
  if (!read) co_return fail(std::move(read.error()));
  co_return std::move(read->records);
}

runtime::Task<Result<std::vector<std::uint8_t>>> RaftLog::read_bytes(Offset from, Offset upper_bound,
                                                                     std::uint32_t max_bytes) {
  DOHLE_CO_ASSIGN(const runtime::Fragments fragments, co_await read(from, upper_bound, max_bytes));
  co_return gather(fragments);
}

Result<std::vector<std::uint8_t>> gather(const runtime::Fragments& fragments) {
  std::vector<std::uint8_t> out;
  out.reserve(runtime::size_of(fragments));
  for (const runtime::Fragment& fragment : fragments) {
    if (const auto* slice = std::get_if<Slice>(&fragment)) {
      out.insert(out.end(), slice->bytes().begin(), slice->bytes().end());
      continue;
    }
    const auto& range = std::get<runtime::FileRange>(fragment);
    const std::size_t at = out.size();
    out.resize(at + range.length);
    DOHLE_ASSIGN(const std::size_t got, range.file->read_at(range.offset, MutableBytes(out).subspan(at)));
    if (got != range.length) return fail(Errc::kIo, "a segment of the metadata log is shorter than its index says");
  }
  return out;
}

// True as well when that part of the log is not in memory: callers pass the ends of batches that they were handed.
Result<bool> RaftLog::begins_batch(Offset offset) {
  if (offset >= log_->log_end()) return true;
  const auto read = log_->read(offset, {.max_bytes = 1, .min_one_batch = true});
  if (!read && read.error().code == Errc::kWouldBlock) return true;
  if (!read) return fail(read.error());
  DOHLE_ASSIGN(const auto bytes, gather(read->records));
  DOHLE_ASSIGN(const auto batch, records::BatchView::parse(bytes));
  return batch.base_offset() == offset;
}

Result<std::unique_ptr<SnapshotWriter>> RaftLog::create_snapshot(SnapshotId id, SnapshotOptions options) {
  if (id.offset < start() || snapshots_.contains(id)) return std::unique_ptr<SnapshotWriter>();
  if (id.offset > log_->high_watermark()) {
    return fail(Errc::kInvalidRequest, fmt::format("a snapshot up to {} would reach beyond the high watermark {}",
                                                   id.offset.value(), log_->high_watermark().value()));
  }
  if (check_position(*this, id.offset, id.epoch).kind != PositionCheck::Kind::kValid) {
    return fail(Errc::kInvalidRequest, fmt::format("snapshot {} does not lie on the log", snapshot_name(id)));
  }
  // A follower that loads the snapshot fetches from there.
  DOHLE_ASSIGN(const bool aligned, begins_batch(id.offset));
  if (!aligned) return fail(Errc::kInvalidRequest, fmt::format("offset {} lies inside a batch", id.offset.value()));
  return SnapshotWriter::create(around_.files, log_->path(), id, std::move(options));
}

runtime::Task<Result<>> RaftLog::finish_snapshot(std::unique_ptr<SnapshotWriter> writer) {
  DOHLE_CO_ASSIGN(const runtime::FileRef file, writer->complete());
  DOHLE_CO_TRY(co_await door().commit({.files = {file}}));
  DOHLE_CO_TRY(writer->publish());
  DOHLE_CO_TRY(co_await door().commit({.directories = {log_->path()}}));
  snapshots_.insert(writer->id());
  log::info("raft", "wrote snapshot {}, {} bytes", snapshot_name(writer->id()), writer->size_bytes());
  co_return Result<>();
}

Result<bool> RaftLog::truncate_to_latest_snapshot() {
  const auto latest = latest_snapshot();
  if (!latest) return false;
  const LeaderEpoch epoch = log_->latest_epoch().value_or(LeaderEpoch(0));
  const bool beyond = latest->epoch > epoch || (latest->epoch == epoch && latest->offset > log_->log_end());
  if (!beyond) return false;
  DOHLE_TRY(log_->truncate_fully_and_start_at(latest->offset));
  DOHLE_TRY(forget_snapshots_before(*latest));
  return true;
}

Result<std::unique_ptr<SnapshotReader>> RaftLog::open_snapshot(SnapshotId id) {
  return SnapshotReader::open(around_.files, path_of(id), id);
}

Result<runtime::FileRef> RaftLog::snapshot_file(SnapshotId id) {
  return around_.files.open(path_of(id), runtime::OpenMode::kRead);
}

Result<> RaftLog::forget_snapshots_before(SnapshotId id) {
  while (!snapshots_.empty() && *snapshots_.begin() < id) {
    const SnapshotId old = *snapshots_.begin();
    const std::string path = path_of(old);
    DOHLE_TRY(around_.files.rename(path, path + ".deleted"));
    snapshots_.erase(snapshots_.begin());
    deleted_.push_back({path + ".deleted", around_.clock.now() + kFileDeleteDelay});
    log::info("raft", "gave up snapshot {}", snapshot_name(old));
  }
  return {};
}

// True when something was deleted.
Result<bool> RaftLog::delete_before(SnapshotId id) {
  if (!snapshots_.contains(id) || start() >= id.offset) return false;
  DOHLE_ASSIGN(const bool moved, log_->delete_records_before(id.offset));
  if (!moved) return false;
  DOHLE_TRY(log_->delete_old_segments(around_.clock.wall_ms()));
  DOHLE_TRY(forget_snapshots_before(id));
  return true;
}

Result<> RaftLog::clean() {
  for (bool more = true; more;) {
    DOHLE_ASSIGN(more, clean_by_size());
  }
  for (bool more = true; more;) {
    DOHLE_ASSIGN(more, clean_by_age());
  }
  return {};
}

Result<bool> RaftLog::clean_by_size() {
  if (config_.retention_bytes < 0 || snapshots_.size() < 2) return false;
  std::uint64_t total = log_->size_bytes();
  for (const SnapshotId& id : snapshots_) {
    DOHLE_ASSIGN(const std::uint64_t size, around_.files.file_size(path_of(id)));
    total += size;
  }
  if (total <= static_cast<std::uint64_t>(config_.retention_bytes)) return false;
  return delete_before(*std::next(snapshots_.begin()));
}

Result<bool> RaftLog::clean_by_age() {
  if (config_.retention_ms < 0 || snapshots_.size() < 2) return false;
  DOHLE_ASSIGN(const auto oldest, open_snapshot(*snapshots_.begin()));
  if (around_.clock.wall_ms() - oldest->last_contained_log_timestamp_ms() <= config_.retention_ms) return false;
  return delete_before(*std::next(snapshots_.begin()));
}

void RaftLog::delete_due_files() {
  const runtime::MonotonicTime now = around_.clock.now();
  while (!deleted_.empty() && deleted_.front().due <= now) {
    door().run_in_background(
        [&files = around_.files, path = deleted_.front().path] { static_cast<void>(files.remove_file(path)); });
    deleted_.pop_front();
  }
  log_->delete_due_files();
}

}  // namespace dohle::raft

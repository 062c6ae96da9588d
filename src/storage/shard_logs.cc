#include "shard_logs.h"

#include <algorithm>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <fmt/format.h>
#include <runtime/start_all.h>

#include "log_files.h"

namespace dohle::storage {

ShardLogsImpl::ShardLogsImpl(runtime::Shards& shards, std::size_t id, const LogManagerConfig& config,
                             DirectorySlots& directories, PartitionNames& names)
    : shard_(shards.at(id)),
      config_(config),
      directories_(directories),
      names_(names),
      tail_cache_(config.tail_cache_bytes_per_shard, runtime::BufferGauge(shards, config.buffer_bytes)),
      open_files_(config.open_segments_per_shard),
      settled_clock_(shard_.clock()) {}

LogServices ShardLogsImpl::services(LogDirectory& directory) {
  return {.files = shard_.files(),
          .clock = shard_.clock(),
          .settled_clock = settled_clock_,
          .random = shard_.random(),
          .commit_log = directory.commit_log(),
          .tail_cache = tail_cache_,
          .open_files = open_files_,
          .decompressor = decompressor_};
}

Log* ShardLogsImpl::find(const TopicPartition& partition) {
  const auto at = logs_.find(partition);
  return at == logs_.end() ? nullptr : at->second.log.get();
}

LogDirectory* ShardLogsImpl::directory_of(const TopicPartition& partition) {
  const auto at = logs_.find(partition);
  return at == logs_.end() ? nullptr : at->second.slot->directory;
}

std::vector<Log*> ShardLogsImpl::all() {
  std::vector<Log*> out;
  out.reserve(logs_.size());
  for (auto& [partition, managed] : logs_) out.push_back(managed.log.get());
  return out;
}

std::size_t ShardLogsImpl::index_of(const DirectorySlot* slot) const {
  const auto at = std::ranges::find_if(directories_, [&](const auto& each) { return each.get() == slot; });
  return static_cast<std::size_t>(at - directories_.begin());
}

// Where the partition lies already; else where it is asked to be; else the directory with the fewest logs.
Result<DirectorySlot*> ShardLogsImpl::choose(const TopicPartition& partition, const std::optional<Uuid>& id) {
  const std::string name = partition_directory_name(partition);
  DirectorySlot* best = nullptr;
  for (const auto& slot : directories_) {
    if (slot->directory->offline()) continue;
    if (shard_.files().exists(runtime::join_path(slot->directory->path(), name))) return slot.get();
    if (id && slot->directory->id() != *id) continue;
    if (best == nullptr || slot->logs.load() < best->logs.load()) best = slot.get();
  }
  if (best == nullptr) return fail(Errc::kStorage, fmt::format("no online log directory for {}", name));
  return best;
}

runtime::Task<Result<Log*>> ShardLogsImpl::get_or_create(TopicPartition partition, TopicId topic_id, LogConfig config,
                                                         std::optional<Uuid> directory, Offset known_at) {
  if (Log* log = find(partition)) {
    const auto hold = co_await log->hold_writes();
    DOHLE_CO_TRY(log->assign_topic_id(topic_id));
    co_return log;
  }
  switch (co_await names_.take(partition, known_at)) {
    case PartitionNames::Taken::kYes:
      break;
    case PartitionNames::Taken::kSuperseded:
      co_return nullptr;
    case PartitionNames::Taken::kClosed:
      co_return fail(Errc::kClosed, "the node stops");
  }
  auto created = co_await create(partition, topic_id, std::move(config), directory);
  if (!created) names_.give_back(partition);
  co_return created;
}

runtime::Task<Result<Log*>> ShardLogsImpl::create(TopicPartition partition, TopicId topic_id, LogConfig config,
                                                  std::optional<Uuid> directory) {
  DOHLE_CO_ASSIGN(DirectorySlot* const slot, choose(partition, directory));
  LogSetup setup{.path = runtime::join_path(slot->directory->path(), partition_directory_name(partition)),
                 .partition = partition,
                 .topic_id = topic_id,
                 .config = std::move(config),
                 .producer_id_expiration_ms = config_.producer_id_expiration_ms};
  // Left over from before, without a topic id or without room when it was loaded: nothing vouches for its tail.
  setup.had_clean_shutdown = !shard_.files().exists(setup.path);
  if (!setup.had_clean_shutdown && found_checkpoints_ != nullptr) {
    const DirectoryCheckpoints& found = found_checkpoints_->at(index_of(slot));
    setup.recovery_point = offset_of(found.recovery_points, partition);
    setup.cut_at_holes = !found.recovery_points_damaged;
    setup.log_start = offset_of(found.log_starts, partition);
    setup.high_watermark = offset_of(found.high_watermarks, partition);
  }
  setup.journal = slot->directory->journal();
  // Now, so that those which are made meanwhile find it fuller.
  slot->logs.fetch_add(1);
  auto log = co_await Log::open_waiting(std::move(setup), services(*slot->directory));
  if (!log) {
    slot->logs.fetch_sub(1);
    co_return fail(log.error());
  }
  unopened_.erase(partition);
  add(*slot, std::move(*log));
  co_return find(partition);
}

Result<> ShardLogsImpl::load(DirectorySlot& slot, LogSetup setup) {
  DOHLE_ASSIGN(auto log, Log::open(std::move(setup), services(*slot.directory)));
  slot.logs.fetch_add(1);
  add(slot, std::move(log));
  return {};
}

void ShardLogsImpl::open_later(DirectorySlot& slot, const TopicPartition& partition) {
  slot.has_unopened.store(true);
  unopened_.insert_or_assign(partition, index_of(&slot));
}

runtime::Task<runtime::Unit> ShardLogsImpl::note_recovery_synced() {
  for (auto at = logs_.begin(); at != logs_.end();) {
    auto& [partition, managed] = *at;
    if (!managed.slot->directory->offline()) {
      managed.log->note_recovery_synced();
      ++at;
      continue;
    }
    // Failed while it was loaded: none of its logs is there.
    managed.slot->logs.fetch_sub(1);
    names_.give_back(partition);
    at = logs_.erase(at);
  }
  co_return runtime::Unit{};
}

void ShardLogsImpl::add(DirectorySlot& slot, std::unique_ptr<Log> log) {
  const TopicPartition partition = log->partition();
  logs_.insert_or_assign(partition, Managed{std::move(log), &slot, shard_.clock().now().ms()});
}

runtime::Task<Result<>> ShardLogsImpl::remove(TopicPartition partition) {
  Log* const log = find(partition);
  if (log == nullptr) co_return fail(Errc::kNotFound, fmt::format("no log of {}", partition_directory_name(partition)));
  static_cast<void>(co_await log->hold_writes());  // appends under way name its files
  auto retired = co_await retire(partition);
  // Only now: until its log is quiet, its files may be written by their old names. Also when it failed, or a new topic
  // of this name would wait for ever.
  names_.give_back(partition);
  co_return retired;
}

runtime::Task<Result<>> ShardLogsImpl::retire(TopicPartition partition) {
  const auto at = logs_.find(partition);
  LogDirectory& directory = *at->second.slot->directory;
  const std::string from = at->second.log->path();
  const std::int64_t delay = at->second.log->config().file_delete_delay_ms;
  const std::string to = runtime::join_path(
      directory.path(), retired_directory_name(partition, DirectoryKind::kDelete, shard_.random().uuid()));
  DOHLE_CO_TRY(shard_.files().rename(from, to));
  at->second.slot->logs.fetch_sub(1);
  const auto pass = gate_.enter();
  const std::unique_ptr<Log> log = std::move(at->second.log);
  logs_.erase(at);
  co_await log->quiesce();
  remove_later(directory, to, delay);
  CommitSet renamed;
  renamed.directories.push_back(directory.path());
  co_return co_await directory.commit_log().commit(std::move(renamed));
}

void ShardLogsImpl::remove_later(LogDirectory& directory, std::string path, std::int64_t after_ms) {
  due_directories_.emplace(shard_.clock().now().ms() + after_ms, DueDirectory{&directory, std::move(path)});
}

Result<std::unique_ptr<Log>> ShardLogsImpl::open_unmanaged(LogDirectory& directory, LogSetup setup) {
  setup.writes_inline = true;
  return Log::open(std::move(setup), services(directory));
}

void ShardLogsImpl::start() {
  last_retention_ms_ = shard_.clock().now().ms();
  last_expiry_ms_ = last_retention_ms_;
  runtime::spawn(housekeeping(this));
}

runtime::Task<void> ShardLogsImpl::housekeeping(ShardLogsImpl* self) {
  const auto pass = self->gate_.enter();
  const auto pause = std::chrono::milliseconds(self->config_.flush_check_interval_ms);
  while (co_await runtime::sleep_for(pause, &self->stop_)) self->tick();
}

void ShardLogsImpl::tick() {
  // So that a slow write finds little of it that was not its own.
  static_cast<void>(shard_.clock().take_cpu_wait());
  const std::int64_t now_ms = shard_.clock().now().ms();
  std::int64_t wall_ms = settled_clock_.wall_ms();
  if (DOHLE_MUTANT("storage.retention_by_the_wrong_clock")) wall_ms = shard_.clock().wall_ms();
  for (auto& [partition, managed] : logs_) {
    flush_due(managed, now_ms);
    managed.log->delete_due_files();
    managed.log->write_left_behind();
  }
  remove_due_directories(now_ms);
  if (now_ms - last_retention_ms_ >= config_.retention_check_interval_ms) {
    last_retention_ms_ = now_ms;
    if (!std::exchange(retention_running_, true)) runtime::spawn(run_retention(this, wall_ms));
  }
  if (now_ms - last_expiry_ms_ >= config_.producer_id_expiration_check_interval_ms) {
    last_expiry_ms_ = now_ms;
    for (auto& [partition, managed] : logs_) managed.log->remove_expired_producers(wall_ms);
  }
}

void ShardLogsImpl::flush_due(Managed& managed, std::int64_t now_ms) {
  if (managed.log->flushed_end() == managed.log->log_end()) {
    managed.flushed_ms = now_ms;
    return;
  }
  const std::int64_t flush_ms = managed.log->config().flush_ms;
  if (flush_ms == kMaxLong || now_ms - managed.flushed_ms < flush_ms) return;
  managed.flushed_ms = now_ms;
  runtime::spawn(flush(this, managed.log->partition()));
}

runtime::Task<void> ShardLogsImpl::flush(ShardLogsImpl* self, TopicPartition partition) {
  const auto pass = self->gate_.enter();
  Log* log = self->find(partition);
  if (log == nullptr) co_return;
  const auto flushed = co_await log->commit(log->log_end());
  if (!flushed) log::warn("storage", "flush of {}: {}", partition_directory_name(partition), flushed.error().message);
}

// One log after the other. Each may wait for its appends and for the disk; meanwhile logs come and go.
runtime::Task<void> ShardLogsImpl::run_retention(ShardLogsImpl* self, std::int64_t wall_ms) {
  const auto pass = self->gate_.enter();
  std::optional<TopicPartition> done;
  for (;;) {
    const auto next = done ? self->logs_.upper_bound(*done) : self->logs_.begin();
    if (next == self->logs_.end() || self->stop_.stopped()) break;
    done = next->first;
    if (next->second.slot->directory->offline()) continue;
    const auto deleted = co_await next->second.log->delete_old_segments_waiting(wall_ms);
    if (!deleted) log::warn("storage", "retention of {}: {}", partition_directory_name(*done), deleted.error().message);
  }
  self->retention_running_ = false;
}

void ShardLogsImpl::remove_due_directories(std::int64_t now_ms) {
  while (!due_directories_.empty() && due_directories_.begin()->first <= now_ms) {
    auto due = std::move(due_directories_.begin()->second);
    due_directories_.erase(due_directories_.begin());
    due.directory->commit_log().run_in_background([&files = shard_.files(), path = std::move(due.path)] {
      const auto removed = files.remove_all(path);
      if (!removed) log::warn("storage", "could not remove {}: {}", path, removed.error().message);
    });
  }
}

// Where many logs have something to write, their files are very many, and one sync of the whole file system is quicker.
// Not for a few: others' data may lie there too.
void ShardLogsImpl::choose_closed_unsynced() {
  std::vector<std::size_t> closing(directories_.size());
  for (const auto& [partition, managed] : logs_) {
    if (managed.log->has_to_close()) ++closing[index_of(managed.slot)];
  }
  for (std::size_t i = 0; i < closing.size(); ++i) {
    const bool many = closing[i] > config_.logs_closed_one_by_one;
    if (many || (closing[i] > 0 && DOHLE_ODD("storage.closed_unsynced"))) directories_[i]->closed_unsynced.store(true);
  }
}

runtime::Task<Result<>> ShardLogsImpl::close_logs() {
  stop_.stop();
  co_await gate_.wait_empty();
  choose_closed_unsynced();
  // Many at a time, so that they share syncs; not all, as each keeps its files open meanwhile.
  constexpr std::size_t kTogether = 100;
  Result<> result;
  const std::vector<Log*> logs = all();
  for (std::size_t begin = 0; begin < logs.size(); begin += kTogether) {
    std::vector<runtime::Task<Result<>>> closing;
    const std::size_t end = std::min(begin + kTogether, logs.size());
    for (std::size_t i = begin; i < end; ++i) {
      const bool unsynced = logs_.at(logs[i]->partition()).slot->closed_unsynced.load();
      closing.push_back(unsynced ? logs[i]->close_unsynced() : logs[i]->close());
    }
    auto closed = co_await runtime::start_all(std::move(closing));
    for (std::size_t i = begin; i < end; ++i) {
      auto& each = closed[i - begin];
      if (each) continue;
      log::error("storage", "closing {}: {}", logs[i]->path(), each.error().message);
      if (!directory_of(logs[i]->partition())->offline()) result = std::move(each);
    }
  }
  co_return result;
}

runtime::Task<runtime::Unit> ShardLogsImpl::drop_logs() {
  for (auto& [partition, managed] : logs_) {
    if (!managed.slot->directory->offline()) managed.log->note_close_synced();
  }
  stopped_offsets_ = offsets();
  logs_.clear();  // on their own shard: so are the buffers they hold
  co_return runtime::Unit{};
}

std::vector<ShardOffsets> ShardLogsImpl::offsets() {
  if (stopped_offsets_) return *stopped_offsets_;
  std::vector<ShardOffsets> out(directories_.size());
  for (auto& [partition, managed] : logs_) {
    auto& mine = out[index_of(managed.slot)];
    mine.recovery_points[partition] =
        DOHLE_MUTANT("storage.recovery_point_early") ? managed.log->log_end() : managed.log->synced_end();
    mine.high_watermarks[partition] = managed.log->high_watermark();
    if (managed.log->log_start() > managed.log->first_segment_base())
      mine.log_starts[partition] = managed.log->log_start();
  }
  for (const auto& [partition, directory] : unopened_) {
    const DirectoryCheckpoints& found = found_checkpoints_->at(directory);
    const std::pair<const OffsetMap*, OffsetMap*> kept[] = {{&found.recovery_points, &out[directory].recovery_points},
                                                            {&found.log_starts, &out[directory].log_starts},
                                                            {&found.high_watermarks, &out[directory].high_watermarks}};
    for (const auto& [from, to] : kept) {
      if (const auto at = from->find(partition); at != from->end()) to->insert(*at);
    }
  }
  return out;
}

std::vector<std::vector<DirectoryDescription::Replica>> ShardLogsImpl::describe() {
  std::vector<std::vector<DirectoryDescription::Replica>> out(directories_.size());
  for (auto& [partition, managed] : logs_) {
    out[index_of(managed.slot)].push_back({.partition = partition,
                                           .size_bytes = managed.log->size_bytes(),
                                           .log_end = managed.log->log_end(),
                                           .high_watermark = managed.log->high_watermark()});
  }
  return out;
}

}  // namespace dohle::storage

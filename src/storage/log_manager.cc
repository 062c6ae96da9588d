#include <storage/log_manager.h>

#include <algorithm>
#include <map>
#include <set>

#include <base/log.h>
#include <base/mutant.h>
#include <fmt/format.h>
#include <runtime/start_all.h>

#include "log_files.h"
#include "log_manager_state.h"

namespace dohle::storage {

LogManager::State::State(runtime::Shards& all_shards, LogManagerConfig manager_config)
    : shards(all_shards), config(std::move(manager_config)), names(all_shards.at(0)) {}

LogManager::LogManager(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogManager::~LogManager() = default;

Result<std::unique_ptr<LogManager>> LogManager::open(runtime::Shards& shards, LogManagerConfig config) {
  auto state = std::make_unique<State>(shards, std::move(config));
  auto paths = state->config.log_dirs;
  const std::string& metadata = state->config.metadata_log_dir;
  if (!metadata.empty() && std::ranges::find(paths, metadata) == paths.end()) paths.push_back(metadata);
  if (paths.empty()) return fail(Errc::kInvalidConfig, "log.dirs names no directory");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (std::find(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(i), paths[i]) !=
        paths.begin() + static_cast<std::ptrdiff_t>(i)) {
      return fail(Errc::kInvalidConfig, fmt::format("log.dirs names {} twice", paths[i]));
    }
    auto opened = LogDirectory::open(paths[i], shards, i % shards.size());
    if (!opened) {
      const Errc code = opened.error().code;
      const bool disk = code == Errc::kIo || code == Errc::kPermissionDenied || code == Errc::kNoSpace;
      const bool metadata_here = metadata.empty() ? i == 0 : paths[i] == metadata;
      if (!disk || metadata_here || paths.size() == 1) return fail(opened.error());
      log::error("storage", "going on without a log directory: {}", opened.error().message);
      state->failed.push_back(paths[i]);
      continue;
    }
    auto directory = std::move(*opened);
    directory->make_room_to_start(state->config.reserve_bytes);
    state->clean.push_back(directory->had_clean_shutdown());
    if (paths[i] == metadata) state->metadata_index = state->directories.size();
    const bool holds_logs = std::ranges::find(state->config.log_dirs, paths[i]) != state->config.log_dirs.end();
    if (holds_logs) {
      state->slots.push_back(std::make_unique<DirectorySlot>());
      state->slots.back()->directory = directory.get();
    }
    state->directories.push_back(std::move(directory));
  }
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    state->shard_logs.push_back(
        std::make_unique<ShardLogsImpl>(shards, shard, state->config, state->slots, state->names));
  }
  return std::unique_ptr<LogManager>(new LogManager(std::move(state)));
}

const std::vector<std::unique_ptr<LogDirectory>>& LogManager::directories() const { return state_->directories; }
LogDirectory& LogManager::metadata_directory() { return *state_->directories[state_->metadata_index]; }

LogDirectory* LogManager::directory(const Uuid& id) {
  for (const auto& directory : state_->directories) {
    if (directory->id() == id) return directory.get();
  }
  return nullptr;
}

Result<> LogManager::check_and_complete_meta(const std::string& cluster_id, std::int32_t node_id) {
  for (const auto& directory : state_->directories) {
    MetaProperties meta = directory->meta().value_or(MetaProperties{});
    const std::string file = runtime::join_path(directory->path(), kMetaPropertiesFile);
    if (meta.cluster_id && *meta.cluster_id != cluster_id) {
      return fail(Errc::kInvalidConfig, fmt::format("{}: cluster.id is {}, but this node's cluster is {}: name another "
                                                    "directory in log.dirs",
                                                    file, *meta.cluster_id, cluster_id));
    }
    if (meta.node_id && *meta.node_id != node_id) {
      return fail(Errc::kInvalidConfig, fmt::format("{}: node.id is {}, but node.id is configured as {}: use the "
                                                    "directory's node.id or name another directory in log.dirs",
                                                    file, *meta.node_id, node_id));
    }
    if (directory->meta() && meta.version == 1 && meta.directory_id) continue;
    meta.version = 1;
    meta.cluster_id = cluster_id;
    meta.node_id = node_id;
    if (!meta.directory_id) meta.directory_id = state_->shards.at(0).random().uuid();
    DOHLE_TRY(directory->write_meta(meta));
  }
  return {};
}

std::int64_t LogManager::previous_broker_epoch() const {
  std::int64_t epoch = -1;
  for (const auto& slot : state_->slots) {
    const std::int64_t here = slot->directory->previous_broker_epoch();
    if (here == -1 || (epoch != -1 && here != epoch)) return -1;
    epoch = here;
  }
  return epoch;
}

void LogManager::stop_making_logs() { state_->names.close(); }

ShardLogs& LogManager::on(std::size_t shard) { return *state_->shard_logs.at(shard); }

void LogManager::on_directory_failed(std::function<void(LogDirectory&, const Error&)> callback) {
  auto& home = state_->shards.at(0).executor();
  for (const auto& directory : state_->directories) {
    auto& owner = state_->shards.at(directory->owner_shard()).executor();
    owner.post([&home, callback, directory = directory.get()] {
      directory->on_offline([&home, callback, directory](const Error& error) {
        home.post([callback, directory, error] { callback(*directory, error); });
      });
    });
  }
}

runtime::Task<Result<>> LogManager::load(LoadOptions options) { return State::load(state_.get(), std::move(options)); }

void LogManager::start() {
  for (const auto& logs : state_->shard_logs) {
    logs->shard().executor().post([logs = logs.get()] { logs->start(); });
  }
  runtime::spawn(State::checkpoint_loop(state_.get()));
}

const std::vector<std::string>& LogManager::failed_directories() const { return state_->failed; }

runtime::Task<std::vector<DirectoryDescription>> LogManager::describe() {
  State* state = state_.get();
  std::vector<DirectoryDescription> out(state->slots.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    LogDirectory& directory = *state->slots[i]->directory;
    out[i].path = directory.path();
    out[i].id = directory.id();
    out[i].online = !directory.offline();
    if (const auto space = directory.space()) {
      out[i].total_bytes = space->total_bytes;
      out[i].usable_bytes = space->usable_bytes;
    }
  }
  for (auto& logs : state->shard_logs) {
    auto replicas =
        co_await runtime::submit_to(logs->shard(), [logs = logs.get()] { return State::describe_on(logs); });
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::ranges::move(replicas[i], std::back_inserter(out[i].replicas));
    }
  }
  for (const auto& path : state->failed) out.push_back({.path = path, .online = false});
  for (auto& directory : out) std::ranges::sort(directory.replicas, {}, &DirectoryDescription::Replica::partition);
  co_return out;
}

runtime::Task<Result<>> LogManager::shutdown(std::int64_t broker_epoch) {
  return State::shutdown(state_.get(), broker_epoch);
}

runtime::Task<std::vector<std::vector<DirectoryDescription::Replica>>> LogManager::State::describe_on(
    ShardLogsImpl* logs) {
  co_return logs->describe();
}

runtime::Task<std::vector<ShardOffsets>> LogManager::State::offsets_on(ShardLogsImpl* logs) {
  co_return logs->offsets();
}

// All directories' offsets, over all shards.
runtime::Task<std::vector<ShardOffsets>> LogManager::State::gather(State* self) {
  std::vector<ShardOffsets> all(self->slots.size());
  for (auto& logs : self->shard_logs) {
    auto part = co_await runtime::submit_to(logs->shard(), [logs = logs.get()] { return offsets_on(logs); });
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].recovery_points.merge(part[i].recovery_points);
      all[i].log_starts.merge(part[i].log_starts);
      all[i].high_watermarks.merge(part[i].high_watermarks);
    }
  }
  co_return all;
}

namespace {

// A recovery point that went back must reach the disk before what is written above it could be lost.
bool went_back(const OffsetMap& before, const OffsetMap& now) {
  return std::ranges::any_of(now, [&](const auto& entry) {
    const auto old = before.find(entry.first);
    return old != before.end() && entry.second < old->second;
  });
}

std::optional<OffsetMap> if_changed(OffsetMap& written, const OffsetMap& now, bool due) {
  if (!due || written == now) return std::nullopt;
  written = now;
  return now;
}

// What was flushed at the checkpoint before, and still is. A crash so reads at least the last minute again, and knows
// the batches that producers had in flight: their retries must be found, though a segment was rolled and flushed
// meanwhile.
OffsetMap a_round_late(const OffsetMap& before, const OffsetMap& now) {
  OffsetMap out;
  for (const auto& [partition, offset] : now) {
    const auto old = before.find(partition);
    if (old != before.end()) out.emplace(partition, std::min(old->second, offset));
  }
  return out;
}

}  // namespace

runtime::Task<Result<>> LogManager::State::checkpoint(State* self, Due due) {
  auto all = co_await gather(self);
  self->written.resize(all.size());
  self->flushed_before.resize(all.size());
  for (std::size_t i = 0; i < all.size() && !due.at_stop && !DOHLE_MUTANT("storage.recovery_point_early"); ++i) {
    auto late = a_round_late(self->flushed_before[i], all[i].recovery_points);
    if (due.recovery_points) self->flushed_before[i] = std::move(all[i].recovery_points);
    all[i].recovery_points = std::move(late);
  }
  Result<> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    LogDirectory& directory = *self->slots[i]->directory;
    if (directory.offline()) continue;
    auto& written = self->written[i];
    const bool back = went_back(written.recovery_points, all[i].recovery_points);
    auto recovery = if_changed(written.recovery_points, all[i].recovery_points, due.recovery_points || back);
    auto starts = if_changed(written.log_starts, all[i].log_starts, due.log_starts);
    auto marks = if_changed(written.high_watermarks, all[i].high_watermarks, due.high_watermarks);
    if (!recovery && !starts && !marks) continue;
    auto done = co_await directory.write_checkpoints(std::move(recovery), std::move(starts), std::move(marks));
    if (done) continue;
    log::error("storage", "checkpoints of {}: {}", directory.path(), done.error().message);
    written = {};
    result = std::move(done);
  }
  co_return result;
}

runtime::Task<Result<>> LogManager::State::keep_clock(State* self) {
  const std::int64_t settled_ms = self->shard_logs.front()->settled_clock().wall_ms();
  LogDirectory& directory = *self->directories[self->metadata_index];
  if (directory.offline()) co_return Result<>{};
  co_return co_await directory.write_clock(settled_ms);
}

// A reserve that was used comes back once there is room for it, and for some records beside it.
void LogManager::State::restore_reserves() {
  for (const auto& directory : directories) {
    const CommitLog& commit_log = directory->commit_log();
    if (directory->offline()) continue;
    const bool short_of_space = commit_log.lives_on_reserve() || commit_log.refuses();
    directory->commit_log().run_in_background(
        [directory = directory.get(), bytes = config.reserve_bytes, short_of_space] {
          directory->keep_room_to_start(bytes);
          if (short_of_space) directory->look_for_space(bytes);
        });
  }
}

runtime::Task<void> LogManager::State::checkpoint_loop(State* self) {
  const auto pass = self->gate.enter();
  const auto& config = self->config;
  const auto& clock = self->shards.at(0).clock();
  self->restore_reserves();
  for (auto& offsets : co_await gather(self)) self->flushed_before.push_back(std::move(offsets.recovery_points));
  std::int64_t last_recovery = clock.now().ms();
  std::int64_t last_start = last_recovery;
  while (co_await runtime::sleep_for(std::chrono::milliseconds(config.high_watermark_checkpoint_interval_ms),
                                     &self->stop)) {
    const std::int64_t now = clock.now().ms();
    self->restore_reserves();
    Due due{.high_watermarks = true};
    if (now - last_recovery >= config.recovery_checkpoint_interval_ms) {
      static_cast<void>(co_await keep_clock(self));
      for (const auto& directory : self->directories) directory->settle_journal();
      due.recovery_points = true;
      last_recovery = now;
    }
    if (now - last_start >= config.start_offset_checkpoint_interval_ms) {
      due.log_starts = true;
      last_start = now;
    }
    static_cast<void>(co_await checkpoint(self, due));
  }
}

runtime::Task<Result<>> LogManager::State::shutdown(State* self, std::int64_t broker_epoch) {
  self->stop.stop();
  co_await self->gate.wait_empty();
  Result<> result;
  for (auto& logs : self->shard_logs) {
    auto closed = co_await runtime::submit_to(logs->shard(), [logs = logs.get()] { return logs->close_logs(); });
    if (!closed) result = std::move(closed);
  }
  for (const auto& slot : self->slots) {
    if (slot->closed_unsynced.load() && !slot->directory->offline()) co_await slot->directory->sync_everything();
  }
  // Of logs that were closed unsynced it may not know where they were cut: it ends before any checkpoint speaks of them.
  for (const auto& directory : self->directories) co_await directory->end_journal();
  for (auto& logs : self->shard_logs) {
    co_await runtime::submit_to(logs->shard(), [logs = logs.get()] { return logs->drop_logs(); });
  }
  if (self->loaded) {
    static_cast<void>(co_await keep_clock(self));
    auto written = co_await checkpoint(
        self, {.recovery_points = true, .log_starts = true, .high_watermarks = true, .at_stop = true});
    if (!written) result = std::move(written);
  }
  for (std::size_t i = 0; i < self->directories.size(); ++i) {
    LogDirectory& directory = *self->directories[i];
    if (self->loaded && result && !directory.offline()) {
      auto marked = co_await directory.write_clean_marker(broker_epoch);
      if (!marked) result = std::move(marked);
    }
    directory.release();
    co_await runtime::submit_to(self->shards.at(directory.owner_shard()),
                                [&directory] { return directory.forget_callbacks(); });
  }
  // What was posted to this shard about directories has run when they may go.
  runtime::Promise<> promise;
  auto drained = promise.future();
  self->shards.at(0).executor().post([promise = std::move(promise)]() mutable { promise.set(); });
  co_await drained;
  co_return result;
}

}  // namespace dohle::storage

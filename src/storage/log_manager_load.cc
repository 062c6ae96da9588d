// Loading all logs at start: what lies in the directories, whose it is, which shard opens it.
#include <algorithm>
#include <bit>
#include <coroutine>
#include <map>

#include <base/log.h>
#include <base/mutant.h>
#include <fmt/format.h>
#include <runtime/start_all.h>

#include "log_files.h"
#include "log_manager_state.h"
#include "partition_metadata.h"
#include "settled_clock_file.h"

namespace dohle::storage {

namespace {

constexpr std::int64_t kReportMs = 1000;

// Lets what else is due on this shard run in between.
struct Yield {
  [[nodiscard]] bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { runtime::Executor::current()->resume_later(handle); }
  void await_resume() const {}
};

bool is_no_partition(std::string_view name) {
  return name == "lost+found" || name == "remote-log-index-cache" || name == "__cluster_metadata-0";
}

// The log files that a recovery from `recovery_point` reads.
std::uint64_t bytes_from(const std::vector<runtime::DirectoryEntry>& entries, Offset recovery_point) {
  std::uint64_t total = 0;
  std::uint64_t floor = 0;
  for (const auto& entry : entries) {
    const auto base = offset_in_name(entry.name, kLogSuffix);
    if (!base) continue;
    if (*base <= recovery_point) {
      floor = entry.size;
    } else {
      total += entry.size;
    }
  }
  return total + floor;
}

// Two topics' ids are further from each other than six bits.
bool differ_by_a_letter(const TopicId& a, const TopicId& b) {
  return std::popcount(a.uuid.high ^ b.uuid.high) + std::popcount(a.uuid.low ^ b.uuid.low) <= 6;
}

}  // namespace

Result<LogManager::State::FoundList> LogManager::State::scan() {
  FoundList found;
  checkpoints.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) DOHLE_TRY(scan_directory(i, found));
  std::map<TopicPartition, const Found*> seen;
  for (const auto& each : found) {
    const auto [at, fresh] = seen.emplace(each.partition, &each);
    if (fresh) continue;
    return fail(Errc::kMalformed,
                fmt::format("{} and {} hold the same partition: move one of them away", at->second->path, each.path));
  }
  return found;
}

Result<> LogManager::State::scan_directory(std::size_t index, FoundList& found) {
  LogDirectory& directory = *slots[index]->directory;
  auto& files = shards.at(0).files();
  DOHLE_ASSIGN(checkpoints[index], directory.read_checkpoints());
  DOHLE_ASSIGN(const auto entries, files.list(directory.path()));
  for (const auto& entry : entries) {
    if (!entry.is_directory || is_no_partition(entry.name)) continue;
    const auto parsed = parse_partition_directory(entry.name);
    if (!parsed) return fail(parsed.error().code, fmt::format("{}: {}", directory.path(), parsed.error().message));
    const std::string path = runtime::join_path(directory.path(), entry.name);
    switch (parsed->kind) {
      case DirectoryKind::kLive:
        found.push_back({.path = path, .partition = parsed->partition, .slot = slots[index].get(), .directory = index});
        break;
      case DirectoryKind::kDelete:
        shard_logs[0]->remove_later(directory, path, LogConfig{}.file_delete_delay_ms);
        break;
      case DirectoryKind::kFuture:
      case DirectoryKind::kStray:
        log::warn("storage", "{} is left as it is", path);
        break;
    }
  }
  return {};
}

runtime::Task<Result<LogManager::State::FoundList>> LogManager::State::identify_on(State* self, ShardLogsImpl* logs,
                                                                                   FoundList part) {
  auto& files = logs->shard().files();
  for (auto& found : part) {
    auto id = read_partition_metadata(files, found.path);
    const bool clean = found.slot->directory->had_clean_shutdown();
    if (!id && (clean || id.error().code != Errc::kMalformed)) {
      co_return fail(id.error().code, fmt::format("{}: {}", found.path, id.error().message));
    }
    if (!id) log::warn("storage", "{}: {}; the partition waits for its topic id", found.path, id.error().message);
    found.topic_id = id.value_or(std::nullopt);
    if (clean) continue;
    DOHLE_CO_ASSIGN(const auto entries, files.list(found.path));
    found.bytes_to_recover =
        bytes_from(entries, offset_of(self->checkpoints[found.directory].recovery_points, found.partition));
  }
  co_return part;
}

// Topic ids and sizes, read on all shards at once.
runtime::Task<Result<LogManager::State::FoundList>> LogManager::State::identify(State* self, FoundList found) {
  std::vector<FoundList> parts(self->shards.size());
  for (std::size_t i = 0; i < found.size(); ++i) parts[i % parts.size()].push_back(std::move(found[i]));
  std::vector<runtime::Task<Result<FoundList>>> tasks;
  for (std::size_t shard = 0; shard < parts.size(); ++shard) {
    ShardLogsImpl* logs = self->shard_logs[shard].get();
    tasks.push_back(runtime::submit_to(logs->shard(), [self, logs, part = std::move(parts[shard])]() mutable {
      return identify_on(self, logs, std::move(part));
    }));
  }
  auto results = co_await runtime::start_all(std::move(tasks));
  FoundList all;
  for (auto& result : results) {
    DOHLE_CO_TRY(result);
    std::ranges::move(*result, std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &Found::partition);
  co_return all;
}

Result<LogManager::State::FoundList> LogManager::State::drop_strays(FoundList found, const LoadOptions& options) {
  FoundList kept;
  for (auto& each : found) {
    if (!options.is_stray || !options.is_stray(each.partition, each.topic_id)) {
      // A directory without a topic id waits for who knows it: get_or_create() opens it on the right shard.
      if (each.topic_id) kept.push_back(std::move(each));
      continue;
    }
    if (each.topic_id && options.topic_id_of) {
      const auto known = options.topic_id_of(each.partition.topic);
      if (known && differ_by_a_letter(*known, *each.topic_id)) {
        return fail(
            Errc::kMalformed,
            fmt::format("{}/{} is damaged: it says topic id {}, and the topic's is {}: correct the file", each.path,
                        kPartitionMetadataFile, each.topic_id->uuid.to_string(), known->uuid.to_string()));
      }
    }
    const std::string to =
        runtime::join_path(each.slot->directory->path(),
                           retired_directory_name(each.partition, DirectoryKind::kStray, shards.at(0).random().uuid()));
    log::warn("storage", "{} is not a partition of this node: renaming it to {}", each.path, to);
    DOHLE_TRY(shards.at(0).files().rename(each.path, to));
  }
  return kept;
}

LogSetup LogManager::State::setup_for(const Found& found, const LogConfig& log_config, const LoadOptions& options,
                                      Progress* progress) {
  const auto& offsets = checkpoints[found.directory];
  LogSetup setup{.path = found.path,
                 .partition = found.partition,
                 .topic_id = found.topic_id,
                 .topic_id_was_read = true,
                 .synced_together = !found.slot->directory->had_clean_shutdown(),
                 .config = log_config,
                 .had_clean_shutdown = found.slot->directory->had_clean_shutdown(),
                 .journal = found.slot->directory->journal(),
                 .recovery_point = offset_of(offsets.recovery_points, found.partition),
                 .cut_at_holes = !offsets.recovery_points_damaged,
                 .log_start = offset_of(offsets.log_starts, found.partition),
                 .high_watermark = offset_of(offsets.high_watermarks, found.partition),
                 .producer_id_expiration_ms = config.producer_id_expiration_ms};
  setup.on_recovered_bytes = [this, progress, &options](std::uint64_t bytes) {
    progress->bytes_recovered.fetch_add(bytes, std::memory_order_relaxed);
    if (shards.at(0).executor().is_current()) report(*progress, options, false);
  };
  return setup;
}

// Not where a log could not be opened yet: what the journal knows of it is needed once more.
runtime::Task<void> LogManager::State::begin_journals(State* self) {
  for (const auto& directory : self->directories) {
    const auto slot =
        std::ranges::find_if(self->slots, [&](const auto& each) { return each->directory == directory.get(); });
    const bool needed = slot != self->slots.end() && (*slot)->has_unopened.load() && !directory->had_clean_shutdown();
    if (!needed && !directory->offline()) co_await directory->begin_journal(self->config.journal_bytes);
  }
}

// On shard 0.
void LogManager::State::report(Progress& progress, const LoadOptions& options, bool last) {
  if (!options.on_progress) return;
  const std::int64_t now = shards.at(0).clock().now().ms();
  if (!last && now - progress.reported_ms < kReportMs) return;
  progress.reported_ms = now;
  LoadProgress seen{.partitions_done = progress.partitions_done.load(),
                    .partitions_total = progress.partitions_total,
                    .bytes_recovered = progress.bytes_recovered.load(),
                    .bytes_to_recover = progress.bytes_to_recover,
                    .elapsed_ms = now - progress.began_ms};
  const double done = seen.bytes_to_recover > 0
                          ? static_cast<double>(seen.bytes_recovered) / static_cast<double>(seen.bytes_to_recover)
                          : static_cast<double>(seen.partitions_done) /
                                static_cast<double>(std::max<std::size_t>(1, seen.partitions_total));
  seen.finished = last;
  if (last) {
    seen.left_ms = 0;
  } else if (done > 0) {
    seen.left_ms = static_cast<std::int64_t>(static_cast<double>(seen.elapsed_ms) * (1 - std::min(done, 1.0)) / done);
  }
  options.on_progress(seen);
}

// A directory that fails meanwhile is left out, and its partitions' names are given back: whoever asks for such a log
// is to hear that there is none, and not to wait for it. A log that has no room to be opened is made by who asks for
// it.
runtime::Task<Result<>> LogManager::State::load_on(State* self, ShardLogsImpl* logs, FoundList part,
                                                   const LoadOptions* options, Progress* progress) {
  if (self->settled_ms && !DOHLE_MUTANT("storage.clock_forgotten_in_restart"))
    logs->settled_clock().remember(*self->settled_ms);
  std::optional<std::pair<std::string, LogConfig>> config;  // of the topic whose partitions are being opened
  for (const auto& found : part) {
    if (found.slot->directory->offline()) {
      self->names.give_back(found.partition);
      continue;
    }
    const std::string& topic = found.partition.topic;
    if (!config || config->first != topic) {
      config.emplace(topic, options->config_for ? options->config_for(topic) : LogConfig{});
    }
    auto loaded = logs->load(*found.slot, self->setup_for(found, config->second, *options, progress));
    progress->partitions_done.fetch_add(1);
    if (!loaded) self->names.give_back(found.partition);
    if (!loaded && loaded.error().code == Errc::kNoSpace) {
      logs->open_later(*found.slot, found.partition);
      log::warn("storage", "{} is opened when there is space: {}", found.path, loaded.error().message);
      continue;
    }
    if (!loaded && !found.slot->directory->offline()) {
      co_return fail(loaded.error().code, fmt::format("{}: {}", found.path, loaded.error().message));
    }
    if (self->shards.at(0).executor().is_current()) self->report(*progress, *options, false);
    co_await Yield{};
  }
  co_return Result<>{};
}

// One sync for all that was recovered in a directory: each log's own would be several, and there may be very many.
runtime::Task<void> LogManager::State::sync_recovered(State* self) {
  for (const auto& slot : self->slots) {
    LogDirectory& directory = *slot->directory;
    if (!directory.had_clean_shutdown() && !directory.offline()) co_await directory.sync_everything();
  }
  std::vector<runtime::Task<runtime::Unit>> tasks;
  for (const auto& logs : self->shard_logs) {
    tasks.push_back(runtime::submit_to(logs->shard(), [logs = logs.get()] { return logs->note_recovery_synced(); }));
  }
  co_await runtime::start_all(std::move(tasks));
}

// For while only other shards have work left; a shard reports itself from inside a long recovery.
runtime::Task<Result<>> LogManager::State::report_until(State* self, const LoadOptions* options, Progress* progress,
                                                        runtime::StopSource* loaded) {
  while (co_await runtime::sleep_for(std::chrono::milliseconds(kReportMs), loaded)) {
    self->report(*progress, *options, false);
  }
  co_return Result<>{};
}

runtime::Task<Result<>> LogManager::State::load(State* self, LoadOptions options) {
  DOHLE_CO_ASSIGN(auto found, self->scan());
  DOHLE_CO_ASSIGN(found, co_await identify(self, std::move(found)));
  DOHLE_CO_ASSIGN(found, self->drop_strays(std::move(found), options));
  Progress progress;
  progress.began_ms = self->shards.at(0).clock().now().ms();
  progress.reported_ms = progress.began_ms;
  progress.partitions_total = found.size();
  std::vector<FoundList> parts(self->shards.size());
  for (auto& each : found) {
    progress.bytes_to_recover += each.bytes_to_recover;
    self->names.hold(each.partition);
    const std::size_t shard =
        self->config.shard_of ? self->config.shard_of({*each.topic_id, each.partition.partition}) : 0;
    parts.at(shard).push_back(std::move(each));
  }
  if (progress.bytes_to_recover > 0 && options.on_progress) {
    options.on_progress({.partitions_total = progress.partitions_total, .bytes_to_recover = progress.bytes_to_recover});
  }
  for (const auto& directory : self->directories) {
    DOHLE_CO_TRY(directory->begin_use());
    if (auto reserved = directory->make_reserve(self->config.reserve_bytes); !reserved) {
      log::warn("storage", "no reserve in {}: {}", directory->path(), reserved.error().message);
    }
  }
  for (const auto& logs : self->shard_logs) logs->set_found_checkpoints(&self->checkpoints);
  self->settled_ms = read_settled_clock(self->shards.at(0).files(), self->directories[self->metadata_index]->path());
  std::vector<runtime::Task<Result<>>> tasks;
  for (std::size_t shard = 0; shard < parts.size(); ++shard) {
    ShardLogsImpl* logs = self->shard_logs[shard].get();
    auto work = [self, logs, part = std::move(parts[shard]), options = &options, progress = &progress]() mutable {
      return load_on(self, logs, std::move(part), options, progress);
    };
    tasks.push_back(runtime::submit_to(logs->shard(), std::move(work)));
  }
  runtime::StopSource loaded;
  std::vector<runtime::Task<Result<>>> watch;
  watch.push_back(report_until(self, &options, &progress, &loaded));
  auto watching = runtime::start_all(std::move(watch));
  auto results = co_await runtime::start_all(std::move(tasks));
  loaded.stop();
  static_cast<void>(co_await std::move(watching));
  for (auto& result : results) DOHLE_CO_TRY(result);
  self->report(progress, options, true);
  self->written.clear();
  for (const auto& found_there : self->checkpoints) {
    self->written.push_back({found_there.recovery_points, found_there.log_starts, found_there.high_watermarks});
  }
  co_await sync_recovered(self);
  co_await begin_journals(self);
  self->loaded = true;
  static_cast<void>(co_await keep_clock(self));
  co_return Result<>{};
}

}  // namespace dohle::storage

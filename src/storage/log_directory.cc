#include <storage/log_directory.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <base/log.h>
#include <base/mark.h>
#include <fmt/format.h>

#include "checkpoint_file.h"
#include "clean_marker.h"
#include "file_commit_log.h"
#include "log_files.h"
#include "settled_clock_file.h"
#include "start_reserve.h"

namespace dohle::storage {

namespace {
constexpr std::string_view kLockFile = ".lock";
}

class LogDirectory::State {
 public:
  State(std::string directory, runtime::Shards& all_shards, std::size_t owner)
      : path(std::move(directory)),
        shards(all_shards),
        owner_shard(owner),
        files(all_shards.at(owner).files()),
        commit_log(path, files, all_shards.at(owner).executor(),
                   {.syncs = all_shards.make_io_thread("sync " + path),
                    .reads = all_shards.make_io_thread("read " + path),
                    .writes = all_shards.make_io_thread("write " + path),
                    .checkpoints = all_shards.make_io_thread("checkpoint " + path)},
                   [this](const Error& error) { failed(error); }),
        start_reserve(files, path) {}

  void failed(const Error& error) {
    failure = error;
    for (auto& callback : callbacks) callback(error);
  }

  // With the reserve's help where the disk is full.
  Result<> write_whatever_happens(const std::string& file, std::string_view content) {
    auto written = runtime::write_file_atomically(files, file, content);
    if (!written && written.error().code == Errc::kNoSpace && commit_log.release_reserve()) {
      written = runtime::write_file_atomically(files, file, content);
    }
    return written;
  }

  std::string path;
  runtime::Shards& shards;
  std::size_t owner_shard;
  runtime::FileSystem& files;
  FileCommitLog commit_log;
  StartReserve start_reserve;
  std::unique_ptr<runtime::FileLock> lock;
  std::optional<MetaProperties> meta;
  bool clean = false;
  std::shared_ptr<const JournalContents> journal;
  std::int64_t broker_epoch = -1;
  std::optional<Error> failure;
  std::vector<std::function<void(const Error&)>> callbacks;
  bool forgotten = false;
};

LogDirectory::LogDirectory(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogDirectory::~LogDirectory() = default;

Result<std::unique_ptr<LogDirectory>> LogDirectory::open(const std::string& path, runtime::Shards& shards,
                                                         std::size_t owner_shard) {
  auto state = std::make_unique<State>(path, shards, owner_shard);
  auto& files = state->files;
  if (!files.exists(path)) {
    auto made = files.create_directories(path);
    if (made) made = files.sync_directory(parent_of(path));
    if (!made) {
      return fail(made.error().code, fmt::format("log directory {} cannot be created: {}", path, made.error().message));
    }
  }
  auto lock = files.lock(runtime::join_path(path, kLockFile));
  if (!lock) {
    if (lock.error().code == Errc::kLocked) {
      return fail(Errc::kLocked,
                  fmt::format("log directory {} is in use by another process (its .lock is held); stop that "
                              "process or name another directory in log.dirs",
                              path));
    }
    return fail(lock.error().code, fmt::format("log directory {} cannot be locked: {}", path, lock.error().message));
  }
  state->lock = std::move(*lock);
  state->commit_log.adopt_reserve();
  auto meta = read_meta_properties(files, path);
  if (meta) {
    state->meta = std::move(*meta);
  } else if (meta.error().code != Errc::kNotFound) {
    return fail(meta.error());
  }
  const auto marker = runtime::read_file(files, runtime::join_path(path, kCleanMarkerFile), 1U << 16U);
  state->clean = marker.has_value();
  if (marker) state->broker_epoch = parse_clean_marker(*marker);
  if (!marker) {
    DOHLE_ASSIGN(state->journal, JournalContents::read(files, path));
  }
  return std::unique_ptr<LogDirectory>(new LogDirectory(std::move(state)));
}

const std::string& LogDirectory::path() const { return state_->path; }
std::size_t LogDirectory::owner_shard() const { return state_->owner_shard; }
const std::optional<MetaProperties>& LogDirectory::meta() const { return state_->meta; }

Result<> LogDirectory::write_meta(const MetaProperties& meta) {
  DOHLE_TRY(write_meta_properties(state_->files, state_->path, meta));
  state_->meta = meta;
  return {};
}

Uuid LogDirectory::id() const {
  return state_->meta && state_->meta->directory_id ? *state_->meta->directory_id : kZeroUuid;
}

bool LogDirectory::had_clean_shutdown() const { return state_->clean; }
std::int64_t LogDirectory::previous_broker_epoch() const { return state_->broker_epoch; }

std::shared_ptr<const JournalContents> LogDirectory::journal() const { return state_->journal; }

runtime::Task<void> LogDirectory::begin_journal(std::uint64_t file_bytes) {
  state_->journal.reset();
  return state_->commit_log.begin_journal(file_bytes);
}

void LogDirectory::settle_journal() { state_->commit_log.settle_journal(); }
runtime::Task<void> LogDirectory::end_journal() { return state_->commit_log.end_journal(); }

Result<> LogDirectory::begin_use() {
  auto removed = state_->files.remove_file(runtime::join_path(state_->path, kCleanMarkerFile));
  if (!removed) return removed.error().code == Errc::kNotFound ? Result<>{} : removed;
  return state_->files.sync_directory(state_->path);
}

Result<> LogDirectory::make_reserve(std::uint64_t bytes) { return state_->commit_log.make_reserve(bytes); }

void LogDirectory::look_for_space(std::uint64_t reserve_bytes) { state_->commit_log.look_for_space(reserve_bytes); }

void LogDirectory::make_room_to_start(std::uint64_t bytes) {
  const auto left = state_->files.space(state_->path);
  if (left && left->usable_bytes < std::min(bytes, FileCommitLog::most_reserve(*left)) / 4 &&
      state_->commit_log.release_reserve()) {
    DOHLE_MARK("storage.start_on_the_reserve");
  }
  state_->start_reserve.give(bytes);
}

void LogDirectory::keep_room_to_start(std::uint64_t bytes) { state_->start_reserve.make(bytes); }

DirectoryCounts LogDirectory::counts() const { return state_->commit_log.counts(); }
CommitLog& LogDirectory::commit_log() { return state_->commit_log; }
bool LogDirectory::offline() const { return state_->commit_log.offline(); }

runtime::Task<runtime::Unit> LogDirectory::forget_callbacks() {
  state_->forgotten = true;
  state_->callbacks.clear();
  co_return runtime::Unit{};
}

void LogDirectory::on_offline(std::function<void(const Error&)> callback) {
  if (state_->forgotten) return;  // asked for before, and carried out after
  if (state_->failure) callback(*state_->failure);
  state_->callbacks.push_back(std::move(callback));
}

Result<DirectoryCheckpoints> LogDirectory::read_checkpoints() {
  DirectoryCheckpoints out;
  const std::pair<std::string_view, OffsetMap*> files[] = {{kRecoveryPointFile, &out.recovery_points},
                                                           {kLogStartFile, &out.log_starts},
                                                           {kHighWatermarkFile, &out.high_watermarks}};
  for (const auto& [name, offsets] : files) {
    auto read = read_offset_checkpoint(state_->files, runtime::join_path(state_->path, name));
    if (read) {
      *offsets = std::move(*read);
    } else if (read.error().code == Errc::kMalformed) {
      // Offsets that are missing count as the log's start: more is recovered, nothing is lost.
      log::warn("storage", "{}; ignoring the file", read.error().message);
      if (offsets == &out.recovery_points) out.recovery_points_damaged = true;
    } else {
      return fail(read.error());
    }
  }
  return out;
}

runtime::Task<Result<>> LogDirectory::write_checkpoints(std::optional<OffsetMap> recovery_points,
                                                        std::optional<OffsetMap> log_starts,
                                                        std::optional<OffsetMap> high_watermarks) {
  State* state = state_.get();
  auto result = co_await runtime::run_on(
      state->commit_log.background(),
      [state, recovery = std::move(recovery_points), starts = std::move(log_starts),
       marks = std::move(high_watermarks)]() -> Result<> {
        const std::pair<std::string_view, const std::optional<OffsetMap>*> files[] = {
            {kRecoveryPointFile, &recovery}, {kLogStartFile, &starts}, {kHighWatermarkFile, &marks}};
        for (const auto& [name, offsets] : files) {
          if (!*offsets) continue;
          const std::string content = format_offset_checkpoint(**offsets);
          const std::string path = runtime::join_path(state->path, name);
          DOHLE_TRY(state->write_whatever_happens(path, content));
        }
        return {};
      });
  if (!result && result.error().code == Errc::kIo) state->commit_log.report_failure(result.error());
  co_return result;
}

// A full disk may keep it from being written: then the one before it serves.
runtime::Task<Result<>> LogDirectory::write_clock(std::int64_t settled_ms) {
  State* state = state_.get();
  co_return co_await runtime::run_on(state->commit_log.background(), [state, settled_ms] {
    return write_settled_clock(state->files, state->path, settled_ms);
  });
}

runtime::Task<void> LogDirectory::sync_everything() {
  State* state = state_.get();
  const auto synced =
      co_await runtime::run_on(state->commit_log.background(), [state] { return state->files.sync_all(state->path); });
  if (!synced) state->commit_log.report_failure(synced.error());
}

runtime::Task<Result<>> LogDirectory::write_clean_marker(std::int64_t broker_epoch) {
  State* state = state_.get();
  co_return co_await runtime::run_on(state->commit_log.background(), [state, broker_epoch] {
    return state->write_whatever_happens(runtime::join_path(state->path, kCleanMarkerFile),
                                         format_clean_marker(broker_epoch));
  });
}

Result<runtime::SpaceInfo> LogDirectory::space() { return state_->files.space(state_->path); }
void LogDirectory::release() { state_->lock.reset(); }

}  // namespace dohle::storage

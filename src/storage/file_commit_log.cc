#include "file_commit_log.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <fmt/format.h>

namespace dohle::storage {

namespace {
constexpr std::string_view kReserveFile = ".dohle-reserve";
constexpr std::uint64_t kWarmBytes = 1U << 20U;
constexpr std::size_t kMaxBatch = 512;   // commits
constexpr std::size_t kManyFiles = 128;  // from here on one syncfs is cheaper
constexpr auto kQuiet = std::chrono::seconds(5);
}  // namespace

FileCommitLog::FileCommitLog(std::string directory, runtime::FileSystem& fs, runtime::Executor& owner, Threads threads,
                             std::function<void(const Error&)> on_failure)
    : directory_(std::move(directory)),
      fs_(fs),
      owner_(owner),
      on_failure_(std::make_shared<std::function<void(const Error&)>>(std::move(on_failure))),
      journal_(directory_, fs, std::move(threads.checkpoints),
               {.offline = [this] { return offline(); },
                .lives_on_reserve = [this] { return lives_on_reserve(); },
                .failed = [this](const Error& error) { report_failure(error); }}),
      writes_(std::move(threads.writes)),
      reads_(std::move(threads.reads)),
      syncs_(std::move(threads.syncs)) {}

runtime::Task<Result<>> FileCommitLog::commit(CommitSet set) {
  const auto done = co_await commit_run(std::move(set), std::nullopt);
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

runtime::Task<Result<JournalGeneration>> FileCommitLog::commit_run(CommitSet set, std::optional<CommitRun> run) {
  auto pending = std::make_unique<Pending>(Pending{std::move(set), std::move(run), runtime::Executor::current(), {}});
  auto future = pending->promise.future();
  posted_.fetch_add(1);
  syncs_->post([this, pending = std::move(pending)]() mutable { take(std::move(pending)); });
  co_return co_await future;
}

void FileCommitLog::take(std::unique_ptr<Pending> pending) {
  batch_.push_back(std::move(pending));
  const bool last = posted_.fetch_sub(1) == 1;
  if (last || batch_.size() >= kMaxBatch) sync_batch();
}

void FileCommitLog::sync_batch() {
  sync_turns_.fetch_add(1, std::memory_order_relaxed);
  Result<> result;
  if (offline()) result = fail(Errc::kStorage, fmt::format("log directory {} is offline", directory_));
  if (result) result = journal_runs();
  if (result) {
    const auto rest = std::ranges::partition(batch_, [](const auto& pending) { return pending->is_done(); });
    std::vector<std::unique_ptr<Pending>> done(std::make_move_iterator(batch_.begin()),
                                               std::make_move_iterator(rest.begin()));
    batch_.erase(batch_.begin(), rest.begin());
    release(std::move(done), result);
    result = sync_files();
  }
  release(std::exchange(batch_, {}), result);
}

// A failure of the disk is for good: those who wait are told, and so is the directory.
Result<> FileCommitLog::settled(Result<> done) {
  if (done) return done;
  report_failure(done.error());
  return fail(Errc::kStorage, done.error().message);
}

void FileCommitLog::release(std::vector<std::unique_ptr<Pending>> done, const Result<>& result) {
  if (result) commits_.fetch_add(done.size(), std::memory_order_relaxed);
  using Group = std::vector<std::unique_ptr<Pending>>;
  std::vector<std::pair<runtime::Executor*, Group>> released;  // in the order they came, not of addresses
  for (auto& pending : done) {
    auto at = std::ranges::find(released, pending->home, &std::pair<runtime::Executor*, Group>::first);
    if (at == released.end()) at = released.insert(released.end(), {pending->home, Group{}});
    at->second.push_back(std::move(pending));
  }
  for (auto& entry : released) {
    entry.first->post([result, group = std::move(entry.second)]() mutable {
      for (auto& pending : group) {
        pending->promise.set(result ? Result<JournalGeneration>(pending->generation())
                                    : std::unexpected(result.error()));
      }
    });
  }
}

// A log whose own file is synced anyhow has no use for the journal, but for saying that it was cut.
Result<> FileCommitLog::journal_runs() {
  std::vector<CommitRun*> runs;
  for (const auto& pending : batch_) {
    if (!pending->run) continue;
    const auto& files = pending->set.files;
    if (!pending->run->is_cut() && std::ranges::find(files, pending->run->file) != files.end()) continue;
    runs.push_back(&*pending->run);
  }
  if (runs.empty()) return {};
  return settled(journal_.append(runs));
}

void FileCommitLog::settle_journal() {
  syncs_->post([this] {
    if (!offline()) static_cast<void>(settled(journal_.settle()));
  });
}

Result<> FileCommitLog::sync_files() {
  std::vector<runtime::FileRef> files;
  std::set<std::string> small_files;
  std::vector<std::string> directories;
  for (const auto& pending : batch_) {
    small_files.insert(pending->set.small_files.begin(), pending->set.small_files.end());
    files.insert(files.end(), pending->set.files.begin(), pending->set.files.end());
    if (pending->run && pending->run->generation == 0) files.push_back(pending->run->file);
    directories.insert(directories.end(), pending->set.directories.begin(), pending->set.directories.end());
  }
  return settled(sync_set(files, small_files, directories));
}

Result<> FileCommitLog::sync_set(const std::vector<runtime::FileRef>& files, const std::set<std::string>& small_files,
                                 const std::vector<std::string>& directories) {
  if (files.size() + small_files.size() + directories.size() >= kManyFiles) return fs_.sync_all(directory_);
  for (auto at = files.begin(); at != files.end(); ++at) {
    if (std::find(files.begin(), at, *at) != at) continue;
    if (auto synced = (*at)->sync(); !synced && !DOHLE_MUTANT("storage.sync_error_ignored")) return synced;
  }
  for (const auto& small : small_files) {
    const auto file = fs_.open(small, runtime::OpenMode::kRead);
    const auto synced = file ? (*file)->sync() : Result<>(std::unexpected(file.error()));
    // A partition that was removed meanwhile needs no more.
    if (!synced && synced.error().code != Errc::kNotFound) return synced;
  }
  for (const auto& directory : std::set<std::string>(directories.begin(), directories.end())) {
    // A partition that was removed meanwhile needs no more.
    if (auto synced = fs_.sync_directory(directory);
        !synced && synced.error().code != Errc::kNotFound && !DOHLE_MUTANT("storage.directory_sync_error_ignored")) {
      return synced;
    }
  }
  return {};
}

runtime::Task<Result<>> FileCommitLog::warm(runtime::FileRange range) {
  co_return co_await runtime::run_on(*reads_, [range = std::move(range)]() -> Result<> {
    std::vector<std::uint8_t> scratch(std::min(range.length, kWarmBytes));
    for (std::uint64_t at = 0; at < range.length; at += scratch.size()) {
      const std::uint64_t length = std::min<std::uint64_t>(scratch.size(), range.length - at);
      DOHLE_TRY(range.file->read_at(range.offset + at, MutableBytes(scratch).first(length)));
    }
    return {};
  });
}

runtime::Task<Result<runtime::FileRef>> FileCommitLog::open(std::string path) {
  co_return co_await runtime::run_on(
      *reads_, [this, path = std::move(path)] { return fs_.open(path, runtime::OpenMode::kReadWrite); });
}

// An inline write that would have been quick proves nothing about a disk that is slow at times: only writes on the
// thread, where they hold nobody up, end the state.
void FileCommitLog::note_write(runtime::Duration took, runtime::MonotonicTime ended) {
  if (took > kSlowWrite || DOHLE_ODD("storage.slow_write")) {
    slow_writes_.fetch_add(1, std::memory_order_relaxed);
    last_slow_.store(ended.since_start, std::memory_order_relaxed);
    if (slow_.exchange(true)) return;
    log::warn("storage", "log directory {}: a write took {} ms; its appends go to a thread of their own", directory_,
              std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  } else if (is_slow() && runtime::Executor::current() == nullptr &&
             ended.since_start - last_slow_.load(std::memory_order_relaxed) >= kQuiet) {
    slow_.store(false);
    log::info("storage", "log directory {}: writes are quick again", directory_);
  }
}

void FileCommitLog::run_in_background(runtime::Work work) { reads_->post(std::move(work)); }

void FileCommitLog::report_failure(const Error& error) {
  if (offline_.exchange(true)) return;
  DOHLE_MARK("storage.directory_offline");
  log::error("storage", "log directory {} is offline: {}", directory_, error.message);
  // The last thing that a directory's thread does before it ends may be to fail.
  owner_.post([on_failure = std::weak_ptr(on_failure_), error] {
    if (const auto alive = on_failure.lock()) (*alive)(error);
  });
}

std::uint64_t FileCommitLog::most_reserve(const runtime::SpaceInfo& space) { return space.total_bytes / 16; }

Result<> FileCommitLog::make_reserve(std::uint64_t bytes) {
  if (bytes == 0 || (has_reserve_.load() && !adopted_.exchange(false))) return {};
  const auto space = fs_.space(directory_);
  if (space) bytes = std::min(bytes, most_reserve(*space));
  // With a little beside it, so that clients do not come and go with every block.
  if (space && !fs_.exists(reserve_path()) && space->usable_bytes < bytes + bytes / 64) {
    on_reserve_.store(true);
    return {};
  }
  DOHLE_ASSIGN(const auto file, fs_.open(reserve_path(), runtime::OpenMode::kCreate));
  auto reserved = file->allocate(0, bytes);
  if (!reserved && reserved.error().code == Errc::kUnsupported) {
    on_reserve_.store(false);  // nor can there be one
    return {};
  }
  if (!reserved) static_cast<void>(fs_.remove_file(reserve_path()));  // it may hold a part
  if (!reserved && reserved.error().code != Errc::kNoSpace) return reserved;
  reserve_bytes_.store(bytes);
  has_reserve_.store(reserved.has_value());
  on_reserve_.store(!reserved);
  return reserved;
}

void FileCommitLog::look_for_space(std::uint64_t reserve_bytes) {
  constexpr std::uint64_t kRoomy = 64;  // this part of the disk is free again
  static_cast<void>(make_reserve(reserve_bytes));
  if (on_reserve_.load() || !refuses_.load()) return;
  const auto space = fs_.space(directory_);
  if (!space || space->usable_bytes < space->total_bytes / kRoomy) return;
  refuses_.store(false);
  log::info("storage", "log directory {} has space again", directory_);
}

void FileCommitLog::note_refused() {
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (refuses_.exchange(true)) return;
  log::warn("storage", "log directory {} is full: clients' records are refused until there is space", directory_);
}

void FileCommitLog::adopt_reserve() {
  if (!fs_.exists(reserve_path())) return;
  has_reserve_.store(true);
  adopted_.store(true);
}

bool FileCommitLog::release_reserve() {
  if (!has_reserve_.exchange(false)) return false;
  on_reserve_.store(true);
  refuses_.store(true);
  log::warn("storage", "log directory {} is full: clients' records are refused, and the rest lives on its reserve",
            directory_);
  return fs_.remove_file(reserve_path()).has_value();
}

DirectoryCounts FileCommitLog::counts() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  return {.commits = commits_.load(kRelaxed),
          .syncs = sync_turns_.load(kRelaxed),
          .refused_appends = refused_.load(kRelaxed),
          .slow_writes = slow_writes_.load(kRelaxed),
          .reserve_bytes = has_reserve_.load(kRelaxed) ? reserve_bytes_.load(kRelaxed) : 0};
}

std::string FileCommitLog::reserve_path() const { return runtime::join_path(directory_, kReserveFile); }

}  // namespace dohle::storage

#include <algorithm>
#include <utility>

#include <base/log.h>
#include <base/mutant.h>

#include "log_files.h"
#include "log_state.h"

namespace dohle::storage {

runtime::Task<Result<>> Log::State::commit(Offset up_to) {
  if (up_to <= flushed_end) co_return Result<>{};
  DOHLE_CO_TRY(check_online());
  runtime::Promise<Result<>> promise;
  auto future = promise.future();
  waiters.push_back({std::min(up_to, log_end), 0, std::move(promise)});
  if (!sync_running) runtime::spawn(run_syncs(shared_from_this()));
  co_return co_await future;
}

void Log::State::commit_in_background() {
  sync_again = true;
  if (!sync_running) runtime::spawn(run_syncs(shared_from_this()));
}

// One sync at a time; whoever comes while it runs shares the next one.
runtime::Task<void> Log::State::run_syncs(std::shared_ptr<State> self) {
  self->sync_running = true;
  do {
    // A full disk may keep an epoch without records off its checkpoint; one with records got there before them.
    Result<> result;
    if (self->epochs_dirty) result = co_await self->write_epochs_in_turn();
    self->sync_again = false;
    ++self->sync_round;
    const std::uint64_t cuts = self->journaled_log->cuts;
    const bool written = result || result.error().code == Errc::kNoSpace;
    auto commit = written ? self->take_commit() : Result<Commit>(std::unexpected(result.error()));
    if (commit) {
      const auto done = co_await self->services.commit_log.commit_run(std::move(commit->set), std::move(commit->run));
      result = done ? Result<>{} : Result<>(std::unexpected(done.error()));
      if (done && self->journaled_log->cuts == cuts) self->note_durable(*commit, *done);
    } else {
      result = self->guard(Result<>(std::unexpected(commit.error())));
    }
    if (self->abandoned) result = fail(Errc::kClosed, "the log was removed");
    self->finish_waiters(result);
    if (!result) break;
  } while ((!self->waiters.empty() && !DOHLE_MUTANT("storage.lost_wake")) || self->sync_again);
  self->sync_running = false;
  if (self->idle) std::exchange(self->idle, std::nullopt)->set();
}

// What a sync holds belongs to the shard and the directory: it ends before they do.
runtime::Task<void> Log::State::wait_idle() {
  static_cast<void>(co_await door.lock());  // appends under way
  if (!sync_running) co_return;
  auto future = idle.emplace().future();
  co_await future;
}

Result<Log::State::Commit> Log::State::take_commit() {
  Segment& active = segments.active();
  DOHLE_ASSIGN(const auto file, active.file());
  Commit out{.active = active.base(), .bytes = active.size(), .end = log_end};
  CommitSet& set = out.set;
  set.files = std::exchange(sync_files, {});
  set.small_files.assign(sync_small_files.begin(), sync_small_files.end());
  sync_small_files.clear();
  const auto cut = std::exchange(cut_at, std::nullopt);
  if (topic_id && (cut || durable_bytes < active.size())) {
    const Place from = cut.value_or(Place{active.base(), durable_bytes});
    out.run = CommitRun{.log = journaled_log,
                        .topic_id = *topic_id,
                        .file = file,
                        .segment = from.first,
                        .from = from.second,
                        .to = cut ? from.second : active.size(),
                        .cuts = journaled_log->cuts};
  }
  if (!out.run || cut) set.files.push_back(file);
  if (DOHLE_MUTANT("storage.directory_not_synced")) sync_directory = sync_parent = false;
  if (DOHLE_MUTANT("storage.sealed_files_not_synced")) set.files.clear();
  if (sync_directory) set.directories.push_back(path);
  if (sync_parent) set.directories.push_back(parent_of(path));
  sync_directory = false;
  sync_parent = false;
  return out;
}

void Log::State::note_durable(const Commit& commit, JournalGeneration generation) {
  flushed_end = std::max(flushed_end, commit.end);
  if (segments.active().base() == commit.active) durable_bytes = std::max(durable_bytes, commit.bytes);
  if (generation == 0) {
    journaled.clear();
    synced_end = std::max(synced_end, commit.end);
  } else if (!journaled.empty() && journaled.back().generation == generation) {
    journaled.back().end = commit.end;
  } else {
    static_cast<void>(settle_synced_end());
    journaled.push_back({generation, commit.end});
  }
}

Offset Log::State::settle_synced_end() {
  const JournalGeneration cleared = services.commit_log.journal_cleared();
  while (!journaled.empty() && journaled.front().generation <= cleared) {
    synced_end = std::max(synced_end, journaled.front().end);
    journaled.erase(journaled.begin());
  }
  return synced_end;
}

// The log was cut to `end`, in the segment that is active now.
void Log::State::forget_durable_from(Offset end) {
  static_cast<void>(settle_synced_end());
  flushed_end = std::min(flushed_end, end);
  synced_end = std::min(synced_end, end);
  for (auto& entry : journaled) entry.end = std::min(entry.end, end);
  note_cut({segments.active().base(), segments.active().size()});
}

// Nothing of the active segment counts as durable before the next commit, which syncs its file.
void Log::State::note_cut(Place place) {
  cut_at = std::min(cut_at.value_or(place), place);
  durable_bytes = 0;
}

void Log::State::finish_waiters(const Result<>& result) {
  std::vector<Waiter> left;
  for (auto& waiter : waiters) {
    if (!result) {
      waiter.promise.set(result);
    } else if (waiter.round <= sync_round && std::min(waiter.up_to, log_end) <= flushed_end) {
      waiter.promise.set(Result<>{});
    } else {
      left.push_back(std::move(waiter));
    }
  }
  waiters = std::move(left);
}

Result<> Log::State::write_left_behind() {
  while (!left_behind.empty()) {
    if (const Offset base = *left_behind.begin(); segments.contains(base)) {
      Segment& segment = *segments.floor(base)->second;
      DOHLE_TRY(guard(segment.seal()));
      DOHLE_TRY(guard(segment.collect_files(sync_files, true)));
    }
    left_behind.erase(left_behind.begin());
  }
  return {};
}

runtime::Task<Result<>> Log::State::close() {
  static_cast<void>(co_await door.lock());  // appends under way
  auto result = co_await close_files();
  if (!result && result.error().code == Errc::kNoSpace && services.commit_log.release_reserve()) {
    result = co_await close_files();
  }
  co_await wait_idle();
  co_return result;
}

bool Log::State::has_to_close() const {
  return check_online() && (touched || epochs_dirty || flushed_end != log_end);
}

Result<> Log::State::write_last() {
  DOHLE_TRY(guard(write_partition_metadata()));
  DOHLE_TRY(write_left_behind());
  DOHLE_TRY(guard(segments.active().seal()));
  producers.set_end(log_end);
  DOHLE_ASSIGN(runtime::FileRef snapshot, guard(snapshots.write(producers)));
  if (!snapshot) return {};
  sync_later(std::move(snapshot));
  sync_directory = true;
  return {};
}

runtime::Task<Result<>> Log::State::close_files() {
  if (!has_to_close()) co_return Result<>{};
  DOHLE_CO_TRY(write_last());
  DOHLE_CO_TRY(guard(segments.active().collect_files(sync_files, true)));
  // Even when all records are durable: the files above are not yet, and a sync under way does not cover them.
  runtime::Promise<Result<>> promise;
  auto future = promise.future();
  waiters.push_back({log_end, sync_round + 1, std::move(promise)});
  if (!sync_running) runtime::spawn(run_syncs(shared_from_this()));
  co_return co_await future;
}

runtime::Task<Result<>> Log::State::close_unsynced() {
  co_await wait_idle();
  if (!has_to_close()) co_return Result<>{};
  auto written = write_last();
  if (!written && written.error().code == Errc::kNoSpace && services.commit_log.release_reserve()) {
    written = write_last();
  }
  DOHLE_CO_TRY(written);
  if (auto kept = guard(write_epochs()); !kept && kept.error().code != Errc::kNoSpace) co_return kept;
  DOHLE_CO_ASSIGN(closing, guard(take_commit()));
  closing->set = {};
  closing->run.reset();
  co_return Result<>{};
}

void Log::State::note_close_synced() {
  if (closing) note_durable(*std::exchange(closing, std::nullopt), 0);
}

}  // namespace dohle::storage

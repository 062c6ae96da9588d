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
    const Offset target = self->log_end;
    const std::uint64_t cuts = self->cuts;
    const bool written = result || result.error().code == Errc::kNoSpace;
    auto set = written ? self->take_commit_set() : Result<CommitSet>(std::unexpected(result.error()));
    if (set) {
      result = co_await self->services.commit_log.commit(std::move(*set));
    } else {
      result = self->guard(Result<>(std::unexpected(set.error())));
    }
    if (result && self->cuts == cuts) self->flushed_end = std::max(self->flushed_end, target);
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

Result<CommitSet> Log::State::take_commit_set() {
  CommitSet set;
  set.files = std::move(sync_files);
  sync_files.clear();
  set.small_files.assign(sync_small_files.begin(), sync_small_files.end());
  sync_small_files.clear();
  DOHLE_TRY(segments.active().collect_files(set.files, false));
  if (DOHLE_MUTANT("storage.directory_not_synced")) sync_directory = sync_parent = false;
  if (DOHLE_MUTANT("storage.sealed_files_not_synced")) set.files.clear();
  if (sync_directory) set.directories.push_back(path);
  if (sync_parent) set.directories.push_back(parent_of(path));
  sync_directory = false;
  sync_parent = false;
  return set;
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

runtime::Task<Result<>> Log::State::close_files() {
  if (!check_online() || (!touched && !epochs_dirty && flushed_end == log_end)) co_return Result<>{};
  DOHLE_CO_TRY(guard(write_partition_metadata()));
  DOHLE_CO_TRY(write_left_behind());
  DOHLE_CO_TRY(guard(segments.active().seal()));
  DOHLE_CO_TRY(guard(segments.active().collect_files(sync_files, true)));
  producers.set_end(log_end);
  auto snapshot = guard(snapshots.write(producers));
  if (!snapshot) co_return std::unexpected(snapshot.error());
  if (*snapshot) {
    sync_later(*snapshot);
    sync_directory = true;
  }
  // Even when all records are durable: the files above are not yet, and a sync under way does not cover them.
  runtime::Promise<Result<>> promise;
  auto future = promise.future();
  waiters.push_back({log_end, sync_round + 1, std::move(promise)});
  if (!sync_running) runtime::spawn(run_syncs(shared_from_this()));
  co_return co_await future;
}

}  // namespace dohle::storage

#include <coordinator/core/partition_runtime.h>

#include <algorithm>
#include <chrono>

#include <base/check.h>
#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <protocol/error_map.h>

#include "core/timer_table.h"

namespace dohle::coordinator {
namespace {

constexpr std::size_t kBatchHeaderBytes = 61;
constexpr std::size_t kRecordOverheadBytes = 32;  // attributes, deltas, lengths: never more

std::size_t encoded_bytes(const CoordinatorRecord& record) {
  return record.key.size() + (record.value ? record.value->size() : 0) + kRecordOverheadBytes;
}

}  // namespace

using protocol::ErrorCode;

PartitionRuntime::PartitionRuntime(std::int32_t partition, LeaderEpoch epoch, std::unique_ptr<StateMachine> machine,
                                   PartitionWriter& writer, runtime::SettledClock& clock, RuntimeConfig config)
    : partition_(partition),
      epoch_(epoch),
      machine_(std::move(machine)),
      writer_(writer),
      clock_(clock),
      config_(config),
      executor_(*runtime::Executor::current()) {
  timers_ = std::make_unique<TimerTable>(executor_, [this](const TimerAction& action) { run_background(action); });
}

PartitionRuntime::~PartitionRuntime() { DOHLE_CHECK(gate_.count() == 0); }

void PartitionRuntime::start() { runtime::spawn(load()); }

void PartitionRuntime::close() {
  if (state_ == State::kClosed) return;
  const bool was_active = state_ == State::kActive;
  state_ = State::kClosed;
  executor_.cancel_timer(linger_timer_);
  static_cast<TimerTable&>(*timers_).cancel_all();
  for (auto batches = std::exchange(pending_, {}); auto& batch : batches) {
    finish(std::move(batch), ErrorCode::kNotCoordinator);
  }
  if (was_active) machine_->on_unloaded();
  static_cast<TimerTable&>(*timers_).cancel_all();
}

std::optional<ErrorCode> PartitionRuntime::not_active() const {
  switch (state_) {
    case State::kActive:
      return std::nullopt;
    case State::kLoading:
      return ErrorCode::kCoordinatorLoadInProgress;
    case State::kFailed:
    case State::kClosed:
      break;
  }
  return ErrorCode::kNotCoordinator;
}

Turn PartitionRuntime::begin_turn() { return Turn(clock_.stamp_ms(), clock_.wall_ms(), *timers_, undo_); }

void PartitionRuntime::become_active() {
  undo_.set_recording(true);
  state_ = State::kActive;
  if (next_offset_ > Offset(0)) {
    // What was loaded counts as written; answers wait until its tail is committed too.
    Batch& loaded = pending_.emplace_back();
    loaded.id = next_batch_id_++;
    loaded.sealed = true;
    loaded.last = next_offset_.prev();
    start_commit_loop();
  }
  run_background([this](Turn& turn) { machine_->on_loaded(turn); });
}

void PartitionRuntime::run_background(const TimerAction& body) {
  Turn turn = begin_turn();
  body(turn);
  if (auto queued = submit(std::move(turn), nullptr); !queued && state_ == State::kActive) {
    log::warn("coordinator", "partition {}: a background operation failed: {}", partition_,
              protocol::name(queued.error()));
  }
}

Decision<void> PartitionRuntime::submit(Turn turn, Waiter waiter) {
  Decision<void> result;
  if (!turn.records().empty()) result = queue_records(turn);
  if (!result) {
    undo_.revert_to(turn.undo_mark());
    if (auto outcome = turn.take_outcome()) {
      run_background([&](Turn& next) { outcome(next, result.error()); });
    }
    return result;
  }
  if (DOHLE_MUTANT("coordinator.answered_before_append") && waiter) std::exchange(waiter, nullptr)(ErrorCode::kNone);
  if (!pending_.empty()) {
    attach(pending_.back(), turn.take_outcome(), std::move(waiter));
    return result;
  }
  if (auto outcome = turn.take_outcome()) {
    run_background([&](Turn& next) { outcome(next, ErrorCode::kNone); });
  }
  if (waiter) waiter(ErrorCode::kNone);
  return result;
}

void PartitionRuntime::attach(Batch& batch, Outcome outcome, Waiter waiter) {
  if (outcome) batch.outcomes.push_back(std::move(outcome));
  if (waiter) batch.waiters.push_back(std::move(waiter));
  if (batch.timer != runtime::kNoTimer || (batch.outcomes.empty() && batch.waiters.empty())) return;
  batch.timer = executor_.start_timer(std::chrono::milliseconds(config_.commit_timeout_ms),
                                      [this, id = batch.id] { commit_timed_out(id); });
}

Decision<void> PartitionRuntime::queue_records(const Turn& turn) {
  if (auto error = not_active()) return std::unexpected(*error);
  const std::size_t limit = config_.max_batch_bytes - kBatchHeaderBytes;
  std::size_t total = 0;
  for (const auto& record : turn.records()) {
    const std::size_t bytes = encoded_bytes(record);
    total += bytes;
    if (bytes > limit || (turn.atomic() && total > limit)) return std::unexpected(ErrorCode::kMessageTooLarge);
  }
  // A turn stays in one batch: when it does not fit into the open one, a new one begins.
  if (turn.atomic() && !pending_.empty() && pending_.back().bytes + total > limit) pending_.back().sealed = true;
  std::vector<UndoLog::Mark> marks(turn.records().size(), turn.undo_mark());
  if (turn.replays()) {
    Offset offset = next_offset_;
    for (std::size_t i = 0; i < turn.records().size(); ++i) {
      const auto& record = turn.records()[i];
      if (i > 0) marks[i] = undo_.mark();
      ReplayedRecord replayed{.offset = offset, .key = record.key};
      if (record.value) replayed.value = Bytes(*record.value);
      if (auto done = machine_->replay(replayed, undo_); !done) {
        log::error("coordinator", "partition {}: a new record cannot be replayed: {}", partition_,
                   done.error().message);
        return std::unexpected(ErrorCode::kUnknownServerError);
      }
      offset = offset.next();
    }
  }
  for (std::size_t i = 0; i < turn.records().size(); ++i) {
    if (!turn.records()[i].value && DOHLE_MUTANT("coordinator.tombstone_lost")) continue;
    if (!turn.atomic() && DOHLE_MUTANT("coordinator.expiry_not_written")) continue;
    queue_record(turn.records()[i], encoded_bytes(turn.records()[i]), marks[i]);
  }
  schedule_append();
  return {};
}

void PartitionRuntime::queue_record(const CoordinatorRecord& record, std::size_t bytes, UndoLog::Mark mark) {
  const std::size_t limit = config_.max_batch_bytes - kBatchHeaderBytes;
  if (pending_.empty() || pending_.back().sealed || pending_.back().bytes + bytes > limit) {
    if (!pending_.empty()) pending_.back().sealed = true;
    Batch& batch = pending_.emplace_back();
    batch.id = next_batch_id_++;
    batch.base = next_offset_;
    batch.undo_mark = mark;
  }
  Batch& batch = pending_.back();
  batch.records.push_back(record);
  batch.bytes += bytes;
  next_offset_ = next_offset_.next();
}

void PartitionRuntime::schedule_append() {
  if (append_scheduled_ || appending_) return;
  append_scheduled_ = true;
  if (config_.append_linger_ms > 0) {
    linger_timer_ = executor_.start_timer(std::chrono::milliseconds(config_.append_linger_ms), [this] {
      append_scheduled_ = false;
      runtime::spawn(append_loop());
    });
    return;
  }
  executor_.post([this, pass = gate_.enter()] {
    append_scheduled_ = false;
    runtime::spawn(append_loop());
  });
}

runtime::Task<void> PartitionRuntime::append_loop() {
  auto pass = gate_.enter();
  if (appending_) co_return;
  appending_ = true;
  while (state_ == State::kActive) {
    auto at = std::ranges::find_if(pending_, [](const Batch& batch) { return !batch.last; });
    if (at == pending_.end()) break;
    at->sealed = true;
    const auto id = at->id;
    const Offset expected = at->base + (static_cast<std::int64_t>(at->records.size()) - 1);
    auto encoded = encode(*at);
    Result<Offset> written = fail(Errc::kInternal);
    if (DOHLE_ODD("coordinator.append_refused")) {
      written = fail(Errc::kNotLeader, "as the simulation will have it");
    } else if (encoded) {
      written = co_await writer_.append(partition_, epoch_, std::move(*encoded));
    } else {
      written = fail(std::move(encoded).error());
    }
    if (state_ != State::kActive) break;
    if (!written) {
      log::warn("coordinator", "partition {}: {} records could not be written: {}", partition_, pending_.size(),
                written.error().message);
      fail_from_first_unwritten(protocol::error_code_of(written.error(), protocol::ErrorFamily::kPartition));
      continue;
    }
    at = std::ranges::find_if(pending_, [id](const Batch& batch) { return batch.id == id; });
    DOHLE_CHECK(at != pending_.end());
    if (*written != expected) {
      log::warn("coordinator", "partition {}: records expected at {} were written at {}", partition_, expected.value(),
                written->value());
      const std::int64_t shift = *written - expected;
      next_offset_ = next_offset_ + shift;
      for (auto later = at; later != pending_.end(); ++later) later->base = later->base + shift;
    }
    at->last = *written;
    at->records = {};
    undo_.forget_before(std::next(at) == pending_.end() ? undo_.mark() : std::next(at)->undo_mark);
    start_commit_loop();
  }
  appending_ = false;
}

void PartitionRuntime::fail_from_first_unwritten(ErrorCode error) {
  auto first = std::ranges::find_if(pending_, [](const Batch& batch) { return !batch.last; });
  std::vector<Batch> failed(std::make_move_iterator(first), std::make_move_iterator(pending_.end()));
  pending_.erase(first, pending_.end());
  if (failed.empty()) return;
  DOHLE_MARK("coordinator.write_undone");
  undo_.revert_to(failed.front().undo_mark);
  next_offset_ = failed.front().base;
  for (auto& batch : failed) finish(std::move(batch), error);
}

void PartitionRuntime::start_commit_loop() {
  if (committing_) return;
  committing_ = true;
  runtime::spawn(commit_loop());
}

runtime::Task<void> PartitionRuntime::commit_loop() {
  auto pass = gate_.enter();
  while (state_ == State::kActive && !pending_.empty() && pending_.front().last) {
    auto committed = co_await writer_.wait_committed(partition_, *pending_.front().last);
    if (state_ != State::kActive) break;
    if (!committed) {
      log::info("coordinator", "partition {}: no longer its leader: {}", partition_, committed.error().message);
      close();
      break;
    }
    Batch batch = std::move(pending_.front());
    pending_.pop_front();
    finish(std::move(batch), ErrorCode::kNone);
  }
  committing_ = false;
}

void PartitionRuntime::commit_timed_out(std::uint64_t batch_id) {
  auto at = std::ranges::find_if(pending_, [batch_id](const Batch& batch) { return batch.id == batch_id; });
  if (at == pending_.end()) return;
  DOHLE_MARK("coordinator.commit_timed_out");
  // The records stand (they may still be committed); only those who wait for them are told.
  Batch waiting;
  waiting.outcomes = std::exchange(at->outcomes, {});
  waiting.waiters = std::exchange(at->waiters, {});
  at->timer = runtime::kNoTimer;
  finish(std::move(waiting), ErrorCode::kRequestTimedOut);
}

void PartitionRuntime::finish(Batch batch, ErrorCode error) {
  if (batch.timer != runtime::kNoTimer) executor_.cancel_timer(batch.timer);
  for (auto& outcome : batch.outcomes) {
    run_background([&](Turn& turn) { outcome(turn, error); });
  }
  for (auto& waiter : batch.waiters) waiter(error);
}

}  // namespace dohle::coordinator

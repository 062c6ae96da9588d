#include "raft_node.h"

#include <limits>

#include <base/check.h>
#include <base/log.h>
#include <base/mutant.h>
#include <fmt/format.h>
#include <records/batch.h>

#include "control_records.h"

namespace dohle::raft {

namespace {

constexpr runtime::Duration kCleanInterval = std::chrono::minutes(1);
constexpr runtime::Duration kSpaceLookup = std::chrono::seconds(1);
constexpr std::uint32_t kRecoveryReadBytes = 1U << 20U;

RaftLogConfig log_config(const RaftConfig& config) {
  return {.segment_bytes = config.segment_bytes,
          .segment_ms = config.segment_ms,
          .retention_bytes = config.retention_bytes,
          .retention_ms = config.retention_ms};
}

CoreConfig core_config(const RaftConfig& config, const Uuid& directory) {
  CoreConfig out{.node_id = config.node_id,
                 .directory = directory,
                 .endpoints = config.endpoints,
                 .election_timeout_ms = config.election_timeout_ms,
                 .fetch_timeout_ms = config.fetch_timeout_ms,
                 .request_timeout_ms = config.request_timeout_ms,
                 .retry_backoff_ms = config.retry_backoff_ms};
  for (std::size_t i = 0; i < config.bootstrap_servers.size(); ++i)
    out.bootstrap.push_back(-2 - static_cast<NodeId>(i));
  if (config.bootstrap_servers.empty() && config.static_voters) {
    for (const auto& [id, voter] : config.static_voters->voters()) out.bootstrap.push_back(id);
  }
  return out;
}

}  // namespace

runtime::Task<Result<std::unique_ptr<RaftNode>>> RaftNode::open(RaftConfig config, Surroundings around) {
  DOHLE_CO_ASSIGN(auto log, RaftLog::open(log_config(config), {.files = around.shard.files(),
                                                               .clock = around.shard.clock(),
                                                               .directory = around.directory,
                                                               .logs = around.logs}));
  VoterHistory history(config.static_voters.value_or(VoterSet()));
  auto node = std::make_unique<RaftNodeImpl>(std::move(config), around, std::move(log), std::move(history));
  DOHLE_CO_TRY(co_await node->recover());
  co_return node;
}

RaftNodeImpl::RaftNodeImpl(RaftConfig config, Surroundings around, std::unique_ptr<RaftLog> log, VoterHistory history)
    : config_(std::move(config)),
      around_(around),
      log_(std::move(log)),
      state_file_(around_.shard.files(), log_->door(), log_->directory()),
      core_(core_config(config_, around_.directory.id()), *log_, around_.shard.random(), std::move(history)) {}

RaftNodeImpl::~RaftNodeImpl() {
  if (timer_ != runtime::kNoTimer) around_.shard.executor().cancel_timer(timer_);
  if (space_timer_ != runtime::kNoTimer) around_.shard.executor().cancel_timer(space_timer_);
}

// ---- start

Result<> RaftNodeImpl::load_history_from_snapshot() {
  const auto latest = log_->latest_snapshot();
  if (!latest) return {};
  DOHLE_ASSIGN(const auto snapshot, log_->open_snapshot(*latest));
  core_.history().clear();
  if (snapshot->kraft_version() > 0) {
    core_.history().set_kraft_version(latest->offset.prev(), snapshot->kraft_version());
  }
  if (snapshot->voters()) core_.history().set_voters(latest->offset.prev(), *snapshot->voters());
  return {};
}

Result<> RaftNodeImpl::note_control_batches(Bytes batches) {
  records::BatchCursor cursor(batches);
  for (;;) {
    DOHLE_ASSIGN(const auto batch, cursor.next());
    if (!batch) return {};
    if (!batch->is_control()) continue;
    DOHLE_ASSIGN(std::vector<ControlContent> contents, read_control_batch(*batch));
    for (ControlContent& content : contents) {
      if (content.kraft_version) core_.history().set_kraft_version(content.offset, *content.kraft_version);
      if (content.voters) core_.history().set_voters(content.offset, std::move(*content.voters));
    }
  }
}

runtime::Task<Result<>> RaftNodeImpl::recover() {
  DOHLE_CO_TRY(load_history_from_snapshot());
  const auto latest = log_->latest_snapshot();
  Offset next = latest ? std::max(latest->offset, log_->start()) : log_->start();
  while (next < log_->end().offset) {
    DOHLE_CO_ASSIGN(const auto bytes, co_await log_->read_bytes(next, Offset(storage::kMaxLong), kRecoveryReadBytes));
    DOHLE_CO_TRY(note_control_batches(bytes));
    records::BatchCursor cursor(bytes);
    const Offset before = next;
    for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) next = (*batch)->next_offset();
    if (next <= before)
      co_return fail(Errc::kCorrupt, fmt::format("{} cannot be read at offset {}", log_->directory(), before.value()));
  }
  const VoterSet& known = core_.history().voters();
  const Voter* self = known.find(config_.node_id);
  if (self != nullptr && known.size() == 1 && !known.is_voter(core_.self())) {
    co_return fail(
        Errc::kInvalidConfig,
        fmt::format("the only voter of this cluster is node {}, but directory.id in {}/meta.properties is {}: "
                    "restore the meta.properties this directory was formatted with",
                    self->key.to_string(), around_.directory.path(), around_.directory.id().to_string()));
  }
  DOHLE_CO_ASSIGN(auto saved, state_file_.read());
  core_.initialize(std::move(saved), now());
  co_return Result<>();
}

void RaftNodeImpl::start() {
  log::info("raft", "node {} takes part as {} in epoch {}: {} voters, kraft.version {}, log from {} to {}",
            core_.self().to_string(), core_.is_voter() ? "voter" : "observer", core_.epoch().value(), voters().size(),
            kraft_version(), log_start().value(), log_end().value());
  runtime::spawn(settle_detached());
  runtime::spawn(clean_loop());
}

runtime::Task<void> RaftNodeImpl::shutdown() {
  flush_appends();
  if (!failed_ && is_leader()) {
    const Offset end = log_->end().offset;
    if (auto done = co_await log_->commit(end); done) core_.on_flushed(now());
    co_await settle();
  }
  stopping_ = true;
  core_.begin_shutdown();
  co_await settle();
  stop_.stop();
  wake_fetches();
  if (space_timer_ != runtime::kNoTimer) {
    around_.shard.executor().cancel_timer(std::exchange(space_timer_, runtime::kNoTimer));
  }
  co_await gate_.wait_empty();
  if (timer_ != runtime::kNoTimer) around_.shard.executor().cancel_timer(std::exchange(timer_, runtime::kNoTimer));
  if (auto closed = co_await log_->close(); !closed)
    log::warn("raft", "closing the metadata log: {}", closed.error().message);
}

void RaftNodeImpl::fail_stop(Error error) {
  if (failed_) return;
  log::error("raft", "the metadata log failed, this node can no longer take part: {}", error.message);
  failed_ = error;
  log_->door().report_failure(error);
  end_epoch_waiters();
  wake_fetches();
}

// ---- the epoch

runtime::Task<void> RaftNodeImpl::settle() {
  std::vector<Outgoing> outgoing;
  {
    const auto hold = co_await settling_.lock();
    if (failed_) co_return;
    if (!co_await save_and_lead()) co_return;
    outgoing = core_.take_outgoing();
  }
  for (Outgoing& out : outgoing) send(std::move(out));
  publish();
}

runtime::Task<void> RaftNodeImpl::settle_detached() {
  const auto pass = gate_.enter();
  co_await settle();
}

// Until the core has nothing new to save. False when this node failed.
runtime::Task<bool> RaftNodeImpl::save_and_lead() {
  for (;;) {
    const TimeMs wake = core_.poll(now());
    if (auto state = core_.take_unsaved()) {
      log::info("raft", "epoch {}: {}, leader {}", state->epoch.value(), core_.role_name(), state->leader.value_or(-1));
      const std::int16_t data_version = kraft_version() >= 1 ? 1 : 0;
      if (auto saved = co_await state_file_.write(std::move(*state), data_version); !saved) {
        fail_stop(saved.error());
        co_return false;
      }
      continue;
    }
    if (core_.is_leader() && led_ != core_.epoch()) {
      if (auto begun = begin_epoch(); !begun) {
        fail_stop(begun.error());
        co_return false;
      }
      continue;
    }
    arm_timer(wake);
    co_return true;
  }
}

// A new leader's first batch: committing it commits everything before it.
Result<> RaftNodeImpl::begin_epoch() {
  const LeaderEpoch epoch = core_.epoch();
  const VoterHistory& history = core_.history();
  std::vector<NodeId> ids;
  for (const auto& [id, voter] : history.voters().voters()) ids.push_back(id);
  std::vector<ControlRecord> first = {leader_change_record(config_.node_id, ids, core_.leading()->granting)};
  if (history.kraft_version() >= 1) {
    const auto at = history.voters_offset();
    if (!at) return fail(Errc::kCorrupt, "kraft.version is 1, but neither log nor snapshot holds a voter set");
    // A voter set that stands only in the bootstrap snapshot, which is never replicated, or one with old endpoints.
    Voter self = core_.self_as_voter();
    if (const Voter* known = history.voters().find(self.key.id); known != nullptr && self.endpoints.empty()) {
      self.endpoints = known->endpoints;
    }
    if (*at == kNoOffset || history.voters().needs_update(self)) {
      first.push_back(kraft_version_record(history.kraft_version()));
      first.push_back(voters_record(history.voters().with(self)));
    }
  }
  const Slice batch = control_batch(log_->end().offset, epoch, wall_ms(), first);
  DOHLE_TRY(log_->append_as_leader(batch, epoch));
  DOHLE_TRY(note_control_batches(batch.bytes()));
  led_ = epoch;
  epoch_with_waiters_ = epoch;
  queue_.begin(log_->end().offset);
  wake_fetches();
  start_commit();
  return {};
}

void RaftNodeImpl::arm_timer(TimeMs wake) {
  auto& executor = around_.shard.executor();
  if (timer_ != runtime::kNoTimer) executor.cancel_timer(std::exchange(timer_, runtime::kNoTimer));
  if (wake == std::numeric_limits<TimeMs>::max() || stopping_) return;
  const auto after = std::chrono::milliseconds(std::max<TimeMs>(wake - now(), 1));
  timer_ = executor.start_timer(after, [this] {
    timer_ = runtime::kNoTimer;
    runtime::spawn(settle_detached());
  });
}

void RaftNodeImpl::resign(LeaderEpoch epoch) {
  core_.resign(epoch);
  runtime::spawn(settle_detached());
}

LeaderAndEpoch RaftNodeImpl::leader_and_epoch() const {
  LeaderAndEpoch out = core_.leader_and_epoch();
  if (core_.is_leader() && !is_leader()) out.leader.reset();  // not before its first batch is written
  return out;
}

// ---- appends

Result<Offset> RaftNodeImpl::append(LeaderEpoch epoch, std::vector<std::vector<std::uint8_t>> records) {
  if (failed_) return fail(Errc::kStorage, failed_->message);
  if (!is_leader() || stopping_) return fail(Errc::kNotLeader, "this node does not lead the metadata quorum");
  if (epoch < led_)
    return fail(Errc::kFencedEpoch, fmt::format("epoch {} is over, {} runs", epoch.value(), led_.value()));
  DOHLE_CHECK(epoch == led_);
  DOHLE_ASSIGN(const Offset last, queue_.add(std::move(records)));
  if (!std::exchange(flush_posted_, true)) {
    around_.shard.executor().post([this, pass = gate_.enter()] { flush_appends(); });
  }
  return last;
}

// What came in during one loop turn becomes one batch and shares one sync.
void RaftNodeImpl::flush_appends() {
  flush_posted_ = false;
  if (failed_ || queue_.empty()) return;
  if (!is_leader()) {
    queue_.begin(Offset(0));
    return;
  }
  auto groups = queue_.take();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Slice batch = data_batch(groups[i].base, led_, wall_ms(), groups[i].records);
    const auto appended = log_->append_as_leader(batch, led_);
    if (appended) continue;
    if (appended.error().code != Errc::kNoSpace) return fail_stop(appended.error());
    queue_.put_back(std::move(groups), i);
    wait_for_space(appended.error());
    break;
  }
  wake_fetches();
  start_commit();
}

// Nothing was written and nobody has been told anything: it waits until there is space.
void RaftNodeImpl::wait_for_space(const Error& error) {
  if (!std::exchange(told_full_, true)) log::error("raft", "the metadata log waits for space: {}", error.message);
  flush_posted_ = true;
  space_timer_ = around_.shard.executor().start_timer(kSpaceLookup, [this] {
    space_timer_ = runtime::kNoTimer;
    flush_appends();
    if (flush_posted_ || !std::exchange(told_full_, false)) return;
    log::info("raft", "the metadata log goes on");
  });
}

void RaftNodeImpl::start_commit() {
  if (!std::exchange(committing_, true)) runtime::spawn(commit_loop());
}

runtime::Task<void> RaftNodeImpl::commit_loop() {
  const auto pass = gate_.enter();
  bool planted = DOHLE_MUTANT("raft.committed_before_flush");
  if (planted) core_.on_flushed(now());
  while (!failed_ && (std::exchange(planted, false) || log_->flushed() < log_->end().offset)) {
    const Offset target = log_->end().offset;
    if (auto done = co_await log_->commit(target); !done) {
      fail_stop(done.error());
      break;
    }
    core_.on_flushed(now());
    if (log_->flushed() < target && log_->end().offset >= target) {
      fail_stop({Errc::kInternal, "a commit of the metadata log completed without effect"});
    }
    co_await settle();
  }
  committing_ = false;
}

runtime::Task<Result<>> RaftNodeImpl::wait_committed(LeaderEpoch epoch, Offset offset) {
  if (failed_) co_return fail(Errc::kStorage, failed_->message);
  if (!is_leader() || epoch != led_) co_return fail(Errc::kNotLeader, "the epoch is over");
  if (offset < core_.high_watermark().value_or(Offset(0))) co_return Result<>();
  runtime::Promise<Result<>> promise;
  auto future = promise.future();
  commit_waiters_.emplace(offset, CommitWaiter{epoch, std::move(promise)});
  co_return co_await future;
}

// Tells everyone who waits what the core's state means for them.
void RaftNodeImpl::publish() {
  if (epoch_with_waiters_ != LeaderEpoch(-1) && !(is_leader() && epoch_with_waiters_ == led_)) end_epoch_waiters();
  if (const auto mark = core_.high_watermark(); mark && *mark > published_) {
    published_ = *mark;
    log_->set_high_watermark(*mark);
    while (!commit_waiters_.empty() && commit_waiters_.begin()->first < *mark) {
      commit_waiters_.begin()->second.promise.set(Result<>());
      commit_waiters_.erase(commit_waiters_.begin());
    }
    wake_fetches();
  }
  start_delivery();
}

void RaftNodeImpl::end_epoch_waiters() {
  epoch_with_waiters_ = LeaderEpoch(-1);
  queue_.begin(Offset(0));
  for (auto& [offset, waiter] : std::exchange(commit_waiters_, {})) {
    waiter.promise.set(failed_ ? Result<>(fail(Errc::kStorage, failed_->message))
                               : Result<>(fail(Errc::kNotLeader, "the epoch ended before the records were committed")));
  }
  wake_fetches();
}

// ---- snapshots

Result<std::unique_ptr<SnapshotWriter>> RaftNodeImpl::create_snapshot(SnapshotId id,
                                                                      std::int64_t last_contained_log_timestamp_ms) {
  const VoterHistory& history = core_.history();
  SnapshotOptions options{.last_contained_log_timestamp_ms = last_contained_log_timestamp_ms,
                          .now_ms = wall_ms(),
                          .kraft_version = history.kraft_version_at(id.offset.prev()),
                          .max_batch_bytes = kMaxBatchBytes};
  if (options.kraft_version >= 1) options.voters = history.voters_at(id.offset.prev());
  return log_->create_snapshot(id, std::move(options));
}

runtime::Task<Result<>> RaftNodeImpl::finish_snapshot(std::unique_ptr<SnapshotWriter> snapshot) {
  const auto pass = gate_.enter();
  const SnapshotId id = snapshot->id();
  DOHLE_CO_TRY(co_await log_->finish_snapshot(std::move(snapshot)));
  core_.history().truncate_old(log_->start());
  log::debug("raft", "snapshot {} is in place", snapshot_name(id));
  co_return log_->clean();
}

runtime::Task<void> RaftNodeImpl::clean_loop() {
  const auto pass = gate_.enter();
  while (co_await runtime::sleep_for(kCleanInterval, &stop_)) {
    if (auto cleaned = log_->clean(); !cleaned)
      log::warn("raft", "cleaning the metadata log: {}", cleaned.error().message);
    log_->delete_due_files();
  }
}

}  // namespace dohle::raft

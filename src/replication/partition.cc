#include <replication/partition.h>

#include <algorithm>
#include <utility>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>

namespace dohle::replication {
namespace {

constexpr runtime::Duration kLongestSync = std::chrono::minutes(10);

}  // namespace

Partition::Partition(TopicIdPartition id, std::string topic, BrokerId self, storage::Log& log)
    : id_(id), topic_(std::move(topic)), self_(self), log_(&log), in_sync_(self, {self}, {self}) {}

Result<> Partition::lead(Leadership leadership) {
  if (!leading_ || leadership.epoch != epoch_) {
    DOHLE_TRY(log_->assign_epoch_start(leadership.epoch, log_->log_end()));
    epoch_ = leadership.epoch;
  }
  leading_ = true;
  in_sync_.set_isr(std::move(leadership.isr), std::move(leadership.replicas));
  start_flush_pump();
  advance_high_watermark();
  return {};
}

void Partition::stop_leading() {
  if (!std::exchange(leading_, false)) return;
  end_waits(Error{Errc::kNotLeader, "leadership of " + topic_ + " ended"});
}

Result<> Partition::check_leader(LeaderEpoch client_epoch) const {
  if (failed_) return fail(*failed_);
  if (client_epoch != kNoLeaderEpoch && client_epoch != epoch_) {
    return fail(client_epoch < epoch_ ? Errc::kFencedEpoch : Errc::kUnknownEpoch);
  }
  if (!leading_) return fail(Errc::kNotLeader);
  return {};
}

void Partition::fail_storage(const Error& error) {
  if (failed_) return;
  failed_ = Error{Errc::kStorage, error.message};
  end_waits(*failed_);
}

std::optional<storage::AppendFailure> Partition::refuse_append(bool wait_for_all) const {
  if (auto leader = check_leader(kNoLeaderEpoch); !leader) return storage::AppendFailure{leader.error(), {}};
  if (wait_for_all && !in_sync_.has_enough(log_->config().min_insync_replicas)) {
    return storage::AppendFailure{{Errc::kNotEnoughReplicas, "too few replicas in sync"}, {}};
  }
  return std::nullopt;
}

std::expected<storage::AppendInfo, storage::AppendFailure> Partition::append(Slice records, bool wait_for_all,
                                                                             storage::AppendOptions options) {
  if (auto refused = refuse_append(wait_for_all)) return std::unexpected(std::move(*refused));
  auto appended = log_->append_as_leader(std::move(records), epoch_, options);
  if (appended) after_append();
  return appended;
}

runtime::Task<std::expected<storage::AppendInfo, storage::AppendFailure>> Partition::append_waiting(
    Slice records, bool wait_for_all, storage::AppendOptions options) {
  auto keep = shared_from_this();
  const auto pass = gate_.enter();
  if (auto refused = refuse_append(wait_for_all)) co_return std::unexpected(std::move(*refused));
  const LeaderEpoch epoch = epoch_;
  auto appended = co_await log_->append_as_leader_waiting(
      std::move(records), epoch, options, [this, epoch] { return leading_ && !failed_ && epoch_ == epoch; });
  if (appended) after_append();
  co_return appended;
}

runtime::Task<Result<>> Partition::wait_high_watermark(Offset end, runtime::Duration timeout) {
  auto keep = shared_from_this();
  if (failed_) co_return std::unexpected(*failed_);
  if (high_watermark() >= end) co_return Result<>{};
  const auto pass = gate_.enter();
  // The time is for other replicas. Our own disk takes what it takes, as it does in Kafka's append.
  if (in_sync_.isr().size() == 1) timeout = std::max(timeout, kLongestSync);
  co_return co_await waiters_.wait(end, timeout);
}

Offset Partition::fetchable_end(Isolation isolation) const {
  if (DOHLE_MUTANT("replication.fetch_past_high_watermark")) return log_->log_end();
  return isolation == Isolation::kReadCommitted ? log_->last_stable_offset() : log_->high_watermark();
}

runtime::Task<Result<PartitionRead>> Partition::read(ReadRequest request) {
  auto keep = shared_from_this();
  const auto pass = gate_.enter();
  DOHLE_CO_TRY(check_leader(request.current_leader_epoch));

  PartitionRead out;
  out.high_watermark = log_->high_watermark();
  out.last_stable_offset = log_->last_stable_offset();
  out.log_start = log_->log_start();
  if (request.last_fetched_epoch != kNoLeaderEpoch) {
    const auto end = log_->end_offset_for_epoch(request.last_fetched_epoch);
    if (end.end_offset == kNoOffset || end.epoch == kNoLeaderEpoch) co_return fail(Errc::kOffsetOutOfRange);
    if (end.epoch < request.last_fetched_epoch || end.end_offset < request.from) {
      out.diverging = end;
      co_return out;
    }
  }
  if (request.from < log_->log_start() || request.from > log_->log_end()) co_return fail(Errc::kOffsetOutOfRange);

  const Offset bound = fetchable_end(request.isolation);
  if (request.from >= bound || (request.max_bytes == 0 && !request.min_one_batch)) co_return out;
  const storage::ReadLimits limits{
      .max_bytes = request.max_bytes, .upper_bound = bound, .min_one_batch = request.min_one_batch};
  auto info = log_->read(request.from, limits);
  if (!info && info.error().code == Errc::kWouldBlock) info = co_await log_->read_cold(request.from, limits);
  if (!info) co_return std::unexpected(std::move(info).error());
  out.bytes = info->bytes;
  out.records = std::move(info->records);
  co_return out;
}

runtime::Task<Result<std::optional<storage::TimestampOffset>>> Partition::offset_for_timestamp(
    std::int64_t timestamp, std::optional<Isolation> isolation) {
  auto keep = shared_from_this();
  const auto pass = gate_.enter();
  // A client sees only what it may fetch; a follower or a tool asking for the replica sees all of the log.
  const Offset bound = isolation ? fetchable_end(*isolation) : log_->log_end();
  if (timestamp == storage::kLatestTimestamp) co_return storage::TimestampOffset{-1, bound, epoch_};
  auto looked_up = log_->offset_for_timestamp(timestamp);
  if (!looked_up && looked_up.error().code == Errc::kWouldBlock) {
    looked_up = co_await log_->offset_for_timestamp_cold(timestamp);
  }
  DOHLE_CO_ASSIGN(auto found, std::move(looked_up));
  const bool is_position = timestamp == storage::kEarliestTimestamp || timestamp == storage::kEarliestLocalTimestamp ||
                           timestamp == storage::kLatestTieredTimestamp ||
                           timestamp == storage::kEarliestPendingUploadTimestamp;
  if (found && !is_position && found->offset >= bound) co_return std::nullopt;
  co_return found;
}

Result<Offset> Partition::delete_records_before(Offset offset) {
  DOHLE_TRY(check_leader(kNoLeaderEpoch));
  const Offset target = offset == kNoOffset ? high_watermark() : offset;
  if (target < Offset(0)) return fail(Errc::kOffsetOutOfRange);
  DOHLE_TRY(log_->delete_records_before(target));
  return log_->log_start();
}

void Partition::watch(Offset seen, Watch& watch) {
  DOHLE_CHECK(watch.at_ == nullptr);
  const bool has_news = high_watermark() > seen && !DOHLE_MUTANT("replication.watched_without_looking");
  if (!leading_ || failed_ || has_news) return watch.wake();
  watch.at_ = this;
  watch.after_ = std::exchange(watches_, &watch);
  if (watch.after_ != nullptr) watch.after_->before_ = &watch;
}

void Partition::Watch::leave() {
  if (at_ == nullptr) return;
  (before_ != nullptr ? before_->after_ : at_->watches_) = after_;
  if (after_ != nullptr) after_->before_ = before_;
  at_ = nullptr;
  before_ = nullptr;
  after_ = nullptr;
}

runtime::Task<void> Partition::close(Error reason) {
  auto keep = shared_from_this();
  leading_ = false;
  if (!failed_) failed_ = std::move(reason);
  end_waits(*failed_);
  co_await gate_.wait_empty();
}

void Partition::advance_high_watermark() {
  if (!leading_) return;
  in_sync_.set_leader_end(DOHLE_MUTANT("replication.high_watermark_ahead_of_flush") ? log_->log_end()
                                                                                    : log_->acknowledged_end());
  const Offset before = log_->high_watermark();
  const Offset target = in_sync_.advance_high_watermark(before, log_->config().min_insync_replicas);
  if (target <= before) return;
  const Offset after = log_->set_high_watermark(target);
  waiters_.reached(after);
  if (on_high_watermark_) on_high_watermark_(after);
  wake_watchers();
}

void Partition::start_flush_pump() {
  if (pumping_ || failed_ || log_->acknowledged_end() >= log_->log_end()) return;
  pumping_ = true;
  runtime::spawn(flush_pump(shared_from_this()));
}

runtime::Task<void> Partition::flush_pump(std::shared_ptr<Partition> /*keeps this alive*/) {
  const auto pass = gate_.enter();
  while (!failed_ && log_->acknowledged_end() < log_->log_end()) {
    const auto committed = co_await log_->commit(log_->log_end());
    if (!committed) {
      DOHLE_MARK("replication.commit_failed");
      log::error("replication", "{}-{}: {}", topic_, id_.partition, committed.error().message);
      fail_storage(committed.error());
      break;
    }
    advance_high_watermark();
  }
  pumping_ = false;
}

void Partition::end_waits(const Error& reason) {
  waiters_.fail_all(reason);
  wake_watchers();
}

void Partition::wake_watchers() {
  while (watches_ != nullptr) {
    Watch& watch = *watches_;
    watch.leave();
    watch.wake();
  }
}

}  // namespace dohle::replication

#include "memory_partition.h"

#include <utility>

#include <base/check.h>
#include <records/batch.h>

namespace dohle::coordinator {

using runtime::Task;

void MemoryPartition::set_hold(bool& flag, bool hold) {
  flag = hold;
  if (executor_ == nullptr) return;
  // Tests call from outside of any shard.
  executor_->post([waiting = std::exchange(waiting_, {})]() mutable {
    for (auto& waiter : waiting) waiter.set();
  });
}

void MemoryPartition::lose_leadership() { set_hold(leads_, false); }

Task<void> MemoryPartition::wait_for_change() {
  runtime::Promise<> promise;
  auto future = promise.future();
  waiting_.push_back(promise);
  executor_ = runtime::Executor::current();
  co_await future;
}

Task<Result<Offset>> MemoryPartition::append(std::int32_t partition, LeaderEpoch epoch, Slice batch) {
  while (hold_appends_) co_await wait_for_change();
  if (!failures_.empty()) {
    const auto error = failures_.front();
    failures_.pop_front();
    if (error) co_return fail(*error, "as the test wants");
  }
  if (epoch < epoch_) co_return fail(Errc::kFencedEpoch, "an older epoch");
  Log& log = logs_[partition];
  records::set_base_offset(batch.mutable_bytes(), log.end);
  records::set_leader_epoch(batch.mutable_bytes(), epoch);
  auto view = records::BatchView::parse(batch.bytes());
  DOHLE_CHECK(view && view->crc_ok());
  log.starts.push_back(log.bytes.size());
  log.bytes.insert(log.bytes.end(), batch.bytes().begin(), batch.bytes().end());
  log.end = view->next_offset();
  log.ends.push_back(log.end);
  ++appended_batches_;
  co_return log.end.prev();
}

Task<Result<>> MemoryPartition::wait_committed(std::int32_t, Offset) {
  while (hold_commits_ && leads_) co_await wait_for_change();
  if (!leads_) co_return fail(Errc::kNotLeader, "leadership is lost");
  co_return Result<>{};
}

Task<Result<PartitionWriter::Chunk>> MemoryPartition::read(std::int32_t partition, Offset from, std::size_t max_bytes) {
  while (hold_reads_) co_await wait_for_change();
  Log& log = logs_[partition];
  std::size_t first = 0;
  while (first < log.ends.size() && log.ends[first] <= from) ++first;
  if (first == log.ends.size()) co_return Chunk{Slice(), log.end};
  std::size_t last = first;
  const auto end_of = [&](std::size_t i) { return i + 1 < log.starts.size() ? log.starts[i + 1] : log.bytes.size(); };
  while (last + 1 < log.ends.size() && end_of(last + 1) - log.starts[first] <= max_bytes) ++last;
  const Bytes bytes = Bytes(log.bytes).subspan(log.starts[first], end_of(last) - log.starts[first]);
  co_return Chunk{Slice::copy_of(bytes), log.end};
}

void MemoryPartition::set_log(std::int32_t partition, std::vector<std::uint8_t> batches) {
  Log& log = logs_[partition];
  log = {};
  log.bytes = std::move(batches);
  for (std::size_t at = 0; at < log.bytes.size();) {
    auto view = records::BatchView::parse(Bytes(log.bytes).subspan(at));
    DOHLE_CHECK(view);
    log.starts.push_back(at);
    log.end = view->next_offset();
    log.ends.push_back(log.end);
    at += view->size_bytes();
  }
}

}  // namespace dohle::coordinator

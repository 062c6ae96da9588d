// Loading: the log from its start to its end, through the same replay as live turns, a slice of the shard's time at
// once.
#include <coroutine>

#include <base/log.h>
#include <base/mark.h>
#include <base/mutant.h>
#include <coordinator/core/partition_runtime.h>
#include <records/builder.h>
#include <records/control.h>
#include <records/reader.h>

namespace dohle::coordinator {
namespace {

constexpr std::size_t kBytesPerSlice = 256 * 1024;

// Lets everything else that is ready on this shard run first.
struct YieldShard {
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const { runtime::Executor::current()->resume_later(waiter); }
  void await_resume() const noexcept {}
};

}  // namespace

runtime::Task<void> PartitionRuntime::load() {
  auto pass = gate_.enter();
  undo_.set_recording(false);
  auto loaded = co_await load_records();
  if (state_ == State::kClosed) co_return;
  if (!loaded && !DOHLE_MUTANT("coordinator.aborted_load_complete")) {
    log::error("coordinator", "partition {} cannot be loaded: {}", partition_, loaded.error().message);
    state_ = State::kFailed;
    co_return;
  }
  become_active();
}

runtime::Task<Result<>> PartitionRuntime::load_records() {
  for (;;) {
    const std::size_t bytes = DOHLE_ODD("coordinator.small_load") ? 100 : config_.load_buffer_bytes;
    auto chunk = co_await writer_.read(partition_, next_offset_, bytes);
    if (state_ == State::kClosed) co_return Result<>{};
    if (!chunk) co_return std::unexpected(std::move(chunk).error());
    const Offset before = next_offset_;
    records::BatchCursor cursor(chunk->batches.bytes());
    std::size_t yielded_at = 0;
    for (;;) {
      DOHLE_CO_ASSIGN(auto batch, cursor.next());
      if (!batch) break;
      if (DOHLE_MUTANT("coordinator.loaded_partially") && batch->base_offset() > Offset(20)) {
        next_offset_ = batch->next_offset();
        continue;
      }
      // Its offsets lie outside of what a batch's checksum covers.
      const bool begins = next_offset_ == before;
      if ((!begins && batch->base_offset() < next_offset_) || batch->next_offset() > chunk->log_end) {
        co_return fail(Errc::kCorrupt, "a batch at offset " + std::to_string(batch->base_offset().value()) +
                                           " lies after offset " + std::to_string(next_offset_.value()));
      }
      DOHLE_CO_TRY(replay_batch(*batch));
      if (cursor.consumed() - yielded_at < kBytesPerSlice && !DOHLE_ODD("coordinator.small_slice")) continue;
      DOHLE_MARK("coordinator.load_in_slices");
      yielded_at = cursor.consumed();
      co_await YieldShard{};
      if (state_ == State::kClosed) co_return Result<>{};
    }
    if (next_offset_ == before && !chunk->batches.empty()) {
      co_return fail(Errc::kCorrupt, "no whole batch at offset " + std::to_string(before.value()));
    }
    if (next_offset_ == before) {
      // Nothing more to read; compaction may have left the end without records.
      next_offset_ = std::max(next_offset_, chunk->log_end);
      co_return Result<>{};
    }
  }
}

Result<> PartitionRuntime::replay_batch(const records::BatchView& batch) {
  const Offset from = next_offset_;
  if (batch.last_offset() < from) return {};
  if (!batch.crc_ok()) {
    DOHLE_MARK("coordinator.damaged_batch");
    return fail(Errc::kCorrupt, "batch at offset " + std::to_string(batch.base_offset().value()) + " is damaged");
  }
  const bool control = batch.is_control();
  const ProducerId transaction = batch.is_transactional() ? batch.producer_id() : kNoProducerId;
  auto replayed = records::for_each(batch, [&](const records::RecordView& record) -> Result<> {
    if (record.offset < from) return {};
    if (!record.key) return {};  // nothing of ours
    if (control) {
      DOHLE_ASSIGN(const auto type, records::decode_control_key(*record.key));
      if (type == records::ControlType::kCommit || type == records::ControlType::kAbort) {
        machine_->replay_transaction_end(batch.producer_id(), type == records::ControlType::kCommit);
      }
      return {};
    }
    return machine_->replay(
        ReplayedRecord{.offset = record.offset, .producer_id = transaction, .key = *record.key, .value = record.value},
        undo_);
  });
  if (!replayed) {
    return fail(replayed.error().code,
                "batch at offset " + std::to_string(batch.base_offset().value()) + ": " + replayed.error().message);
  }
  next_offset_ = batch.next_offset();
  return {};
}

Result<Slice> PartitionRuntime::encode(const Batch& batch) const {
  records::BatchBuilder builder({.compression = config_.compression, .leader_epoch = epoch_});
  const std::int64_t now_ms = clock_.shown_ms();
  for (const auto& record : batch.records) {
    std::optional<Bytes> value;
    if (record.value) value = Bytes(*record.value);
    builder.append(now_ms, Bytes(record.key), value);
  }
  return builder.build();
}

}  // namespace dohle::coordinator

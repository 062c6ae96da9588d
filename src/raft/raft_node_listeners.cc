// Handing committed records, snapshots and leaders to the state machines.
#include <base/check.h>
#include <fmt/format.h>
#include <records/batch.h>

#include "control_records.h"
#include "raft_node.h"

namespace dohle::raft {

namespace {
constexpr std::uint32_t kReadBytes = 1U << 20U;
}

void RaftNodeImpl::register_listener(Listener& listener) {
  feeds_.push_back({.listener = &listener});
  start_delivery();
}

void RaftNodeImpl::unregister_listener(Listener& listener) {
  for (Feed& feed : feeds_) {
    if (feed.listener == &listener) feed.listener = nullptr;
  }
}

// From the run queue, so that no listener is called from inside a call into this node.
void RaftNodeImpl::start_delivery() {
  deliver_again_ = true;
  if (std::exchange(delivering_, true)) return;
  around_.shard.executor().post([this, pass = gate_.enter()] { runtime::spawn(deliver()); });
}

runtime::Task<void> RaftNodeImpl::deliver() {
  const auto pass = gate_.enter();
  while (std::exchange(deliver_again_, false)) {
    for (Feed& feed : feeds_) {
      co_await catch_up(feed);
      if (feed.listener != nullptr) tell_leader(feed);
    }
    std::erase_if(feeds_, [](const Feed& feed) { return feed.listener == nullptr; });
  }
  delivering_ = false;
}

runtime::Task<void> RaftNodeImpl::catch_up(Feed& feed) {
  while (feed.listener != nullptr && !failed_) {
    const auto mark = core_.high_watermark();
    if (!mark || feed.next >= *mark) co_return;
    const auto latest = log_->latest_snapshot();
    if (latest && (!feed.next || *feed.next < log_->start())) {
      if (auto loaded = load_snapshot(feed, *latest); !loaded) co_return fail_stop(loaded.error());
      continue;
    }
    if (!feed.next) feed.next = Offset(0);
    DOHLE_CHECK(*feed.next >= log_->start());
    const auto bytes = co_await log_->read_bytes(*feed.next, *mark, kReadBytes);
    if (!bytes) co_return fail_stop(bytes.error());
    if (auto handed = hand_over(feed, *bytes, *mark); !handed) co_return fail_stop(handed.error());
  }
}

Result<> RaftNodeImpl::load_snapshot(Feed& feed, SnapshotId id) {
  DOHLE_ASSIGN(const auto snapshot, log_->open_snapshot(id));
  feed.next = id.offset;
  feed.listener->on_load_snapshot(*snapshot);
  return {};
}

Result<> RaftNodeImpl::hand_over(Feed& feed, Bytes batches, Offset high_watermark) {
  const Offset before = *feed.next;
  records::BatchCursor cursor(batches);
  for (;;) {
    DOHLE_ASSIGN(const auto view, cursor.next());
    if (!view || view->last_offset() >= high_watermark || feed.listener == nullptr) break;
    if (!view->crc_ok()) {
      return fail(Errc::kCorrupt, fmt::format("the metadata log is damaged at offset {}", view->base_offset().value()));
    }
    CommittedBatch batch{.base_offset = view->base_offset(),
                         .last_offset = view->last_offset(),
                         .epoch = view->leader_epoch(),
                         .append_timestamp_ms = view->max_timestamp(),
                         .size_bytes = view->size_bytes(),
                         .control = view->is_control()};
    FramedRecords framed;
    if (!batch.control) {
      DOHLE_ASSIGN(framed, read_data_batch(*view));
      batch.records = std::move(framed.records);
    }
    feed.next = view->next_offset();
    feed.listener->on_commit(batch);
  }
  if (feed.listener != nullptr && *feed.next == before) {
    return fail(Errc::kCorrupt, fmt::format("the metadata log cannot be read at offset {}", before.value()));
  }
  return {};
}

void RaftNodeImpl::tell_leader(Feed& feed) {
  const LeaderAndEpoch current = leader_and_epoch();
  if (current == feed.told) return;
  // A new leader must have seen everything that was committed before it: its own first record proves that.
  const bool leads = current.leader == config_.node_id;
  if (leads && (!feed.next || *feed.next <= core_.leading()->progress.epoch_start())) return;
  feed.told = current;
  feed.listener->on_leader_change(current);
}

}  // namespace dohle::raft

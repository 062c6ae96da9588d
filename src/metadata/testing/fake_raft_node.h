// A metadata log in memory behind the RaftNode interface: commits when told to, and loses what is not committed when
// its epoch ends. For what the real one cannot be made to do on purpose.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <base/check.h>
#include <controller/controller_messages.h>
#include <metadata/delta.h>
#include <protocol/messages/add_raft_voter_request.h>
#include <protocol/messages/add_raft_voter_response.h>
#include <protocol/messages/begin_quorum_epoch_request.h>
#include <protocol/messages/begin_quorum_epoch_response.h>
#include <protocol/messages/describe_quorum_request.h>
#include <protocol/messages/describe_quorum_response.h>
#include <protocol/messages/end_quorum_epoch_request.h>
#include <protocol/messages/end_quorum_epoch_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/fetch_snapshot_request.h>
#include <protocol/messages/fetch_snapshot_response.h>
#include <protocol/messages/remove_raft_voter_request.h>
#include <protocol/messages/remove_raft_voter_response.h>
#include <protocol/messages/update_raft_voter_request.h>
#include <protocol/messages/update_raft_voter_response.h>
#include <protocol/messages/vote_request.h>
#include <protocol/messages/vote_response.h>
#include <raft/driver.h>
#include <runtime/future.h>

namespace dohle::metadata {

class FakeRaftNode final : public raft::RaftNode {
 public:
  struct Batch {
    Offset base{0};
    LeaderEpoch epoch{0};
    std::vector<EncodedRecord> records;
    [[nodiscard]] Offset last() const { return base + static_cast<std::int64_t>(records.size()) - 1; }
  };
  bool hold_commits = false;  // appended batches wait for commit_all()
  bool refuse_appends = false;
  bool disk_is_full = false;
  std::vector<Batch> log;
  std::size_t committed = 0;  // batches

  void start() override {}
  runtime::Task<void> shutdown() override {
    lose_leadership();
    co_return;
  }
  void register_listener(raft::Listener& listener) override { listener_ = &listener; }
  void unregister_listener(raft::Listener& /*listener*/) override { listener_ = nullptr; }

  // A new epoch that this node leads; begins, as a real one does, with a control record.
  void lead() {
    epoch_ = LeaderEpoch(epoch_.value() + 1);
    leading_ = true;
    log.push_back({log_end(), epoch_, {{}}});
    control_.insert(log.back().base);
    listener_->on_leader_change({1, epoch_});
    if (!hold_commits) commit_all();
  }
  // Another node leads now; what was not committed is gone.
  void lose_leadership() {
    leading_ = false;
    log.resize(committed);
    auto waiters = std::exchange(waiters_, {});
    for (auto& [offset, promise] : waiters) promise.set(fail(Errc::kNotLeader, "The epoch ended."));
    if (listener_ != nullptr) listener_->on_leader_change({2, LeaderEpoch(epoch_.value() + 1)});
    epoch_ = LeaderEpoch(epoch_.value() + 1);
  }
  void commit_all() {
    while (committed < log.size()) {
      const Batch batch = log[committed++];
      raft::CommittedBatch out{batch.base, batch.last(), batch.epoch, 0, 100, control_.contains(batch.base), {}};
      if (!out.control) out.records.assign(batch.records.begin(), batch.records.end());
      if (listener_ != nullptr) listener_->on_commit(out);
    }
    while (!waiters_.empty() && waiters_.begin()->first < committed_end()) {
      waiters_.begin()->second.set(Result<>{});
      waiters_.erase(waiters_.begin());
    }
  }

  Result<Offset> append(LeaderEpoch epoch, std::vector<EncodedRecord> records) override {
    if (refuse_appends || !leading_ || epoch != epoch_) return fail(Errc::kNotLeader, "Not the leader.");
    log.push_back({log_end(), epoch, std::move(records)});
    const Offset last = log.back().last();
    if (!hold_commits) runtime::Executor::current()->post([this] { commit_all(); });
    return last;
  }
  runtime::Task<Result<>> wait_committed(LeaderEpoch epoch, Offset offset) override {
    if (offset < committed_end()) co_return Result<>{};
    if (!leading_ || epoch != epoch_) co_return fail(Errc::kNotLeader, "The epoch ended.");
    runtime::Promise<Result<>> promise;
    auto future = promise.future();
    waiters_.emplace(offset, std::move(promise));
    co_return co_await future;
  }
  bool short_of_space() const override { return disk_is_full; }
  void resign(LeaderEpoch epoch) override {
    if (leading_ && epoch == epoch_) lose_leadership();
  }
  Result<std::unique_ptr<raft::SnapshotWriter>> create_snapshot(raft::SnapshotId id,
                                                                std::int64_t /*timestamp*/) override {
    asked_snapshot = id;
    return std::unique_ptr<raft::SnapshotWriter>();
  }
  runtime::Task<Result<>> finish_snapshot(std::unique_ptr<raft::SnapshotWriter> /*snapshot*/) override {
    co_return Result<>{};
  }
  std::optional<raft::SnapshotId> latest_snapshot() const override { return std::nullopt; }
  raft::LeaderAndEpoch leader_and_epoch() const override { return {leading_ ? 1 : 2, epoch_}; }
  bool is_leader() const override { return leading_; }
  std::optional<Offset> high_watermark() const override { return committed_end(); }
  Offset log_start() const override { return Offset(0); }
  Offset log_end() const override { return log.empty() ? Offset(0) : log.back().last().next(); }
  raft::VoterSet voters() const override { return {}; }
  std::int16_t kraft_version() const override { return 1; }

#define DOHLE_X(name)                                                                                             \
  runtime::Task<protocol::name##Response> handle(const protocol::name##Request&, raft::RequestContext) override { \
    co_return protocol::name##Response{};                                                                         \
  }
  DOHLE_X(Fetch)
  DOHLE_X(FetchSnapshot)
  DOHLE_X(Vote)
  DOHLE_X(BeginQuorumEpoch)
  DOHLE_X(EndQuorumEpoch)
  DOHLE_X(DescribeQuorum)
  DOHLE_X(AddRaftVoter)
  DOHLE_X(RemoveRaftVoter)
  DOHLE_X(UpdateRaftVoter)
#undef DOHLE_X

  std::optional<raft::SnapshotId> asked_snapshot;

 private:
  [[nodiscard]] Offset committed_end() const { return committed == 0 ? Offset(0) : log[committed - 1].last().next(); }
  raft::Listener* listener_ = nullptr;
  LeaderEpoch epoch_{0};
  bool leading_ = false;
  std::set<Offset> control_;
  std::multimap<Offset, runtime::Promise<Result<>>> waiters_;
};

}  // namespace dohle::metadata

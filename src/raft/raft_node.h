// The implementation behind RaftNode. Split over several files by what it is about: raft_node.cc (life, election state,
// appends), raft_node_listeners.cc, raft_node_requests.cc, raft_node_calls.cc.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <raft/driver.h>
#include <raft/outbound.h>
#include <runtime/sync.h>

#include "append_queue.h"
#include "core/core.h"
#include "quorum_state_file.h"
#include "raft_log.h"

namespace dohle::raft {

class RaftNodeImpl final : public RaftNode {
 public:
  RaftNodeImpl(RaftConfig config, Surroundings around, std::unique_ptr<RaftLog> log, VoterHistory history);
  ~RaftNodeImpl() override;

  // Reads snapshot and log for voters and kraft.version; takes up the election state.
  [[nodiscard]] runtime::Task<Result<>> recover();

  void start() override;
  [[nodiscard]] runtime::Task<void> shutdown() override;
  void register_listener(Listener& listener) override;
  void unregister_listener(Listener& listener) override;
  [[nodiscard]] Result<Offset> append(LeaderEpoch epoch, std::vector<std::vector<std::uint8_t>> records) override;
  [[nodiscard]] runtime::Task<Result<>> wait_committed(LeaderEpoch epoch, Offset offset) override;
  void resign(LeaderEpoch epoch) override;
  [[nodiscard]] Result<std::unique_ptr<SnapshotWriter>> create_snapshot(
      SnapshotId id, std::int64_t last_contained_log_timestamp_ms) override;
  [[nodiscard]] runtime::Task<Result<>> finish_snapshot(std::unique_ptr<SnapshotWriter> snapshot) override;
  [[nodiscard]] std::optional<SnapshotId> latest_snapshot() const override { return log_->latest_snapshot(); }

  [[nodiscard]] LeaderAndEpoch leader_and_epoch() const override;
  [[nodiscard]] bool short_of_space() const override { return log_->door().lives_on_reserve(); }
  [[nodiscard]] bool is_leader() const override { return core_.is_leader() && led_ == core_.epoch(); }
  [[nodiscard]] std::optional<Offset> high_watermark() const override { return core_.high_watermark(); }
  [[nodiscard]] Offset log_start() const override { return log_->start(); }
  [[nodiscard]] Offset log_end() const override { return log_->end().offset; }
  [[nodiscard]] VoterSet voters() const override { return core_.history().voters(); }
  [[nodiscard]] std::int16_t kraft_version() const override { return core_.history().kraft_version(); }

  [[nodiscard]] runtime::Task<protocol::FetchResponse> handle(const protocol::FetchRequest& request,
                                                              RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::FetchSnapshotResponse> handle(const protocol::FetchSnapshotRequest& request,
                                                                      RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::VoteResponse> handle(const protocol::VoteRequest& request,
                                                             RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::BeginQuorumEpochResponse> handle(
      const protocol::BeginQuorumEpochRequest& request, RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::EndQuorumEpochResponse> handle(const protocol::EndQuorumEpochRequest& request,
                                                                       RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::DescribeQuorumResponse> handle(const protocol::DescribeQuorumRequest& request,
                                                                       RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::AddRaftVoterResponse> handle(const protocol::AddRaftVoterRequest& request,
                                                                     RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::RemoveRaftVoterResponse> handle(const protocol::RemoveRaftVoterRequest& request,
                                                                        RequestContext context) override;
  [[nodiscard]] runtime::Task<protocol::UpdateRaftVoterResponse> handle(const protocol::UpdateRaftVoterRequest& request,
                                                                        RequestContext context) override;

 private:
  // A listener and how far it has come.
  struct Feed {
    Listener* listener = nullptr;  // null once unregistered
    std::optional<Offset> next;    // empty: nothing told yet
    LeaderAndEpoch told{std::nullopt, kNoLeaderEpoch};
  };
  struct CommitWaiter {
    LeaderEpoch epoch;
    runtime::Promise<Result<>> promise;
  };

  [[nodiscard]] TimeMs now() const { return around_.shard.clock().now().ms(); }
  [[nodiscard]] std::int64_t wall_ms() const { return around_.shard.clock().wall_ms(); }

  // raft_node_requests.cc: a request that the core answers at once.
  template <typename Response, typename Request>
  runtime::Task<Response> ask_core(const Request& request, RequestContext context);

  // raft_node.cc
  // After every input to the core: saves what must be saved, takes up a won epoch, lets calls out, tells who waits.
  // When it returns, whatever the core said before the call may leave this node.
  runtime::Task<void> settle();
  runtime::Task<void> settle_detached();
  runtime::Task<bool> save_and_lead();
  Result<> begin_epoch();
  void flush_appends();
  void wait_for_space(const Error& error);
  void start_commit();
  runtime::Task<void> commit_loop();
  void publish();
  void end_epoch_waiters();
  void arm_timer(TimeMs wake);
  runtime::Task<void> clean_loop();
  void fail_stop(Error error);
  Result<> note_control_batches(Bytes batches);
  Result<> load_history_from_snapshot();

  // raft_node_listeners.cc
  void start_delivery();
  runtime::Task<void> deliver();
  runtime::Task<void> catch_up(Feed& feed);
  Result<> load_snapshot(Feed& feed, SnapshotId id);
  Result<> hand_over(Feed& feed, Bytes batches, Offset high_watermark);
  void tell_leader(Feed& feed);

  // raft_node_requests.cc
  [[nodiscard]] bool is_our_cluster(const std::optional<Text>& cluster_id) const;
  runtime::Task<protocol::FetchResponse> fetch_now(FetchCall call, std::int32_t max_bytes, RequestContext context);
  void wake_fetches();
  [[nodiscard]] std::optional<ErrorCode> not_leading() const;
  [[nodiscard]] std::optional<std::string> voters_unsettled() const;

  // raft_node_calls.cc
  void send(Outgoing out);
  [[nodiscard]] std::optional<runtime::Endpoint> address_of(NodeId to) const;
  template <typename Call>
  runtime::Task<void> call_peer(NodeId to, std::uint64_t correlation, runtime::Endpoint address, Call call);
  template <typename Reply>
  runtime::Task<void> take_reply(NodeId from, std::uint64_t correlation, const Reply& reply, Bytes records);
  runtime::Task<Result<>> follow(FollowerStep step, Offset high_watermark, Bytes records);
  runtime::Task<Result<>> append_as_follower(Bytes records, Offset high_watermark);
  runtime::Task<Result<>> store_snapshot_part(const FetchSnapshotReply& reply, Bytes bytes);

  RaftConfig config_;
  Surroundings around_;
  std::unique_ptr<RaftLog> log_;
  QuorumStateFile state_file_;
  Core core_;
  AppendQueue queue_{kMaxBatchBytes};
  LeaderEpoch led_{-1};  // the last epoch whose first batch this node wrote
  LeaderEpoch epoch_with_waiters_{-1};
  Offset published_{0};  // high watermark that was told
  bool flush_posted_ = false;
  bool committing_ = false;
  bool delivering_ = false;
  bool deliver_again_ = false;
  bool stopping_ = false;
  std::optional<Error> failed_;
  runtime::TimerId timer_ = runtime::kNoTimer;
  runtime::TimerId space_timer_ = runtime::kNoTimer;
  bool told_full_ = false;
  runtime::Mutex settling_;
  runtime::StopSource stop_;
  runtime::Gate gate_;
  std::list<Feed> feeds_;
  std::multimap<Offset, CommitWaiter> commit_waiters_;
  std::list<runtime::Promise<bool>> parked_fetches_;
  runtime::FileRef snapshot_part_;  // of the snapshot being fetched
};

}  // namespace dohle::raft

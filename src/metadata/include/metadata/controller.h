// Controller: the active controller of the cluster when this node leads the metadata quorum, and one that says
// NOT_CONTROLLER otherwise.
//
// Lives on the raft shard. A request is decided at once against the newest state, its records are replayed onto that
// state and appended; the answer leaves when they are committed and all shards of this node have them. When leadership
// ends, the state goes back to what is committed (the loader's image) and all open requests fail.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <metadata/config_validator.h>
#include <metadata/controller_channel.h>
#include <metadata/delta.h>
#include <metadata/loader.h>
#include <raft/driver.h>
#include <runtime/shard.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::metadata {

struct ControllerConfig {
  std::int32_t node_id = -1;
  std::string cluster_id;
  runtime::Duration broker_session_timeout = std::chrono::seconds(9);    // broker.session.timeout.ms
  runtime::Duration max_idle_interval = std::chrono::milliseconds(500);  // metadata.max.idle.interval.ms; 0: never
  runtime::Duration leader_imbalance_check = std::chrono::seconds(300);  // 0 without auto.leader.rebalance.enable
  runtime::Duration unclean_election_check = std::chrono::minutes(5);    // unclean.leader.election.interval.ms
  std::int32_t default_partitions = 1;                                   // num.partitions
  std::int16_t default_replication_factor = 1;                           // default.replication.factor
  bool delete_topic_enable = true;
  // Written to an empty log when there is no bootstrap snapshot; see read_bootstrap_records in storage_format.h.
  std::vector<EncodedRecord> fallback_bootstrap_records;
};

class Controller final : public LeadershipListener {
 public:
  struct Surroundings {
    runtime::Shard& shard;
    raft::RaftNode& raft;
    MetadataLoader& loader;  // the controller makes itself its leadership listener
    const ConfigValidator& validator;
  };
  // All of `around` must outlive the controller.
  Controller(ControllerConfig config, Surroundings around);
  ~Controller() override;
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  [[nodiscard]] bool is_active() const { return term_ != nullptr; }
  // Stops periodic work and waits for open requests; call after RaftNode::shutdown has let them go. The last call.
  [[nodiscard]] runtime::Task<void> close();

  // Errors are inside the answers, as Kafka puts them. Requests may view buffers that live until the answer is there.
#define DOHLE_X(name)                                                                                  \
  [[nodiscard]] runtime::Task<protocol::name##Response> handle(const protocol::name##Request& request, \
                                                               ControllerRequestContext context);
  DOHLE_CONTROLLER_MESSAGES(DOHLE_X)
#undef DOHLE_X

  void on_leader_change(const raft::LeaderAndEpoch& leader) override;

 private:
  struct Managers;
  struct Term;  // one epoch as the active controller

  void claim(LeaderEpoch epoch);
  void renounce();
  [[nodiscard]] ApiError write_activation_records();
  [[nodiscard]] std::expected<Offset, ApiError> append(std::vector<EncodedRecord> records, bool atomic);
  [[nodiscard]] ApiError append_batch(std::vector<EncodedRecord> batch);
  void note_brokers(const MetadataChanges& changes, const MetadataImage& before, Offset offset);
  [[nodiscard]] runtime::Task<ApiError> settle(std::shared_ptr<Term> term, Offset offset);
  // Decide (Term& -> Decided<T>), append, tell `appended` (Term&, const T&, end offset), wait.
  struct NothingMore {
    template <typename T>
    void operator()(Term&, const T&, Offset) const {}
  };
  template <typename T, typename Decide, typename Appended = NothingMore>
  runtime::Task<std::expected<T, ApiError>> write(Decide decide, Appended appended = {});
  void start_periodic(runtime::Duration interval, void (Controller::*task)());
  runtime::Task<void> run_periodic(runtime::Gate::Pass pass, std::shared_ptr<Term> term, runtime::Duration interval,
                                   void (Controller::*task)());
  void write_no_op();
  void fence_stale_brokers();
  void elect_preferred_leaders();
  void elect_unclean_leaders();

  ControllerConfig config_;
  runtime::Shard& shard_;
  raft::RaftNode& raft_;
  MetadataLoader& loader_;
  std::unique_ptr<Managers> managers_;
  std::shared_ptr<Term> term_;  // null on standby
  runtime::Gate gate_;
};

}  // namespace dohle::metadata

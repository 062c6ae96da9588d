// BrokerLifecycle: the broker half's ties to the controller: it registers this incarnation, sends heartbeats, becomes
// unfenced when it has caught up and the broker is ready, and leaves by a controlled shutdown. It speaks only through
// the ControllerChannel. Belongs to one shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/result.h>
#include <metadata/controller_channel.h>
#include <metadata/image.h>
#include <metadata/publisher.h>
#include <runtime/shard.h>
#include <runtime/sync.h>

namespace dohle::metadata {

struct BrokerLifecycleConfig {
  std::int32_t broker_id = -1;
  std::string cluster_id;
  Uuid incarnation_id;                   // new for every start of the process
  std::vector<EndpointImage> endpoints;  // as advertised; no controller listeners
  std::optional<std::string> rack;
  std::vector<Uuid> directories;            // directory.id of every online log directory
  std::vector<Uuid> cordoned_directories;   // cordoned.log.dirs
  std::int64_t previous_broker_epoch = -1;  // of the .kafka_cleanshutdown files; -1 after an unclean stop
  runtime::Duration heartbeat_interval = std::chrono::seconds(2);    // broker.heartbeat.interval.ms
  runtime::Duration registration_timeout = std::chrono::minutes(1);  // initial.broker.registration.timeout.ms
};

enum class BrokerState : std::uint8_t {
  kNotRunning,
  kStarting,  // registering, then catching up with the metadata log
  kRecovery,  // caught up, still fenced
  kRunning,
  kPendingControlledShutdown,  // asked to leave, leaderships are moving
  kShuttingDown,
};

class BrokerLifecycle {
 public:
  // `metadata` is that of `shard`. All must outlive the lifecycle.
  BrokerLifecycle(BrokerLifecycleConfig config, runtime::Shard& shard, ControllerChannel& channel,
                  ShardMetadata& metadata);
  ~BrokerLifecycle();
  BrokerLifecycle(const BrokerLifecycle&) = delete;
  BrokerLifecycle& operator=(const BrokerLifecycle&) = delete;

  void start();
  // Completes when this shard has seen all metadata up to the registration; the error says why the controller refuses
  // this broker (another one with its id, an unknown cluster ...) or that it did not answer in time.
  [[nodiscard]] runtime::Task<Result<>> wait_caught_up();
  // The broker can serve: from the next heartbeat on it asks to be unfenced.
  void set_ready();
  [[nodiscard]] runtime::Task<void> wait_unfenced();
  // From the heartbeat on that is sent now, the controller moves leaderships away from it.
  void report_offline_directory(const Uuid& directory);

  // Asks to leave and waits until the controller has moved all leaderships, at most `limit`. True when it has. Waits
  // for nothing when the broker never registered.
  [[nodiscard]] runtime::Task<bool> controlled_shutdown(runtime::Duration limit);
  // Ends the heartbeats. The last call.
  [[nodiscard]] runtime::Task<void> stop();

  [[nodiscard]] BrokerState state() const { return state_; }
  [[nodiscard]] std::int64_t broker_epoch() const { return broker_epoch_; }  // -1 before the registration

 private:
  runtime::Task<void> run(runtime::Gate::Pass pass);
  runtime::Task<Result<>> register_broker();
  // One heartbeat; how long to wait before the next.
  runtime::Task<runtime::Duration> heartbeat();
  [[nodiscard]] runtime::Duration heard(bool caught_up, bool fenced, bool should_shut_down);
  void send_soon();
  runtime::Task<void> pause(runtime::Duration duration);

  BrokerLifecycleConfig config_;
  runtime::Shard& shard_;
  ControllerChannel& channel_;
  ShardMetadata& metadata_;
  BrokerState state_ = BrokerState::kNotRunning;
  std::int64_t broker_epoch_ = -1;
  bool ready_ = false;
  bool stopped_ = false;
  bool send_now_ = false;  // asked for while a heartbeat was out
  bool asked_to_leave_once_ = false;
  std::vector<Uuid> offline_;
  Result<> registered_;
  runtime::Event caught_up_;
  runtime::Event unfenced_;
  runtime::Event may_leave_;
  std::unique_ptr<runtime::StopSource> pausing_;
  runtime::Gate gate_;
};

}  // namespace dohle::metadata

// ClusterControl: who belongs to the cluster: registrations of brokers and controllers, heartbeats, fencing. Sans-I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <controller/control_view.h>
#include <controller/partition_control.h>
#include <controller/record_list.h>
#include <protocol/messages/broker_heartbeat_request.h>
#include <protocol/messages/broker_heartbeat_response.h>
#include <protocol/messages/broker_registration_request.h>
#include <protocol/messages/controller_registration_request.h>

namespace dohle::metadata {

class ClusterControl {
 public:
  ClusterControl(std::string cluster_id, const PartitionControl& partitions)
      : cluster_id_(std::move(cluster_id)), partitions_(partitions) {}

  struct Registration {
    std::int64_t next_write_offset = 0;  // becomes the broker epoch of a new incarnation
    std::int16_t kraft_version = 0;
    std::int16_t request_version = 0;
    runtime::MonotonicTime now;
  };
  // The response is the broker's epoch.
  [[nodiscard]] Decided<std::int64_t> register_broker(const ControlView& view,
                                                      const protocol::BrokerRegistrationRequest& request,
                                                      const Registration& registration) const;
  [[nodiscard]] Decided<bool> unregister_broker(const ControlView& view, std::int32_t broker) const;
  [[nodiscard]] Decided<bool> register_controller(const ControlView& view,
                                                  const protocol::ControllerRegistrationRequest& request) const;

  struct HeartbeatReply {
    protocol::BrokerHeartbeatResponse response;
    bool in_controlled_shutdown = false;
  };
  // `registration_offset` is at or after the broker's registration record. Notes the outcome in `heartbeats`.
  [[nodiscard]] Decided<HeartbeatReply> heartbeat(const ControlView& view,
                                                  const protocol::BrokerHeartbeatRequest& request,
                                                  std::int64_t registration_offset, BrokerHeartbeats& heartbeats) const;
  // Fences one broker whose session has run out; true when another call may find one more.
  [[nodiscard]] bool fence_one_stale(const ControlView& view, runtime::MonotonicTime now, BrokerHeartbeats& heartbeats,
                                     RecordList& out) const;

 private:
  [[nodiscard]] ApiError check_directories(const ControlView& view,
                                           const protocol::BrokerRegistrationRequest& request) const;
  [[nodiscard]] ApiError check_features(const ControlView& view, const protocol::BrokerRegistrationRequest& request,
                                        std::int16_t kraft_version) const;
  void fence(const ControlView& view, std::int32_t broker, RecordList& out) const;
  void note_directories(const ControlView& view, const protocol::BrokerHeartbeatRequest& request,
                        RecordList& out) const;

  std::string cluster_id_;
  const PartitionControl& partitions_;
};

}  // namespace dohle::metadata

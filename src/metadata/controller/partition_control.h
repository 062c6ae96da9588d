// PartitionControl: leaders and in-sync sets of partitions that exist: what fencing, unfencing, shutdowns, offline
// directories, AlterPartition, elections and reassignments do to them. Sans-I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <controller/configuration_control.h>
#include <controller/control_view.h>
#include <controller/partition_change.h>
#include <controller/record_list.h>
#include <protocol/messages/alter_partition_reassignments_request.h>
#include <protocol/messages/alter_partition_reassignments_response.h>
#include <protocol/messages/alter_partition_request.h>
#include <protocol/messages/alter_partition_response.h>
#include <protocol/messages/assign_replicas_to_dirs_request.h>
#include <protocol/messages/assign_replicas_to_dirs_response.h>
#include <protocol/messages/elect_leaders_request.h>
#include <protocol/messages/elect_leaders_response.h>
#include <protocol/messages/list_partition_reassignments_request.h>
#include <protocol/messages/list_partition_reassignments_response.h>

namespace dohle::metadata {

// ElectionType of the protocol.
enum class ElectionType : std::int8_t { kPreferred = 0, kUnclean = 1 };

class PartitionControl {
 public:
  explicit PartitionControl(const ConfigurationControl& configs) : configs_(configs) {}

  // How a broker leaves or comes back; each walks all partitions once and appends one change per partition concerned.
  void broker_stops_leading(const ControlView& view, std::int32_t broker, RecordList& out) const;  // fenced or stopping
  void broker_may_lead(const ControlView& view, std::int32_t broker, RecordList& out) const;   // about to be unfenced
  void broker_lost_data(const ControlView& view, std::int32_t broker, RecordList& out) const;  // unclean stop, with ELR
  void broker_is_gone(const ControlView& view, std::int32_t broker, RecordList& out) const;    // unregistered
  void directory_goes_offline(const ControlView& view, std::int32_t broker, const Uuid& directory,
                              RecordList& out) const;
  [[nodiscard]] bool has_leaderships(const MetadataImage& image, std::int32_t broker) const;

  [[nodiscard]] Decided<protocol::AlterPartitionResponse> alter_partition(
      const ControlView& view, const protocol::AlterPartitionRequest& request, std::int16_t request_version) const;
  [[nodiscard]] Decided<protocol::AssignReplicasToDirsResponse> assign_replicas_to_dirs(
      const ControlView& view, const protocol::AssignReplicasToDirsRequest& request) const;
  [[nodiscard]] Decided<protocol::ElectLeadersResponse> elect_leaders(
      const ControlView& view, const protocol::ElectLeadersRequest& request) const;
  // Periodic elections of at most `limit` partitions; true when there may be more to do.
  [[nodiscard]] bool elect_preferred(const ControlView& view, std::size_t limit, RecordList& out) const;
  [[nodiscard]] bool elect_unclean(const ControlView& view, std::size_t limit, RecordList& out) const;

  [[nodiscard]] Decided<protocol::AlterPartitionReassignmentsResponse> alter_reassignments(
      const ControlView& view, const protocol::AlterPartitionReassignmentsRequest& request) const;
  [[nodiscard]] protocol::ListPartitionReassignmentsResponse list_reassignments(
      const MetadataImage& image, const protocol::ListPartitionReassignmentsRequest& request) const;

  // Of brokers named by hand; `replication_factor` 0 when any number will do.
  [[nodiscard]] static ApiError check_manual_assignment(const ControlView& view, const ReplicaIds& replicas,
                                                        std::size_t replication_factor);

 private:
  // A change of one partition as things stand; callers may override who may lead.
  [[nodiscard]] PartitionChange change(const ControlView& view, const TopicImage& topic, std::int32_t id,
                                       const PartitionRegistration& partition,
                                       std::function<bool(std::int32_t)> is_acceptable = {}) const;
  struct Update {
    std::int32_t remove = kNoLeader;     // leaves the ISR, may not lead
    std::int32_t add = kNoLeader;        // may lead although it is still fenced
    std::int32_t lost_data = kNoLeader;  // leaves ISR and ELR
  };
  using Filter = std::function<bool(const PartitionRegistration&)>;
  void update_leaders_and_isrs(const ControlView& view, const Update& update, const Filter& concerned,
                               RecordList& out) const;
  void update_one(const ControlView& view, const Update& update, const TopicImage& topic, std::int32_t id,
                  const PartitionRegistration& partition, RecordList& out) const;
  [[nodiscard]] ApiError elect_one(const ControlView& view, std::string_view topic, std::int32_t id, ElectionType type,
                                   RecordList& out) const;
  [[nodiscard]] ApiError reassign_one(const ControlView& view, std::string_view topic,
                                      const protocol::AlterPartitionReassignmentsRequest::ReassignablePartition& target,
                                      bool allow_replication_factor_change, RecordList& out) const;
  [[nodiscard]] ApiError cancel_reassignment(const ControlView& view, const TopicImage& topic, std::int32_t id,
                                             const PartitionRegistration& partition, RecordList& out) const;
  static void add_change(const ControlView& view, PartitionChange& change, RecordList& out);

  const ConfigurationControl& configs_;
};

}  // namespace dohle::metadata

// TopicControl: topics come, grow and go. Sans-I/O but for the random ids and placements.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <controller/configuration_control.h>
#include <controller/control_view.h>
#include <controller/partition_control.h>
#include <controller/record_list.h>
#include <protocol/messages/create_partitions_request.h>
#include <protocol/messages/create_partitions_response.h>
#include <protocol/messages/create_topics_request.h>
#include <protocol/messages/create_topics_response.h>
#include <protocol/messages/delete_topics_request.h>
#include <protocol/messages/delete_topics_response.h>
#include <runtime/random.h>

namespace dohle::metadata {

// Why a name is no topic name; nothing when it is one.
[[nodiscard]] std::optional<std::string> topic_name_problem(std::string_view name);

class TopicControl {
 public:
  struct Defaults {
    std::int32_t partitions = 1;
    std::int16_t replication_factor = 1;
  };
  TopicControl(const ConfigurationControl& configs, Defaults defaults, runtime::Random& random)
      : configs_(configs), defaults_(defaults), random_(random) {}

  [[nodiscard]] Decided<protocol::CreateTopicsResponse> create_topics(const ControlView& view,
                                                                      const protocol::CreateTopicsRequest& request,
                                                                      bool forwarded) const;
  [[nodiscard]] Decided<protocol::DeleteTopicsResponse> delete_topics(
      const ControlView& view, const protocol::DeleteTopicsRequest& request) const;
  [[nodiscard]] Decided<protocol::CreatePartitionsResponse> create_partitions(
      const ControlView& view, const protocol::CreatePartitionsRequest& request) const;

 private:
  using CreatableTopic = protocol::CreateTopicsRequest::CreatableTopic;
  using CreatableTopicResult = protocol::CreateTopicsResponse::CreatableTopicResult;
  struct Placement {
    ReplicaIds replicas;
    ReplicaIds isr;
  };
  using Placements = std::vector<Placement>;  // by partition, from the first new one on
  [[nodiscard]] ApiError check_name(const ControlView& view, std::string_view name) const;
  [[nodiscard]] ApiError create_topic(const ControlView& view, const CreatableTopic& topic, bool forwarded,
                                      RecordList& out, CreatableTopicResult& result) const;
  [[nodiscard]] ApiError place_by_hand(const ControlView& view, const CreatableTopic& topic, Placements& out) const;
  [[nodiscard]] ApiError place(const ControlView& view, std::int32_t partitions, std::int16_t replication_factor,
                               bool creates_topic, Placements& out) const;
  [[nodiscard]] ApiError grow_topic(const ControlView& view,
                                    const protocol::CreatePartitionsRequest::CreatePartitionsTopic& wanted,
                                    RecordList& out) const;
  void add_partition(const ControlView& view, const TopicId& topic, std::int32_t id, const Placement& placement,
                     RecordList& out) const;

  const ConfigurationControl& configs_;
  Defaults defaults_;
  runtime::Random& random_;
};

}  // namespace dohle::metadata

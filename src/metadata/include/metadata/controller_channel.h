// ControllerChannel: how everything outside the controller speaks to the active controller, in protocol messages only.
//
// In process on a combined node, over sockets otherwise; the caller cannot tell which. Usable from any shard. Requests
// may view a buffer of the calling shard: the caller keeps them and their buffer alive until the answer is there.
// Answers own their texts. An answer to a change is given when the change is committed and all shards of this node
// have it in their image.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <base/result.h>
#include <runtime/shard.h>
#include <runtime/task.h>

namespace dohle::protocol {
struct AllocateProducerIdsRequest;
struct AllocateProducerIdsResponse;
struct AlterConfigsRequest;
struct AlterConfigsResponse;
struct AlterPartitionReassignmentsRequest;
struct AlterPartitionReassignmentsResponse;
struct AlterPartitionRequest;
struct AlterPartitionResponse;
struct AssignReplicasToDirsRequest;
struct AssignReplicasToDirsResponse;
struct BrokerHeartbeatRequest;
struct BrokerHeartbeatResponse;
struct BrokerRegistrationRequest;
struct BrokerRegistrationResponse;
struct ControllerRegistrationRequest;
struct ControllerRegistrationResponse;
struct CreatePartitionsRequest;
struct CreatePartitionsResponse;
struct CreateTopicsRequest;
struct CreateTopicsResponse;
struct DeleteTopicsRequest;
struct DeleteTopicsResponse;
struct ElectLeadersRequest;
struct ElectLeadersResponse;
struct IncrementalAlterConfigsRequest;
struct IncrementalAlterConfigsResponse;
struct ListPartitionReassignmentsRequest;
struct ListPartitionReassignmentsResponse;
struct UnregisterBrokerRequest;
struct UnregisterBrokerResponse;
struct UpdateFeaturesRequest;
struct UpdateFeaturesResponse;
}  // namespace dohle::protocol

namespace dohle::metadata {

// Who asks, and in which version of the message.
struct ControllerRequestContext {
  std::int16_t api_version = 0;
  std::string principal = "User:ANONYMOUS";
  std::string client_id;
  bool forwarded = true;  // by a broker that has checked it; false when a client asked the controller itself
};

// X(message name): one overload each of ControllerChannel::send and Controller::handle.
#define DOHLE_CONTROLLER_MESSAGES(X) \
  X(AllocateProducerIds)             \
  X(AlterConfigs)                    \
  X(AlterPartition)                  \
  X(AlterPartitionReassignments)     \
  X(AssignReplicasToDirs)            \
  X(BrokerHeartbeat)                 \
  X(BrokerRegistration)              \
  X(ControllerRegistration)          \
  X(CreatePartitions)                \
  X(CreateTopics)                    \
  X(DeleteTopics)                    \
  X(ElectLeaders)                    \
  X(IncrementalAlterConfigs)         \
  X(ListPartitionReassignments)      \
  X(UnregisterBroker)                \
  X(UpdateFeatures)

class ControllerChannel {
 public:
  virtual ~ControllerChannel() = default;
  // Errors of the controller travel inside the answer, as on the wire (NOT_CONTROLLER among them); a failed Result
  // means that no controller answered: kTimedOut or kClosed.
#define DOHLE_X(name)                                                                                                \
  [[nodiscard]] virtual runtime::Task<Result<protocol::name##Response>> send(const protocol::name##Request& request, \
                                                                             ControllerRequestContext context) = 0;
  DOHLE_CONTROLLER_MESSAGES(DOHLE_X)
#undef DOHLE_X
};

class Controller;

// To the controller of this very process, which lives on `shard` and must outlive the channel's calls.
[[nodiscard]] std::unique_ptr<ControllerChannel> make_in_process_channel(runtime::Shard& shard, Controller& controller);

}  // namespace dohle::metadata

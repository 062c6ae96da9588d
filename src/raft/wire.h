// Between the protocol's messages, made for many topics and partitions and for several versions, and the core's calls.
#pragma once

#include <optional>
#include <string>

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
#include <protocol/messages/vote_request.h>
#include <protocol/messages/vote_response.h>
#include <raft/driver.h>

#include "core/messages.h"

namespace dohle::raft::wire {

[[nodiscard]] constexpr std::int16_t code(ErrorCode error) { return static_cast<std::int16_t>(error); }

// Requests name exactly the metadata partition, or nothing is returned and INVALID_REQUEST is due.
[[nodiscard]] std::optional<VoteCall> to_call(const protocol::VoteRequest& request);
[[nodiscard]] std::optional<BeginEpochCall> to_call(const protocol::BeginQuorumEpochRequest& request);
[[nodiscard]] std::optional<EndEpochCall> to_call(const protocol::EndQuorumEpochRequest& request);
[[nodiscard]] std::optional<FetchCall> to_call(const protocol::FetchRequest& request);
// Kafka checks here only that there is one partition; which one is asked with names_metadata().
[[nodiscard]] std::optional<FetchSnapshotCall> to_call(const protocol::FetchSnapshotRequest& request);
[[nodiscard]] bool names_metadata(const protocol::FetchSnapshotRequest& request);
[[nodiscard]] bool names_metadata(const protocol::DescribeQuorumRequest& request);

[[nodiscard]] protocol::VoteResponse to_response(const VoteReply& reply, const RequestContext& context);
[[nodiscard]] protocol::BeginQuorumEpochResponse to_response(const BeginEpochReply& reply,
                                                             const RequestContext& context);
[[nodiscard]] protocol::EndQuorumEpochResponse to_response(const EndEpochReply& reply, const RequestContext& context);
// Without records.
[[nodiscard]] protocol::FetchResponse to_response(const FetchReply& reply, Offset log_start,
                                                  const RequestContext& context);
// Without bytes.
[[nodiscard]] protocol::FetchSnapshotResponse to_response(const FetchSnapshotReply& reply,
                                                          const RequestContext& context);

// What goes out to others.
[[nodiscard]] protocol::VoteRequest to_request(const VoteCall& call, const std::string& cluster_id);
[[nodiscard]] protocol::BeginQuorumEpochRequest to_request(const BeginEpochCall& call, const std::string& cluster_id);
[[nodiscard]] protocol::EndQuorumEpochRequest to_request(const EndEpochCall& call, const std::string& cluster_id);
[[nodiscard]] protocol::FetchRequest to_request(const FetchCall& call, const std::string& cluster_id);
[[nodiscard]] protocol::FetchSnapshotRequest to_request(const FetchSnapshotCall& call, const std::string& cluster_id);

// What comes back; nothing when it is not about the metadata partition or failed as a whole. `listener` names the
// endpoints, which responses give without a name.
[[nodiscard]] std::optional<VoteReply> to_reply(const protocol::VoteResponse& response, const std::string& listener);
[[nodiscard]] std::optional<BeginEpochReply> to_reply(const protocol::BeginQuorumEpochResponse& response,
                                                      const std::string& listener);
[[nodiscard]] std::optional<EndEpochReply> to_reply(const protocol::EndQuorumEpochResponse& response,
                                                    const std::string& listener);
[[nodiscard]] std::optional<FetchReply> to_reply(const protocol::FetchResponse& response, const std::string& listener);
[[nodiscard]] std::optional<FetchSnapshotReply> to_reply(const protocol::FetchSnapshotResponse& response,
                                                         const std::string& listener);

}  // namespace dohle::raft::wire

#include "wire.h"

namespace dohle::raft::wire {

namespace {

// The one partition of a message that may name only the metadata partition; null otherwise.
template <typename Message>
const auto* metadata_partition(const Message& message) {
  const auto& topics = message.topics;
  const bool ours = topics.size() == 1 && topics[0].topic_name == std::string_view(kMetadataTopic) &&
                    topics[0].partitions.size() == 1 && topics[0].partitions[0].partition_index == 0;
  return ours ? &topics[0].partitions[0] : nullptr;
}

std::optional<ReplicaKey> voter_key(std::int32_t id, const Uuid& directory) {
  return id < 0 ? std::nullopt : std::optional(ReplicaKey::of(id, directory));
}

std::optional<NodeId> leader_of(std::int32_t id) { return id < 0 ? std::nullopt : std::optional(id); }

template <typename Endpoints>
std::vector<VoterEndpoint> named_endpoints(const Endpoints& endpoints) {
  std::vector<VoterEndpoint> out;
  for (const auto& endpoint : endpoints) out.push_back({endpoint.name.str(), endpoint.host.str(), endpoint.port});
  return out;
}

template <typename Endpoints>
void fill_named(Endpoints& out, const std::vector<VoterEndpoint>& endpoints) {
  for (const VoterEndpoint& endpoint : endpoints) {
    auto& at = out.emplace_back();
    at.name = endpoint.listener;
    at.host = endpoint.host;
    at.port = endpoint.port;
  }
}

// The leader's address on the listener the request came by, from `since` on.
template <typename Response>
void fill_leader_endpoint(Response& response, const ReplyHead& head, const RequestContext& context,
                          std::int16_t since) {
  if (context.version < since || !head.leader) return;
  for (const VoterEndpoint& endpoint : head.leader_endpoints) {
    if (endpoint.listener != context.listener) continue;
    auto& node = response.node_endpoints.emplace_back();
    node.node_id = *head.leader;
    node.host = endpoint.host;
    node.port = endpoint.port;
    return;
  }
}

template <typename Response>
std::vector<VoterEndpoint> leader_endpoint(const Response& response, std::optional<NodeId> leader,
                                           const std::string& listener) {
  for (const auto& node : response.node_endpoints) {
    if (node.node_id == leader && node.port >= 0 && node.port <= 0xffff) {
      return {{listener, node.host.str(), static_cast<std::uint16_t>(node.port)}};
    }
  }
  return {};
}

template <typename Response, typename Reply>
Response quorum_response(const Reply& reply, const RequestContext& context) {
  Response response;
  auto& topic = response.topics.emplace_back();
  topic.topic_name = kMetadataTopic;
  auto& partition = topic.partitions.emplace_back();
  partition.error_code = code(reply.head.error);
  partition.leader_id = reply.head.leader.value_or(-1);
  partition.leader_epoch = reply.head.epoch.value();
  fill_leader_endpoint(response, reply.head, context, 1);
  return response;
}

template <typename Response>
std::optional<ReplyHead> quorum_reply_head(const Response& response, const std::string& listener) {
  const auto* partition = metadata_partition(response);
  if (response.error_code != 0 || partition == nullptr) return std::nullopt;
  const auto leader = leader_of(partition->leader_id);
  return ReplyHead{.error = static_cast<ErrorCode>(partition->error_code),
                   .epoch = LeaderEpoch(partition->leader_epoch),
                   .leader = leader,
                   .leader_endpoints = leader_endpoint(response, leader, listener)};
}

template <typename Request>
auto& add_partition(Request& request, const std::string& cluster_id) {
  request.cluster_id = cluster_id;
  auto& topic = request.topics.emplace_back();
  topic.topic_name = kMetadataTopic;
  return topic.partitions.emplace_back();
}

}  // namespace

// ---- requests that come in

std::optional<VoteCall> to_call(const protocol::VoteRequest& request) {
  const auto* in = metadata_partition(request);
  if (in == nullptr) return std::nullopt;
  return VoteCall{.candidate = ReplicaKey::of(in->replica_id, in->replica_directory_id),
                  .epoch = LeaderEpoch(in->replica_epoch),
                  .last = {Offset(in->last_offset), LeaderEpoch(in->last_offset_epoch)},
                  .pre_vote = in->pre_vote,
                  .voter = voter_key(request.voter_id, in->voter_directory_id)};
}

std::optional<BeginEpochCall> to_call(const protocol::BeginQuorumEpochRequest& request) {
  const auto* in = metadata_partition(request);
  if (in == nullptr) return std::nullopt;
  return BeginEpochCall{.leader = in->leader_id,
                        .epoch = LeaderEpoch(in->leader_epoch),
                        .leader_endpoints = named_endpoints(request.leader_endpoints),
                        .voter = voter_key(request.voter_id, in->voter_directory_id)};
}

std::optional<EndEpochCall> to_call(const protocol::EndQuorumEpochRequest& request) {
  const auto* in = metadata_partition(request);
  if (in == nullptr) return std::nullopt;
  EndEpochCall call{.leader = in->leader_id,
                    .epoch = LeaderEpoch(in->leader_epoch),
                    .leader_endpoints = named_endpoints(request.leader_endpoints)};
  for (const auto& candidate : in->preferred_candidates) {
    call.preferred_successors.push_back(ReplicaKey::of(candidate.candidate_id, candidate.candidate_directory_id));
  }
  if (in->preferred_candidates.empty()) {
    for (const std::int32_t id : in->preferred_successors) call.preferred_successors.push_back({id, std::nullopt});
  }
  return call;
}

std::optional<FetchCall> to_call(const protocol::FetchRequest& request) {
  // As Kafka: by topic id only, which requests before version 13 do not carry.
  const bool ours = request.topics.size() == 1 && request.topics[0].topic_id == kMetadataTopicUuid &&
                    request.topics[0].partitions.size() == 1 && request.topics[0].partitions[0].partition == 0;
  if (!ours) return std::nullopt;
  const auto& in = request.topics[0].partitions[0];
  const std::int32_t replica = request.replica_id != -1 ? request.replica_id : request.replica_state.replica_id;
  return FetchCall{.replica = ReplicaKey::of(replica, in.replica_directory_id),
                   .epoch = LeaderEpoch(in.current_leader_epoch),
                   .offset = Offset(in.fetch_offset),
                   .last_fetched_epoch = LeaderEpoch(in.last_fetched_epoch),
                   .high_watermark = Offset(in.high_watermark)};
}

std::optional<FetchSnapshotCall> to_call(const protocol::FetchSnapshotRequest& request) {
  if (request.topics.size() != 1 || request.topics[0].partitions.size() != 1) return std::nullopt;
  const auto& in = request.topics[0].partitions[0];
  return FetchSnapshotCall{.replica = ReplicaKey::of(request.replica_id, in.replica_directory_id),
                           .epoch = LeaderEpoch(in.current_leader_epoch),
                           .snapshot = {Offset(in.snapshot_id.end_offset), LeaderEpoch(in.snapshot_id.epoch)},
                           .position = in.position};
}

bool names_metadata(const protocol::FetchSnapshotRequest& request) {
  return request.topics[0].name == std::string_view(kMetadataTopic) && request.topics[0].partitions[0].partition == 0;
}

bool names_metadata(const protocol::DescribeQuorumRequest& request) { return metadata_partition(request) != nullptr; }

// ---- their responses

protocol::VoteResponse to_response(const VoteReply& reply, const RequestContext& context) {
  auto response = quorum_response<protocol::VoteResponse>(reply, context);
  response.topics[0].partitions[0].vote_granted = reply.granted;
  return response;
}

protocol::BeginQuorumEpochResponse to_response(const BeginEpochReply& reply, const RequestContext& context) {
  return quorum_response<protocol::BeginQuorumEpochResponse>(reply, context);
}

protocol::EndQuorumEpochResponse to_response(const EndEpochReply& reply, const RequestContext& context) {
  return quorum_response<protocol::EndQuorumEpochResponse>(reply, context);
}

protocol::FetchResponse to_response(const FetchReply& reply, Offset log_start, const RequestContext& context) {
  protocol::FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = kMetadataTopic;
  topic.topic_id = kMetadataTopicUuid;
  auto& out = topic.partitions.emplace_back();
  out.error_code = code(reply.head.error);
  out.log_start_offset = log_start.value();
  out.high_watermark = reply.high_watermark.value();
  out.current_leader.leader_id = reply.head.leader.value_or(-1);
  out.current_leader.leader_epoch = reply.head.epoch.value();
  if (reply.diverging) {
    out.diverging_epoch.epoch = reply.diverging->epoch.value();
    out.diverging_epoch.end_offset = reply.diverging->offset.value();
  }
  if (reply.snapshot) {
    out.snapshot_id.epoch = reply.snapshot->epoch.value();
    out.snapshot_id.end_offset = reply.snapshot->offset.value();
  }
  out.records.emplace();
  fill_leader_endpoint(response, reply.head, context, 17);
  return response;
}

protocol::FetchSnapshotResponse to_response(const FetchSnapshotReply& reply, const RequestContext& context) {
  protocol::FetchSnapshotResponse response;
  auto& topic = response.topics.emplace_back();
  topic.name = kMetadataTopic;
  auto& out = topic.partitions.emplace_back();
  out.error_code = code(reply.head.error);
  out.current_leader.leader_id = reply.head.leader.value_or(-1);
  out.current_leader.leader_epoch = reply.head.epoch.value();
  out.snapshot_id.end_offset = reply.snapshot.offset.value();
  out.snapshot_id.epoch = reply.snapshot.epoch.value();
  out.size = reply.size;
  out.position = reply.position;
  fill_leader_endpoint(response, reply.head, context, 1);
  return response;
}

// ---- requests that go out

protocol::VoteRequest to_request(const VoteCall& call, const std::string& cluster_id) {
  protocol::VoteRequest request;
  auto& out = add_partition(request, cluster_id);
  out.replica_epoch = call.epoch.value();
  out.replica_id = call.candidate.id;
  out.replica_directory_id = call.candidate.directory_or_zero();
  out.last_offset_epoch = call.last.epoch.value();
  out.last_offset = call.last.offset.value();
  out.pre_vote = call.pre_vote;
  if (call.voter) {
    request.voter_id = call.voter->id;
    out.voter_directory_id = call.voter->directory_or_zero();
  }
  return request;
}

protocol::BeginQuorumEpochRequest to_request(const BeginEpochCall& call, const std::string& cluster_id) {
  protocol::BeginQuorumEpochRequest request;
  auto& out = add_partition(request, cluster_id);
  out.leader_id = call.leader;
  out.leader_epoch = call.epoch.value();
  if (call.voter) {
    request.voter_id = call.voter->id;
    out.voter_directory_id = call.voter->directory_or_zero();
  }
  fill_named(request.leader_endpoints, call.leader_endpoints);
  return request;
}

protocol::EndQuorumEpochRequest to_request(const EndEpochCall& call, const std::string& cluster_id) {
  protocol::EndQuorumEpochRequest request;
  auto& out = add_partition(request, cluster_id);
  out.leader_id = call.leader;
  out.leader_epoch = call.epoch.value();
  for (const ReplicaKey& key : call.preferred_successors) {
    out.preferred_successors.push_back(key.id);
    auto& candidate = out.preferred_candidates.emplace_back();
    candidate.candidate_id = key.id;
    candidate.candidate_directory_id = key.directory_or_zero();
  }
  fill_named(request.leader_endpoints, call.leader_endpoints);
  return request;
}

protocol::FetchRequest to_request(const FetchCall& call, const std::string& cluster_id) {
  constexpr std::int32_t kMaxWaitMs = 500;  // Kafka's KafkaRaftClient.MAX_FETCH_WAIT_MS
  protocol::FetchRequest request;
  request.cluster_id = cluster_id;
  request.replica_id = call.replica.id;
  request.replica_state.replica_id = call.replica.id;
  request.max_wait_ms = kMaxWaitMs;
  request.max_bytes = 8 << 20;
  auto& topic = request.topics.emplace_back();
  topic.topic = kMetadataTopic;
  topic.topic_id = kMetadataTopicUuid;
  auto& out = topic.partitions.emplace_back();
  out.current_leader_epoch = call.epoch.value();
  out.fetch_offset = call.offset.value();
  out.last_fetched_epoch = call.last_fetched_epoch.value();
  out.replica_directory_id = call.replica.directory_or_zero();
  out.high_watermark = call.high_watermark.value();
  return request;
}

protocol::FetchSnapshotRequest to_request(const FetchSnapshotCall& call, const std::string& cluster_id) {
  protocol::FetchSnapshotRequest request;
  request.cluster_id = cluster_id;
  request.replica_id = call.replica.id;
  request.max_bytes = 8 << 20;
  auto& topic = request.topics.emplace_back();
  topic.name = kMetadataTopic;
  auto& out = topic.partitions.emplace_back();
  out.current_leader_epoch = call.epoch.value();
  out.snapshot_id.end_offset = call.snapshot.offset.value();
  out.snapshot_id.epoch = call.snapshot.epoch.value();
  out.position = call.position;
  out.replica_directory_id = call.replica.directory_or_zero();
  return request;
}

// ---- their responses

std::optional<VoteReply> to_reply(const protocol::VoteResponse& response, const std::string& listener) {
  auto head = quorum_reply_head(response, listener);
  if (!head) return std::nullopt;
  return VoteReply{.head = std::move(*head), .granted = response.topics[0].partitions[0].vote_granted};
}

std::optional<BeginEpochReply> to_reply(const protocol::BeginQuorumEpochResponse& response,
                                        const std::string& listener) {
  auto head = quorum_reply_head(response, listener);
  return head ? std::optional(BeginEpochReply{std::move(*head)}) : std::nullopt;
}

std::optional<EndEpochReply> to_reply(const protocol::EndQuorumEpochResponse& response, const std::string& listener) {
  auto head = quorum_reply_head(response, listener);
  return head ? std::optional(EndEpochReply{std::move(*head)}) : std::nullopt;
}

std::optional<FetchReply> to_reply(const protocol::FetchResponse& response, const std::string& listener) {
  const bool ours = response.error_code == 0 && response.responses.size() == 1 &&
                    response.responses[0].topic_id == kMetadataTopicUuid &&
                    response.responses[0].partitions.size() == 1 &&
                    response.responses[0].partitions[0].partition_index == 0;
  if (!ours) return std::nullopt;
  const auto& in = response.responses[0].partitions[0];
  const auto leader = leader_of(in.current_leader.leader_id);
  FetchReply reply{.head = {.error = static_cast<ErrorCode>(in.error_code),
                            .epoch = LeaderEpoch(in.current_leader.leader_epoch),
                            .leader = leader,
                            .leader_endpoints = leader_endpoint(response, leader, listener)},
                   .high_watermark = Offset(in.high_watermark)};
  if (in.diverging_epoch.epoch >= 0) {
    reply.diverging = {Offset(in.diverging_epoch.end_offset), LeaderEpoch(in.diverging_epoch.epoch)};
  }
  if (in.snapshot_id.epoch >= 0 && in.snapshot_id.end_offset >= 0) {
    reply.snapshot = {Offset(in.snapshot_id.end_offset), LeaderEpoch(in.snapshot_id.epoch)};
  }
  return reply;
}

std::optional<FetchSnapshotReply> to_reply(const protocol::FetchSnapshotResponse& response,
                                           const std::string& listener) {
  if (response.error_code != 0 || response.topics.size() != 1 || response.topics[0].partitions.size() != 1) {
    return std::nullopt;
  }
  const auto& in = response.topics[0].partitions[0];
  const auto leader = leader_of(in.current_leader.leader_id);
  return FetchSnapshotReply{.head = {.error = static_cast<ErrorCode>(in.error_code),
                                     .epoch = LeaderEpoch(in.current_leader.leader_epoch),
                                     .leader = leader,
                                     .leader_endpoints = leader_endpoint(response, leader, listener)},
                            .snapshot = {Offset(in.snapshot_id.end_offset), LeaderEpoch(in.snapshot_id.epoch)},
                            .size = in.size,
                            .position = in.position};
}

}  // namespace dohle::raft::wire

// Requests of other voters, of observers and of tools.
#include <algorithm>

#include <fmt/format.h>
#include <protocol/messages/add_raft_voter_request.h>
#include <protocol/messages/add_raft_voter_response.h>
#include <protocol/messages/remove_raft_voter_request.h>
#include <protocol/messages/remove_raft_voter_response.h>
#include <protocol/messages/update_raft_voter_request.h>
#include <protocol/messages/update_raft_voter_response.h>

#include "raft_node.h"
#include "wire.h"

namespace dohle::raft {

using wire::code;

namespace {

template <typename Response>
Response top_level(ErrorCode error) {
  Response response;
  response.error_code = code(error);
  return response;
}

std::int64_t wall_of(TimeMs time, TimeMs now, std::int64_t wall_now_ms) {
  return time < 0 ? -1 : wall_now_ms - (now - time);
}

}  // namespace

bool RaftNodeImpl::is_our_cluster(const std::optional<Text>& cluster_id) const {
  return !cluster_id || *cluster_id == std::string_view(config_.cluster_id);
}

// ---- elections

template <typename Response, typename Request>
runtime::Task<Response> RaftNodeImpl::ask_core(const Request& request, RequestContext context) {
  if (!is_our_cluster(request.cluster_id)) co_return top_level<Response>(ErrorCode::kInconsistentClusterId);
  const auto call = wire::to_call(request);
  if (!call) co_return top_level<Response>(ErrorCode::kInvalidRequest);
  const auto reply = core_.handle(*call, now());
  co_await settle();
  if (failed_) co_return top_level<Response>(ErrorCode::kUnknownServerError);
  co_return wire::to_response(reply, context);
}

runtime::Task<protocol::VoteResponse> RaftNodeImpl::handle(const protocol::VoteRequest& request,
                                                           RequestContext context) {
  return ask_core<protocol::VoteResponse>(request, context);
}

runtime::Task<protocol::BeginQuorumEpochResponse> RaftNodeImpl::handle(const protocol::BeginQuorumEpochRequest& request,
                                                                       RequestContext context) {
  return ask_core<protocol::BeginQuorumEpochResponse>(request, context);
}

runtime::Task<protocol::EndQuorumEpochResponse> RaftNodeImpl::handle(const protocol::EndQuorumEpochRequest& request,
                                                                     RequestContext context) {
  return ask_core<protocol::EndQuorumEpochResponse>(request, context);
}

// ---- replication

runtime::Task<protocol::FetchResponse> RaftNodeImpl::handle(const protocol::FetchRequest& request,
                                                            RequestContext context) {
  using Response = protocol::FetchResponse;
  if (!is_our_cluster(request.cluster_id)) co_return top_level<Response>(ErrorCode::kInconsistentClusterId);
  const auto call = wire::to_call(request);
  if (!call) co_return top_level<Response>(ErrorCode::kInvalidRequest);
  const std::int32_t max_bytes = request.max_bytes;
  const std::int32_t max_wait_ms = request.max_wait_ms;
  if (max_wait_ms < 0) {
    const ReplyHead head{.error = ErrorCode::kInvalidRequest,
                         .epoch = core_.epoch(),
                         .leader = core_.leader(),
                         .leader_endpoints = core_.leader_endpoints()};
    co_return wire::to_response(FetchReply{.head = head}, log_->start(), context);
  }
  Response response = co_await fetch_now(*call, max_bytes, context);
  const auto& partition = response.responses[0].partitions[0];
  const bool says_something = partition.error_code != 0 || !partition.records->empty() ||
                              partition.diverging_epoch.epoch >= 0 || partition.snapshot_id.epoch >= 0 ||
                              call->high_watermark.value() < partition.high_watermark;
  if (says_something || max_wait_ms == 0 || stopping_ || failed_) co_return response;

  const auto pass = gate_.enter();
  const auto parked = parked_fetches_.emplace(parked_fetches_.end());
  const runtime::TimerId timer = around_.shard.executor().start_timer(
      std::chrono::milliseconds(max_wait_ms), [promise = *parked]() mutable { promise.try_set(false); });
  const bool woken = co_await parked->future();
  around_.shard.executor().cancel_timer(timer);
  parked_fetches_.erase(parked);
  if (!woken) co_return response;
  co_return co_await fetch_now(*call, max_bytes, context);
}

runtime::Task<protocol::FetchResponse> RaftNodeImpl::fetch_now(FetchCall call, std::int32_t max_bytes,
                                                               RequestContext context) {
  FetchReply reply = core_.handle(call, now());
  const LeaderEpoch epoch = core_.epoch();
  co_await settle();
  runtime::Fragments records;
  if (reply.head.error == ErrorCode::kNone && !reply.diverging && !reply.snapshot) {
    const auto limit = static_cast<std::uint32_t>(std::max(max_bytes, 1));
    auto read = co_await log_->read(call.offset, Offset(storage::kMaxLong), std::min(limit, kMaxFetchBytes));
    if (read) {
      records = std::move(*read);
    } else {
      reply.head.error = ErrorCode::kUnknownServerError;
    }
  }
  if (failed_) reply.head.error = ErrorCode::kUnknownServerError;
  if (core_.epoch() != epoch || (reply.head.error == ErrorCode::kNone && !core_.is_leader())) {
    reply = core_.handle(call, now());  // the epoch ended while the log was read
    co_await settle();
    records.clear();
  }
  auto response = wire::to_response(reply, log_->start(), context);
  response.responses[0].partitions[0].records = protocol::Records(std::move(records));
  co_return response;
}

void RaftNodeImpl::wake_fetches() {
  for (auto& parked : parked_fetches_) parked.try_set(true);
}

runtime::Task<protocol::FetchSnapshotResponse> RaftNodeImpl::handle(const protocol::FetchSnapshotRequest& request,
                                                                    RequestContext context) {
  using Response = protocol::FetchSnapshotResponse;
  if (!is_our_cluster(request.cluster_id)) co_return top_level<Response>(ErrorCode::kInconsistentClusterId);
  const auto call = wire::to_call(request);
  if (!call) co_return top_level<Response>(ErrorCode::kInvalidRequest);
  if (!wire::names_metadata(request)) {
    FetchSnapshotReply reply{.head = {.error = ErrorCode::kUnknownTopicOrPartition,
                                      .epoch = core_.epoch(),
                                      .leader = core_.leader(),
                                      .leader_endpoints = core_.leader_endpoints()}};
    Response response = wire::to_response(reply, context);
    response.topics[0].name = request.topics[0].name.str();
    response.topics[0].partitions[0].index = request.topics[0].partitions[0].partition;
    response.topics[0].partitions[0].current_leader = {};
    co_return response;
  }
  runtime::FileRef file;
  std::uint64_t size = 0;
  if (log_->has_snapshot(call->snapshot)) {
    if (auto opened = log_->snapshot_file(call->snapshot)) {
      file = std::move(*opened);
      size = file->size().value_or(0);
    }
  }
  const FetchSnapshotReply reply = core_.handle(*call, static_cast<std::int64_t>(size), now());
  const std::int32_t max_bytes = request.max_bytes;
  co_await settle();
  Response response = wire::to_response(reply, context);
  if (reply.head.error == ErrorCode::kNone) {
    const auto position = static_cast<std::uint64_t>(call->position);
    const auto length = std::min<std::uint64_t>(size - position, static_cast<std::uint64_t>(std::max(max_bytes, 0)));
    runtime::Fragments bytes;
    if (length > 0) bytes.emplace_back(runtime::FileRange{.file = file, .offset = position, .length = length});
    response.topics[0].partitions[0].unaligned_records = protocol::Records(std::move(bytes));
  }
  co_return response;
}

// ---- tools

runtime::Task<protocol::DescribeQuorumResponse> RaftNodeImpl::handle(const protocol::DescribeQuorumRequest& request,
                                                                     RequestContext context) {
  protocol::DescribeQuorumResponse response;
  const auto refuse = [&response](const Text& topic, std::int32_t index, ErrorCode error) {
    auto& out = response.topics.emplace_back();
    out.topic_name = topic.str();
    auto& partition = out.partitions.emplace_back();
    partition.partition_index = index;
    partition.error_code = code(error);
    partition.error_message = Text(protocol::message(error));
  };
  if (!wire::names_metadata(request)) {
    for (const auto& topic : request.topics) {
      for (const auto& partition : topic.partitions) {
        refuse(topic.topic_name, partition.partition_index, ErrorCode::kUnknownTopicOrPartition);
      }
    }
    co_return response;
  }
  if (!is_leader()) {
    refuse(Text(kMetadataTopic), 0, ErrorCode::kNotLeaderOrFollower);
    co_return response;
  }
  auto& topic = response.topics.emplace_back();
  topic.topic_name = kMetadataTopic;
  auto& out = topic.partitions.emplace_back();
  out.leader_id = config_.node_id;
  out.leader_epoch = core_.epoch().value();
  out.high_watermark = core_.high_watermark().value_or(kNoOffset).value();
  const TimeMs time = now();
  const auto state_of = [&](const ReplicaProgress& progress) {
    protocol::DescribeQuorumResponse::ReplicaState state;
    const bool self = progress.key.id == config_.node_id;
    state.replica_id = progress.key.id;
    state.log_end_offset = self ? log_->end().offset.value() : progress.end.value_or(kNoOffset).value();
    state.last_fetch_timestamp = self ? wall_ms() : wall_of(progress.last_fetch, time, wall_ms());
    state.last_caught_up_timestamp = self ? wall_ms() : wall_of(progress.last_caught_up, time, wall_ms());
    if (context.version >= 2) state.replica_directory_id = progress.key.directory_or_zero();
    return state;
  };
  for (const ReplicaProgress& voter : core_.leading()->progress.voters()) {
    out.current_voters.push_back(state_of(voter));
    if (context.version < 2) continue;
    auto& node = response.nodes.emplace_back();
    node.node_id = voter.key.id;
    for (const VoterEndpoint& endpoint : voter.endpoints) {
      auto& listener = node.listeners.emplace_back();
      listener.name = endpoint.listener;
      listener.host = endpoint.host;
      listener.port = endpoint.port;
    }
  }
  for (const ReplicaProgress& observer : core_.observers(time)) out.observers.push_back(state_of(observer));
  co_return response;
}

// ---- membership (KIP-853). A change of voters needs the network of a cluster; until then what Kafka refuses is
// refused with its codes, and what it would try ends as a time-out of the new voter.

std::optional<ErrorCode> RaftNodeImpl::not_leading() const {
  if (stopping_) return ErrorCode::kBrokerNotAvailable;
  return is_leader() ? std::nullopt : std::optional(ErrorCode::kNotLeaderOrFollower);
}

// Why the voter set may not be changed now, as far as it is a matter of waiting.
std::optional<std::string> RaftNodeImpl::voters_unsettled() const {
  const auto mark = core_.high_watermark();
  if (!mark) return "Request timed out waiting for leader to establish HWM and fence previous voter changes";
  const auto at = core_.history().voters_offset();
  if (!at || *at >= *mark) return "Request timed out waiting for voters to commit the latest voter change";
  return std::nullopt;
}

runtime::Task<protocol::AddRaftVoterResponse> RaftNodeImpl::handle(const protocol::AddRaftVoterRequest& request,
                                                                   RequestContext) {
  protocol::AddRaftVoterResponse response;
  const auto refuse = [&response](ErrorCode error, std::string why) {
    response.error_code = code(error);
    response.error_message = Text(std::move(why));
    return response;
  };
  if (!is_our_cluster(request.cluster_id)) {
    co_return refuse(ErrorCode::kInconsistentClusterId,
                     fmt::format("The given id \"{}\" doesn't match the cluster id \"{}\"", request.cluster_id->get(),
                                 config_.cluster_id));
  }
  if (const auto error = not_leading()) co_return top_level<protocol::AddRaftVoterResponse>(*error);
  if (request.voter_id < 0 || request.voter_directory_id.is_zero()) {
    co_return refuse(ErrorCode::kInvalidRequest, "Add voter request didn't include a valid voter");
  }
  const bool reachable = std::ranges::any_of(
      request.listeners, [this](const auto& at) { return at.name == std::string_view(config_.listener); });
  if (!reachable) {
    co_return refuse(
        ErrorCode::kInvalidRequest,
        fmt::format("Add voter request didn't include the endpoint for the default listener {}", config_.listener));
  }
  if (kraft_version() < 1) {
    co_return refuse(
        ErrorCode::kUnsupportedVersion,
        fmt::format("Cluster doesn't support adding voter because the kraft.version feature is {}", kraft_version()));
  }
  if (auto why = voters_unsettled()) co_return refuse(ErrorCode::kRequestTimedOut, std::move(*why));
  if (core_.history().voters().find(request.voter_id) != nullptr) {
    co_return refuse(ErrorCode::kDuplicateVoter,
                     fmt::format("The voter id {} is already part of the set of voters.", request.voter_id));
  }
  co_return refuse(ErrorCode::kRequestTimedOut,
                   fmt::format("New voter {} is not ready to receive requests", request.voter_id));
}

runtime::Task<protocol::RemoveRaftVoterResponse> RaftNodeImpl::handle(const protocol::RemoveRaftVoterRequest& request,
                                                                      RequestContext) {
  protocol::RemoveRaftVoterResponse response;
  const auto refuse = [&response](ErrorCode error, std::string why) {
    response.error_code = code(error);
    response.error_message = Text(std::move(why));
    return response;
  };
  if (!is_our_cluster(request.cluster_id)) {
    co_return refuse(ErrorCode::kInconsistentClusterId,
                     fmt::format("The given id \"{}\" doesn't match the cluster id \"{}\"", request.cluster_id->get(),
                                 config_.cluster_id));
  }
  if (const auto error = not_leading()) co_return top_level<protocol::RemoveRaftVoterResponse>(*error);
  if (request.voter_id < 0 || request.voter_directory_id.is_zero()) {
    co_return refuse(ErrorCode::kInvalidRequest, "Remove voter request didn't include a valid voter");
  }
  if (kraft_version() < 1) {
    co_return refuse(
        ErrorCode::kUnsupportedVersion,
        fmt::format("Cluster doesn't support removing voter because the kraft.version feature is {}", kraft_version()));
  }
  if (auto why = voters_unsettled()) co_return refuse(ErrorCode::kRequestTimedOut, std::move(*why));
  const VoterSet& now_voting = core_.history().voters();
  const bool known = now_voting.is_voter(ReplicaKey::of(request.voter_id, request.voter_directory_id));
  if (!known || now_voting.size() == 1) {
    co_return refuse(ErrorCode::kVoterNotFound,
                     fmt::format("Cannot remove voter {} from the set of voters", request.voter_id));
  }
  co_return refuse(ErrorCode::kUnsupportedVersion, "This release does not change the voters of a cluster");
}

runtime::Task<protocol::UpdateRaftVoterResponse> RaftNodeImpl::handle(const protocol::UpdateRaftVoterRequest& request,
                                                                      RequestContext context) {
  protocol::UpdateRaftVoterResponse response;
  const auto decide = [&]() -> ErrorCode {
    if (!is_our_cluster(request.cluster_id)) return ErrorCode::kInconsistentClusterId;
    const LeaderEpoch epoch(request.current_leader_epoch);
    if (epoch < core_.epoch()) return ErrorCode::kFencedLeaderEpoch;
    if (epoch > core_.epoch()) return ErrorCode::kUnknownLeaderEpoch;
    if (const auto error = not_leading()) return *error;
    if (request.voter_id < 0 || request.voter_directory_id.is_zero()) return ErrorCode::kInvalidRequest;
    const auto& range = request.kraft_version_feature;
    if (range.min_supported_version < 0 || range.max_supported_version < range.min_supported_version) {
      return ErrorCode::kInvalidRequest;
    }
    if (voters_unsettled() && kraft_version() >= 1) return ErrorCode::kRequestTimedOut;
    const ReplicaKey key = ReplicaKey::of(request.voter_id, request.voter_directory_id);
    if (!core_.history().voters().is_voter(key)) return ErrorCode::kVoterNotFound;
    return ErrorCode::kRequestTimedOut;  // another voter than this node: comes with the cluster
  };
  response.error_code = code(decide());
  response.current_leader.leader_id = core_.leader().value_or(-1);
  response.current_leader.leader_epoch = core_.epoch().value();
  for (const VoterEndpoint& endpoint : core_.leader_endpoints()) {
    if (endpoint.listener != context.listener) continue;
    response.current_leader.host = endpoint.host;
    response.current_leader.port = endpoint.port;
  }
  co_return response;
}

}  // namespace dohle::raft

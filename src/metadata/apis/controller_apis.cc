#include <metadata/controller_apis.h>

#include <utility>

#include <fmt/format.h>

#include <base/log.h>
#include <base/reader.h>
#include <controller/controller_messages.h>
#include <protocol/error_code.h>
#include <protocol/messages/add_raft_voter_request.h>
#include <protocol/messages/add_raft_voter_response.h>
#include <protocol/messages/begin_quorum_epoch_request.h>
#include <protocol/messages/begin_quorum_epoch_response.h>
#include <protocol/messages/default_principal_data.h>
#include <protocol/messages/describe_cluster_request.h>
#include <protocol/messages/describe_cluster_response.h>
#include <protocol/messages/describe_quorum_request.h>
#include <protocol/messages/describe_quorum_response.h>
#include <protocol/messages/end_quorum_epoch_request.h>
#include <protocol/messages/end_quorum_epoch_response.h>
#include <protocol/messages/envelope_request.h>
#include <protocol/messages/envelope_response.h>
#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>
#include <protocol/messages/fetch_snapshot_request.h>
#include <protocol/messages/fetch_snapshot_response.h>
#include <protocol/messages/remove_raft_voter_request.h>
#include <protocol/messages/remove_raft_voter_response.h>
#include <protocol/messages/update_raft_voter_request.h>
#include <protocol/messages/update_raft_voter_response.h>
#include <protocol/messages/vote_request.h>
#include <protocol/messages/vote_response.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
using protocol::Writer;

constexpr std::int8_t kControllerEndpoints = 2;  // DescribeCluster's endpoint type

template <typename Response>
Writer encode(const protocol::RequestHeader& header, const Response& response) {
  Writer writer;
  const protocol::ResponseHeader out{header.correlation_id, {}};
  out.encode(writer, header.api_key, header.api_version);
  response.encode(writer, header.api_version);
  return writer;
}

template <typename T>
Result<T> decode(const ControllerApis::Request& request) {
  Reader reader(request.body);
  return T::decode(reader, request.header.api_version);
}

std::optional<std::string> decode_principal(Bytes data) {
  Reader reader(data);
  const auto version = reader.read<std::int16_t>();
  if (!reader.ok()) return std::nullopt;
  const auto principal = protocol::DefaultPrincipalData::decode(reader, version);
  if (!principal) return std::nullopt;
  return fmt::format("{}:{}", principal->type.get(), principal->name.get());
}

// What a broker may forward: the APIs that change metadata for a client, and DescribeQuorum.
bool is_forwardable(std::int16_t key) {
  switch (key) {
    case protocol::CreateTopicsRequest::kApiKey:
    case protocol::DeleteTopicsRequest::kApiKey:
    case protocol::AlterConfigsRequest::kApiKey:
    case protocol::CreatePartitionsRequest::kApiKey:
    case protocol::ElectLeadersRequest::kApiKey:
    case protocol::IncrementalAlterConfigsRequest::kApiKey:
    case protocol::AlterPartitionReassignmentsRequest::kApiKey:
    case protocol::ListPartitionReassignmentsRequest::kApiKey:
    case protocol::DescribeQuorumRequest::kApiKey:
    case protocol::UpdateFeaturesRequest::kApiKey:
    case protocol::UnregisterBrokerRequest::kApiKey:
    case protocol::AddRaftVoterRequest::kApiKey:
    case protocol::RemoveRaftVoterRequest::kApiKey:
      return true;
    default:
      return false;
  }
}

}  // namespace

// X(message): those that go to raft.
#define DOHLE_RAFT_MESSAGES(X) \
  X(Fetch)                     \
  X(FetchSnapshot)             \
  X(Vote)                      \
  X(BeginQuorumEpoch)          \
  X(EndQuorumEpoch)            \
  X(DescribeQuorum)            \
  X(AddRaftVoter)              \
  X(RemoveRaftVoter)           \
  X(UpdateRaftVoter)

bool ControllerApis::serves(std::int16_t api_key) {
#define DOHLE_X(name) \
  if (api_key == protocol::name##Request::kApiKey) return true;
  DOHLE_CONTROLLER_MESSAGES(DOHLE_X)
  DOHLE_RAFT_MESSAGES(DOHLE_X)
#undef DOHLE_X
  return api_key == protocol::EnvelopeRequest::kApiKey || api_key == protocol::DescribeClusterRequest::kApiKey;
}

template <typename T>
runtime::Task<std::optional<Writer>> ControllerApis::to_controller(Request request) {
  const auto decoded = decode<T>(request);
  if (!decoded) co_return std::nullopt;
  ControllerRequestContext context;
  context.api_version = request.header.api_version;
  context.principal = std::move(request.principal);
  if (request.header.client_id) context.client_id = request.header.client_id->str();
  context.forwarded = request.forwarded;
  const auto response = co_await around_.controller.handle(*decoded, std::move(context));
  co_return encode(request.header, response);
}

template <typename T>
runtime::Task<std::optional<Writer>> ControllerApis::to_raft(Request request) {
  const auto decoded = decode<T>(request);
  if (!decoded) co_return std::nullopt;
  const auto response = co_await around_.raft.handle(*decoded, {request.header.api_version, request.listener});
  co_return encode(request.header, response);
}

runtime::Task<std::optional<Writer>> ControllerApis::handle(Request request) {
  const std::int16_t key = request.header.api_key;
#define DOHLE_X(name)                          \
  if (key == protocol::name##Request::kApiKey) \
    co_return co_await to_controller<protocol::name##Request>(std::move(request));
  DOHLE_CONTROLLER_MESSAGES(DOHLE_X)
#undef DOHLE_X
#define DOHLE_X(name) \
  if (key == protocol::name##Request::kApiKey) co_return co_await to_raft<protocol::name##Request>(std::move(request));
  DOHLE_RAFT_MESSAGES(DOHLE_X)
#undef DOHLE_X
  if (key == protocol::EnvelopeRequest::kApiKey) co_return co_await envelope(std::move(request));
  if (key == protocol::DescribeClusterRequest::kApiKey) co_return describe_cluster(request);
  co_return std::nullopt;
}

runtime::Task<std::optional<Writer>> ControllerApis::envelope(Request request) {
  const auto decoded = decode<protocol::EnvelopeRequest>(request);
  if (!decoded) co_return std::nullopt;
  protocol::EnvelopeResponse response;
  response.response_data.reset();
  const auto fail_with = [&](ErrorCode code) {
    response.error_code = number(code);
    return std::optional(encode(request.header, response));
  };
  // The forwarding broker looks for another controller when the envelope itself says so.
  if (!around_.controller.is_active()) co_return fail_with(ErrorCode::kNotController);
  Request inner;
  if (decoded->request_principal) {
    auto principal = decode_principal(decoded->request_principal->get());
    if (!principal) co_return fail_with(ErrorCode::kPrincipalDeserializationFailure);
    inner.principal = std::move(*principal);
  }
  Reader reader(decoded->request_data.get());
  auto header = protocol::RequestHeader::decode(reader);
  if (!header || !is_forwardable(header->api_key)) co_return fail_with(ErrorCode::kInvalidRequest);
  inner.header = std::move(*header);
  inner.body = reader.rest();
  inner.listener = request.listener;
  inner.forwarded = true;
  auto answer = co_await handle(std::move(inner));
  if (!answer) co_return fail_with(ErrorCode::kInvalidRequest);
  response.response_data = Blob::copy_of(answer->bytes());
  co_return encode(request.header, response);
}

std::optional<Writer> ControllerApis::describe_cluster(const Request& request) const {
  const auto decoded = decode<protocol::DescribeClusterRequest>(request);
  if (!decoded) return std::nullopt;
  protocol::DescribeClusterResponse response;
  response.endpoint_type = decoded->endpoint_type;
  if (request.header.api_version == 0 || decoded->endpoint_type != kControllerEndpoints) {
    response.error_code = number(ErrorCode::kMismatchedEndpointType);
    response.error_message = "The request was sent to an endpoint of the wrong type: this one is a controller.";
    return encode(request.header, response);
  }
  response.cluster_id = cluster_id_;
  response.controller_id = around_.raft.leader_and_epoch().leader.value_or(-1);
  for (const auto& [id, controller] : around_.loader.image()->cluster().controllers) {
    for (const EndpointImage& endpoint : controller->endpoints) {
      if (endpoint.listener != request.listener) continue;
      auto& node = response.brokers.emplace_back();
      node.broker_id = id;
      node.host = endpoint.host;
      node.port = endpoint.port;
      node.rack.reset();
    }
  }
  return encode(request.header, response);
}

}  // namespace dohle::metadata

// DescribeCluster (60): the brokers, for admin clients (KIP-700, KIP-919, KIP-1073).
#include <protocol/messages/describe_cluster_request.h>
#include <protocol/messages/describe_cluster_response.h>

#include "handlers/authorized_operations.h"
#include "handlers/handlers.h"

namespace dohle::broker {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using protocol::ErrorCode;

constexpr std::int8_t kBrokerEndpoints = 1;
constexpr std::int8_t kControllerEndpoints = 2;

}  // namespace

Answer<DescribeClusterResponse> handle_describe_cluster(RequestContext& ctx, const DescribeClusterRequest& request) {
  DescribeClusterResponse out;
  if (request.endpoint_type != kBrokerEndpoints) {
    const bool known = request.endpoint_type == kControllerEndpoints;
    out.error_code = number(known ? ErrorCode::kMismatchedEndpointType : ErrorCode::kUnsupportedEndpointType);
    out.error_message = Text(known ? "This is a broker: ask a controller for controller endpoints"
                                   : "Endpoint type is neither broker (1) nor controller (2)");
    out.endpoint_type = kBrokerEndpoints;
    co_return out;
  }
  const auto image = ctx.here.image();
  out.endpoint_type = kBrokerEndpoints;
  out.cluster_id = Text(ctx.broker.cluster_id());
  std::vector<std::int32_t> alive;
  for (const auto& [id, broker] : image->cluster().brokers) {
    const auto* endpoint = broker->endpoint(ctx.listener());
    if (endpoint == nullptr || (broker->fenced && !request.include_fenced_brokers)) continue;
    const auto [host, port] = ctx.broker.advertised(id, *endpoint, ctx.local());
    auto& row = out.brokers.emplace_back();
    row.broker_id = id;
    row.host = host;
    row.port = port;
    row.is_fenced = broker->fenced;
    if (broker->rack) row.rack = Text(*broker->rack);
    if (!broker->fenced) alive.push_back(id);
  }
  if (!alive.empty()) out.controller_id = alive[ctx.here.shard().random().below(alive.size())];
  if (request.include_cluster_authorized_operations) out.cluster_authorized_operations = kAllClusterOperations;
  co_return out;
}

}  // namespace dohle::broker

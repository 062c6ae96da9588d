// ApiVersions (18): what this listener serves, and the cluster's features.
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>

#include "dispatch/api_versions.h"
#include "dispatch/handler_table.h"
#include "handlers/handlers.h"

namespace dohle::broker {

Answer<protocol::ApiVersionsResponse> handle_api_versions(RequestContext& ctx,
                                                          const protocol::ApiVersionsRequest& request) {
  ctx.request.connection().client_software_name = request.client_software_name.str();
  ctx.request.connection().client_software_version = request.client_software_version.str();
  std::vector<AnnouncedApi> apis;
  for (const auto& row : handler_table()) apis.push_back({row.api_key, row.announced_min_version, row.max_version});
  const auto image = ctx.here.image();
  co_return describe_api_versions(
      request, ctx.version(),
      {.cluster_id = ctx.broker.cluster_id(), .node_id = ctx.broker.id().value(), .image = *image}, apis);
}

}  // namespace dohle::broker

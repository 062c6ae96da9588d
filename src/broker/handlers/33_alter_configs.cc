// AlterConfigs (33): replaces everything that is set on a resource. Superseded by IncrementalAlterConfigs.
#include <protocol/messages/alter_configs_request.h>
#include <protocol/messages/alter_configs_response.h>

#include "handlers/alter_configs.h"

namespace dohle::broker {

Answer<protocol::AlterConfigsResponse> handle_alter_configs(RequestContext& ctx,
                                                            const protocol::AlterConfigsRequest& request) {
  return alter_configs(ctx, request, false);
}

}  // namespace dohle::broker

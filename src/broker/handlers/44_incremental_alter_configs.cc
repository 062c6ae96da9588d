// IncrementalAlterConfigs (44): sets, deletes, appends to and subtracts from single settings (KIP-339), log levels
// among them (KIP-412).
#include <protocol/messages/incremental_alter_configs_request.h>
#include <protocol/messages/incremental_alter_configs_response.h>

#include "handlers/alter_configs.h"

namespace dohle::broker {

Answer<protocol::IncrementalAlterConfigsResponse> handle_incremental_alter_configs(
    RequestContext& ctx, const protocol::IncrementalAlterConfigsRequest& request) {
  return alter_configs(ctx, request, true);
}

}  // namespace dohle::broker

// Heartbeat (12): a member's sign of life.
#include "handlers/group_request.h"

namespace dohle::broker {

Answer<protocol::HeartbeatResponse> handle_heartbeat(RequestContext& ctx, const protocol::HeartbeatRequest& request) {
  return ask_coordinator(ctx, request, &coordinator::GroupRouter::heartbeat);
}

}  // namespace dohle::broker

// SyncGroup (14): the leader brings the assignment of a generation, the others wait for it.
#include "handlers/group_request.h"

namespace dohle::broker {

Answer<protocol::SyncGroupResponse> handle_sync_group(RequestContext& ctx, const protocol::SyncGroupRequest& request) {
  return ask_coordinator(ctx, request, &coordinator::GroupRouter::sync_group);
}

}  // namespace dohle::broker

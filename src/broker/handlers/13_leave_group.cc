// LeaveGroup (13): members leave, or are removed by an administrator.
#include "handlers/group_request.h"

namespace dohle::broker {

Answer<protocol::LeaveGroupResponse> handle_leave_group(RequestContext& ctx,
                                                        const protocol::LeaveGroupRequest& request) {
  return ask_coordinator(ctx, request, &coordinator::GroupRouter::leave_group);
}

}  // namespace dohle::broker

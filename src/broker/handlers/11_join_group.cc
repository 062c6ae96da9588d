// JoinGroup (11): becomes, or stays, a member of a classic group. Parked while the group rebalances.
#include "handlers/group_request.h"

namespace dohle::broker {

Answer<protocol::JoinGroupResponse> handle_join_group(RequestContext& ctx, const protocol::JoinGroupRequest& request) {
  return ask_coordinator(ctx, request, &coordinator::GroupRouter::join_group);
}

}  // namespace dohle::broker

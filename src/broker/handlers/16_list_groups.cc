// ListGroups (16): the groups this broker coordinates, by state and type.
#include "handlers/group_request.h"

namespace dohle::broker {

Answer<protocol::ListGroupsResponse> handle_list_groups(RequestContext& ctx,
                                                        const protocol::ListGroupsRequest& request) {
  return ask_coordinator(ctx, request, &coordinator::GroupRouter::list_groups);
}

}  // namespace dohle::broker

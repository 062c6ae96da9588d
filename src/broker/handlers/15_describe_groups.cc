// DescribeGroups (15): state, protocol and members of classic groups.
#include <protocol/messages/describe_groups_request.h>

#include "handlers/authorized_operations.h"
#include "handlers/group_request.h"

namespace dohle::broker {
Answer<protocol::DescribeGroupsResponse> handle_describe_groups(RequestContext& ctx,
                                                                const protocol::DescribeGroupsRequest& request) {
  std::vector<std::string> group_ids;
  for (const auto& group : request.groups) group_ids.push_back(group.str());
  protocol::DescribeGroupsResponse response;
  response.groups = co_await groups(ctx).describe_groups(group_context(ctx), std::move(group_ids));
  if (ctx.version() >= 3 && request.include_authorized_operations) {
    for (auto& group : response.groups) {
      if (group.error_code == 0) group.authorized_operations = kAllGroupOperations;
    }
  }
  co_return response;
}

}  // namespace dohle::broker

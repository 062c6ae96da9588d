// DeleteGroups (42): deletes empty groups and their offsets.
#include <set>

#include <protocol/messages/delete_groups_request.h>

#include "handlers/group_request.h"

namespace dohle::broker {

Answer<protocol::DeleteGroupsResponse> handle_delete_groups(RequestContext& ctx,
                                                            const protocol::DeleteGroupsRequest& request) {
  std::vector<std::string> group_ids;
  std::set<std::string_view> seen;
  for (const auto& group : request.groups_names) {
    if (seen.insert(group.get()).second) group_ids.push_back(group.str());
  }
  protocol::DeleteGroupsResponse response;
  response.results = co_await groups(ctx).delete_groups(group_context(ctx), std::move(group_ids));
  co_return response;
}

}  // namespace dohle::broker

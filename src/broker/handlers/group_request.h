// What the handlers of group requests share.
#pragma once

#include <utility>

#include <coordinator/group/request_context.h>

#include "groups/client_host.h"
#include "groups/shard_groups.h"
#include "handlers/handlers.h"

namespace dohle::broker {

[[nodiscard]] inline coordinator::RequestContext group_context(const RequestContext& ctx) {
  return {.client_id = std::string(ctx.client_id()),
          .client_host = client_host(ctx.peer().host),
          .api_version = ctx.version()};
}

[[nodiscard]] inline coordinator::GroupRouter& groups(RequestContext& ctx) { return ctx.here.groups().router(); }

// Requests that the coordinator answers as it finds them. `Response` is what the handler returns.
template <typename Response, typename Request>
Answer<Response> ask_coordinator(
    RequestContext& ctx, const Request& request,
    runtime::Task<Response> (coordinator::GroupRouter::*method)(coordinator::RequestContext, const Request&)) {
  co_return co_await (groups(ctx).*method)(group_context(ctx), request);
}

}  // namespace dohle::broker

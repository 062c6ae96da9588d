// Admin requests that the controller decides: passed on as they are, answered when every shard has the outcome.
// CreateTopics and CreatePartitions also wait for the logs, so that a Produce right after finds them; what was deleted
// is not seen any more once the metadata is there, and its directories go in their own time.
#pragma once

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include <base/log.h>
#include <metadata/controller_channel.h>
#include <protocol/error_code.h>
#include <protocol/messages/delete_topics_request.h>

#include "handlers/handlers.h"
#include "shard/settled.h"

namespace dohle::broker {

inline constexpr std::chrono::seconds kSettleLimit{1};

// `refuse(error)` makes the answer for the case that no controller could be reached.
template <typename Request, typename Refuse>
Answer<typename Request::Response> forward_to_controller(RequestContext& ctx, const Request& request, Refuse refuse) {
  constexpr bool kMakesLogs = !std::is_same_v<Request, protocol::DeleteTopicsRequest>;
  auto answer = co_await ctx.broker.controller().send(
      request, {.api_version = ctx.version(), .client_id = std::string(ctx.client_id())});
  if (answer) {
    // Every shard has the metadata; logs are made off the shards.
    if constexpr (kMakesLogs) co_await settled_everywhere(ctx.here, kSettleLimit);
    co_return std::move(*answer);
  }
  log::warn("broker", "The controller did not answer {}: {}", Request::kName, answer.error().message);
  co_return refuse(answer.error().code == Errc::kTimedOut ? protocol::ErrorCode::kRequestTimedOut
                                                          : protocol::ErrorCode::kNotController);
}

}  // namespace dohle::broker

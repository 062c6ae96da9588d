// Admin requests that the controller decides: passed on as they are, answered when every shard has the outcome.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <base/log.h>
#include <metadata/controller_channel.h>
#include <protocol/error_code.h>

#include "handlers/handlers.h"
#include "shard/settled.h"

namespace dohle::broker {

inline constexpr std::chrono::seconds kSettleLimit{1};

enum class AnswerOnce : std::uint8_t {
  kKnown,      // to every shard; what was deleted is not seen any more then, and its directories go in their own time
  kCarriedOut  // there: a Produce right after finds its log, and settings are in force
};

// `refuse(error)` makes the answer for the case that no controller could be reached.
template <typename Request, typename Refuse>
Answer<typename Request::Response> forward_to_controller(RequestContext& ctx, const Request& request, AnswerOnce once,
                                                         Refuse refuse) {
  auto answer = co_await ctx.broker.controller().send(
      request, {.api_version = ctx.version(), .client_id = std::string(ctx.client_id())});
  if (answer) {
    if (once == AnswerOnce::kCarriedOut) co_await settled_everywhere(ctx.here, kSettleLimit);
    co_return std::move(*answer);
  }
  log::warn("broker", "The controller did not answer {}: {}", Request::kName, answer.error().message);
  co_return refuse(answer.error().code == Errc::kTimedOut ? protocol::ErrorCode::kRequestTimedOut
                                                          : protocol::ErrorCode::kNotController);
}

}  // namespace dohle::broker

// What AlterConfigs (33) and IncrementalAlterConfigs (44) do before the controller is asked: refuse what is malformed
// or what this broker's own settings do not allow, and pass on the rest.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <broker/config/alter.h>

#include "handlers/config_resources.h"
#include "handlers/controller_forwarding.h"

namespace dohle::broker {

using ResourceKey = std::pair<std::int8_t, std::string>;

// Kafka's answer to one resource; without an error it is for the controller to decide, unless `done`.
struct Screened {
  std::optional<ConfigError> error;
  bool done = false;
};

// The change itself: well-formed operations, in order. `incremental` lays them over what is stored.
[[nodiscard]] Screened screen_resource(RequestContext& ctx, std::int8_t type, std::string_view name,
                                       const std::vector<config::Alteration>& alterations, bool incremental,
                                       bool validate_only);

[[nodiscard]] std::vector<config::Alteration> alterations_of(const auto& resource) {
  std::vector<config::Alteration> out;
  for (const auto& change : resource.configs) {
    auto& alteration = out.emplace_back();
    alteration.name = change.name;
    if constexpr (requires { change.config_operation; }) {
      alteration.operation = static_cast<config::AlterOperation>(change.config_operation);
    }
    if (change.value) alteration.value = change.value->get();
  }
  return out;
}

template <typename Request>
Answer<typename Request::Response> alter_configs(RequestContext& ctx, const Request& request, bool incremental) {
  using protocol::ErrorCode;
  std::map<ResourceKey, int> seen;
  for (const auto& resource : request.resources) ++seen[{resource.resource_type, resource.resource_name.str()}];
  std::vector<Screened> screened;
  Request rest;
  rest.validate_only = request.validate_only;
  for (const auto& resource : request.resources) {
    if (seen[{resource.resource_type, resource.resource_name.str()}] > 1) {
      screened.push_back({ConfigError{ErrorCode::kInvalidRequest, "each resource may appear once"}});
      continue;
    }
    screened.push_back(screen_resource(ctx, resource.resource_type, resource.resource_name, alterations_of(resource),
                                       incremental, request.validate_only));
    if (!screened.back().error && !screened.back().done) rest.resources.push_back(resource);
  }
  std::map<ResourceKey, ConfigError> decided;
  if (!rest.resources.empty()) {
    const auto answer = co_await forward_to_controller(ctx, rest, AnswerOnce::kCarriedOut, [&rest](ErrorCode error) {
      typename Request::Response refused;
      for (const auto& resource : rest.resources) {
        auto& row = refused.responses.emplace_back();
        row.error_code = number(error);
        row.resource_type = resource.resource_type;
        row.resource_name = resource.resource_name;
      }
      return refused;
    });
    for (const auto& row : answer->responses) {
      auto& outcome = decided[{row.resource_type, row.resource_name.str()}];
      outcome.code = static_cast<ErrorCode>(row.error_code);
      if (row.error_message) outcome.message = row.error_message->str();
    }
  }
  typename Request::Response out;
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    auto& row = out.responses.emplace_back();
    row.resource_type = request.resources[i].resource_type;
    row.resource_name = request.resources[i].resource_name;
    ConfigError outcome{ErrorCode::kNone, std::nullopt};
    if (screened[i].error) {
      outcome = *screened[i].error;
    } else if (!screened[i].done) {
      const auto at = decided.find({row.resource_type, row.resource_name.str()});
      outcome = at == decided.end() ? ConfigError{ErrorCode::kUnknownServerError, std::nullopt} : at->second;
    }
    row.error_code = number(outcome.code);
    row.error_message = outcome.message ? std::optional<Text>(Text(*outcome.message)) : std::nullopt;
  }
  co_return out;
}

}  // namespace dohle::broker

// ListConfigResources (74): what there is that has settings (KIP-1142; version 0 lists client-metrics only, KIP-714).
#include <algorithm>
#include <array>

#include <protocol/messages/list_config_resources_request.h>
#include <protocol/messages/list_config_resources_response.h>

#include "handlers/handlers.h"

namespace dohle::broker {
namespace {

using metadata::ConfigResourceType;
using protocol::ListConfigResourcesRequest;
using protocol::ListConfigResourcesResponse;

constexpr std::array kTypes = {ConfigResourceType::kGroup, ConfigResourceType::kClientMetrics,
                               ConfigResourceType::kBrokerLogger, ConfigResourceType::kBroker,
                               ConfigResourceType::kTopic};

std::vector<std::string> names(RequestContext& ctx, ConfigResourceType type) {
  const auto& image = *ctx.here.image();
  std::vector<std::string> out;
  switch (type) {
    case ConfigResourceType::kTopic:
      for (const auto& [name, topic] : image.topics().by_name()) out.push_back(name);
      break;
    case ConfigResourceType::kBroker:
    case ConfigResourceType::kBrokerLogger:
      for (const auto& [id, broker] : image.cluster().brokers) {
        if (!broker->fenced && broker->endpoint(ctx.listener()) != nullptr) out.push_back(std::to_string(id));
      }
      break;
    default:
      for (const auto& [resource, values] : image.configs().all()) {
        if (resource.type == type) out.push_back(resource.name);
      }
  }
  return out;
}

}  // namespace

Answer<ListConfigResourcesResponse> handle_list_config_resources(RequestContext& ctx,
                                                                 const ListConfigResourcesRequest& request) {
  ListConfigResourcesResponse out;
  const auto asked = [&](ConfigResourceType type) {
    if (ctx.version() == 0) return type == ConfigResourceType::kClientMetrics;
    return request.resource_types.empty() ||
           std::ranges::find(request.resource_types, static_cast<std::int8_t>(type)) != request.resource_types.end();
  };
  for (const auto type : request.resource_types) {
    if (std::ranges::find(kTypes, static_cast<ConfigResourceType>(type)) == kTypes.end()) {
      out.error_code = number(protocol::ErrorCode::kUnsupportedVersion);
      co_return out;
    }
  }
  for (const auto type : kTypes) {
    if (!asked(type)) continue;
    for (auto& name : names(ctx, type)) {
      auto& row = out.config_resources.emplace_back();
      row.resource_name = Text(std::move(name));
      row.resource_type = static_cast<std::int8_t>(type);
    }
  }
  co_return out;
}

}  // namespace dohle::broker

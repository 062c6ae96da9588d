// DescribeConfigs (32): what settings are, and where each comes from.
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include <base/log.h>
#include <base/topic_name.h>
#include <broker/config/describe.h>
#include <protocol/error_map.h>
#include <protocol/messages/describe_configs_request.h>
#include <protocol/messages/describe_configs_response.h>

#include "handlers/config_resources.h"
#include "handlers/handlers.h"

namespace dohle::broker {
namespace {

using config::DescribedConfig;
using metadata::ConfigResourceType;
using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using Resource = DescribeConfigsRequest::DescribeConfigsResource;
using ResourceResult = DescribeConfigsResponse::DescribeConfigsResult;
using Described = std::expected<std::vector<DescribedConfig>, ConfigError>;

Described from(Result<std::vector<DescribedConfig>> configs) {
  if (configs) return std::move(*configs);
  return std::unexpected(ConfigError{ErrorCode::kInvalidConfig, configs.error().message});
}

Described describe_topic(RequestContext& ctx, std::string_view name) {
  if (auto valid = validate_topic_name(name); !valid) {
    return std::unexpected(ConfigError{ErrorCode::kInvalidTopicException, valid.error().message});
  }
  const auto& image = *ctx.here.image();
  if (image.topics().find(name) == nullptr) {
    return std::unexpected(ConfigError{ErrorCode::kUnknownTopicOrPartition, std::nullopt});
  }
  return from(config::describe_topic(current_config(ctx), image.configs().of(ConfigResourceType::kTopic, name)));
}

Described describe_broker(RequestContext& ctx, std::string_view name) {
  if (name.empty()) return config::describe_cluster_default(current_config(ctx));
  if (auto error = not_this_broker(ctx, name)) return std::unexpected(std::move(*error));
  return config::describe_broker(current_config(ctx));
}

Described describe_loggers(RequestContext& ctx, std::string_view name) {
  if (name.empty()) return std::unexpected(ConfigError{ErrorCode::kInvalidRequest, "a broker must be named"});
  if (auto error = not_this_broker(ctx, name)) return std::unexpected(std::move(*error));
  std::vector<DescribedConfig> out;
  for (const auto& [module, level] : log::levels()) {
    DescribedConfig& logger = out.emplace_back();
    logger.name = module;
    logger.value = std::string(level_name(level));
    logger.source = config::Source::kDynamicBrokerLogger;
  }
  return out;
}

Described describe(RequestContext& ctx, const Resource& resource) {
  const std::string_view name = resource.resource_name;
  const auto& configs = ctx.here.image()->configs();
  const auto unnamed = [](std::string_view what) {
    return std::unexpected(ConfigError{ErrorCode::kInvalidRequest, fmt::format("a {} must be named", what)});
  };
  switch (static_cast<ConfigResourceType>(resource.resource_type)) {
    case ConfigResourceType::kTopic:
      return describe_topic(ctx, name);
    case ConfigResourceType::kBroker:
      return describe_broker(ctx, name);
    case ConfigResourceType::kBrokerLogger:
      return describe_loggers(ctx, name);
    case ConfigResourceType::kClientMetrics:
      if (name.empty()) return unnamed("subscription");
      return from(config::describe_client_metrics(configs.of(ConfigResourceType::kClientMetrics, name)));
    case ConfigResourceType::kGroup:
      if (name.empty()) return unnamed("group");
      return from(config::describe_group(current_config(ctx), configs.of(ConfigResourceType::kGroup, name)));
    default:
      return std::unexpected(ConfigError{ErrorCode::kInvalidRequest,
                                         fmt::format("resource type {} is not known", resource.resource_type)});
  }
}

std::optional<Text> text(const std::optional<std::string>& value) {
  return value ? std::optional<Text>(Text(*value)) : std::nullopt;
}

DescribeConfigsResponse::DescribeConfigsResourceResult to_row(const DescribedConfig& config,
                                                              const DescribeConfigsRequest& request) {
  DescribeConfigsResponse::DescribeConfigsResourceResult row;
  row.name = Text(config.name);
  row.value = text(config.value);
  row.read_only = config.read_only;
  row.config_source = static_cast<std::int8_t>(config.source);
  row.is_sensitive = config.sensitive;
  row.config_type = static_cast<std::int8_t>(config.type);
  row.documentation = request.include_documentation ? text(config.documentation) : std::nullopt;
  if (!request.include_synonyms) return row;
  for (const auto& synonym : config.synonyms) {
    auto& out = row.synonyms.emplace_back();
    out.name = Text(synonym.name);
    out.value = text(synonym.value);
    out.source = static_cast<std::int8_t>(synonym.source);
  }
  return row;
}

bool wanted(const Resource& resource, std::string_view name) {
  if (!resource.configuration_keys || resource.configuration_keys->empty()) return true;
  return std::ranges::any_of(*resource.configuration_keys, [&](const Text& key) { return key == name; });
}

}  // namespace

Answer<DescribeConfigsResponse> handle_describe_configs(RequestContext& ctx, const DescribeConfigsRequest& request) {
  DescribeConfigsResponse out;
  for (const auto& resource : request.resources) {
    ResourceResult& result = out.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    const Described described = describe(ctx, resource);
    if (!described) {
      result.error_code = number(described.error().code);
      if (described.error().message) result.error_message = Text(*described.error().message);
      continue;
    }
    for (const auto& config : *described) {
      if (wanted(resource, config.name)) result.configs.push_back(to_row(config, request));
    }
  }
  co_return out;
}

}  // namespace dohle::broker

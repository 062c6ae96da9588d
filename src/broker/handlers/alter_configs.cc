#include "handlers/alter_configs.h"

#include <algorithm>

#include <fmt/format.h>

namespace dohle::broker {
namespace {

using config::Alteration;
using config::AlterOperation;
using metadata::ConfigResourceType;
using protocol::ErrorCode;

ConfigError invalid(std::string message) { return {ErrorCode::kInvalidRequest, std::move(message)}; }

std::optional<ConfigError> malformed(const std::vector<Alteration>& alterations) {
  std::set<std::string_view> names;
  for (const auto& alteration : alterations) {
    if (!names.insert(alteration.name).second)
      return invalid(fmt::format("configuration {} appears more than once", alteration.name));
  }
  for (const auto& alteration : alterations) {
    if (alteration.operation != AlterOperation::kDelete && !alteration.value) {
      return invalid(fmt::format("configuration {} must have a value", alteration.name));
    }
  }
  return std::nullopt;
}

bool known(AlterOperation operation) {
  return operation >= AlterOperation::kSet && operation <= AlterOperation::kSubtract;
}

std::optional<ConfigError> check_broker(RequestContext& ctx, std::string_view name,
                                        const std::vector<Alteration>& alterations, bool incremental) {
  if (!name.empty()) {
    if (auto error = not_this_broker(ctx, name)) return error;
  }
  if (!std::ranges::all_of(alterations, known, &Alteration::operation)) return invalid("an operation is not known");
  const config::NodeConfig node = current_config(ctx);
  config::TextMap values;
  if (incremental) values = name.empty() ? node.cluster() : node.broker();
  if (auto applied = config::apply_alterations(config::Table::kServer, alterations, values); !applied)
    return to_config_error(applied.error());
  if (auto valid = config::validate_broker(node, values, !name.empty()); !valid) return to_config_error(valid.error());
  return std::nullopt;
}

std::optional<ConfigError> change_level(const Alteration& alteration, bool validate_only) {
  if (alteration.operation != AlterOperation::kSet && alteration.operation != AlterOperation::kDelete) {
    return invalid("a log level can be set or deleted only");
  }
  const auto modules = log::levels();
  if (std::ranges::find(modules, alteration.name, &std::pair<std::string, log::Level>::first) == modules.end()) {
    return ConfigError{ErrorCode::kInvalidConfig, fmt::format("there is no logger {}", alteration.name)};
  }
  if (alteration.operation == AlterOperation::kDelete) {
    if (!validate_only) log::reset_level(alteration.name);
    return std::nullopt;
  }
  const auto level = level_named(*alteration.value);
  if (!level) {
    return ConfigError{
        ErrorCode::kInvalidConfig,
        fmt::format("'{}' is not a log level; allowed is TRACE, DEBUG, INFO, WARN, ERROR or FATAL", *alteration.value)};
  }
  if (!validate_only) log::set_level(alteration.name, *level);
  return std::nullopt;
}

// Levels are this process's own: nothing is stored.
Screened change_levels(RequestContext& ctx, std::string_view name, const std::vector<Alteration>& alterations,
                       bool validate_only) {
  if (auto error = not_this_broker(ctx, name)) return {std::move(error)};
  for (const auto& alteration : alterations) {
    if (auto error = change_level(alteration, true)) return {std::move(error)};
  }
  for (const auto& alteration : alterations) {
    if (!validate_only) (void)change_level(alteration, false);
  }
  return {.error = std::nullopt, .done = true};
}

}  // namespace

Screened screen_resource(RequestContext& ctx, std::int8_t type, std::string_view name,
                         const std::vector<Alteration>& alterations, bool incremental, bool validate_only) {
  if (auto error = malformed(alterations)) return {std::move(error)};
  switch (static_cast<ConfigResourceType>(type)) {
    case ConfigResourceType::kBroker:
      return {check_broker(ctx, name, alterations, incremental)};
    case ConfigResourceType::kTopic:
    case ConfigResourceType::kClientMetrics:
    case ConfigResourceType::kGroup:
      // Kafka has no error for this: it fails while it passes the resource on.
      if (!std::ranges::all_of(alterations, known, &Alteration::operation)) {
        return {ConfigError{ErrorCode::kUnknownServerError, std::nullopt}};
      }
      return {};
    case ConfigResourceType::kBrokerLogger:
      if (incremental) return change_levels(ctx, name, alterations, validate_only);
      [[fallthrough]];
    default:
      return {invalid(fmt::format("resource type {} is not known", type))};
  }
}

}  // namespace dohle::broker

#include "handlers/config_resources.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

struct LevelName {
  log::Level level;
  std::string_view name;
};
constexpr std::array<LevelName, 6> kLevels = {{{log::Level::kTrace, "TRACE"},
                                               {log::Level::kDebug, "DEBUG"},
                                               {log::Level::kInfo, "INFO"},
                                               {log::Level::kWarn, "WARN"},
                                               {log::Level::kError, "ERROR"},
                                               {log::Level::kOff, "FATAL"}}};

}  // namespace

config::NodeConfig current_config(RequestContext& ctx) {
  using metadata::ConfigResourceType;
  const auto& configs = ctx.here.image()->configs();
  return ctx.broker.config().with_dynamic(
      configs.of(ConfigResourceType::kBroker, ""),
      configs.of(ConfigResourceType::kBroker, std::to_string(ctx.broker.id().value())));
}

std::optional<ConfigError> not_this_broker(RequestContext& ctx, std::string_view name) {
  using protocol::ErrorCode;
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) {
    return ConfigError{ErrorCode::kInvalidRequest, fmt::format("a broker is named by its number, not '{}'", name)};
  }
  if (id == ctx.broker.id().value()) return std::nullopt;
  return ConfigError{ErrorCode::kInvalidRequest, fmt::format("this is broker {}, not {}", ctx.broker.id().value(), id)};
}

ConfigError to_config_error(const Error& error) {
  return {
      error.code == Errc::kInvalidConfig ? protocol::ErrorCode::kInvalidConfig : protocol::ErrorCode::kInvalidRequest,
      error.message};
}

std::string_view level_name(log::Level level) {
  for (const auto& row : kLevels) {
    if (row.level == level) return row.name;
  }
  return "INFO";
}

std::optional<log::Level> level_named(std::string_view name) {
  for (const auto& row : kLevels) {
    if (row.name == name) return row.level;
  }
  return std::nullopt;
}

}  // namespace dohle::broker

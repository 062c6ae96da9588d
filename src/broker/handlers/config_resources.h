// What the handlers of configurations (32, 33, 44, 74) share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <base/log.h>
#include <broker/config/node_config.h>
#include <protocol/error_code.h>

#include "dispatch/request_context.h"

namespace dohle::broker {

struct ConfigError {
  protocol::ErrorCode code = protocol::ErrorCode::kInvalidRequest;
  std::optional<std::string> message;
};

// The node's settings with what the metadata of this moment lays over them.
[[nodiscard]] config::NodeConfig current_config(RequestContext& ctx);
// Why `name` is not this broker's number.
[[nodiscard]] std::optional<ConfigError> not_this_broker(RequestContext& ctx, std::string_view name);
// Errors of broker/config as Kafka names them.
[[nodiscard]] ConfigError to_config_error(const Error& error);
// Log levels by Kafka's names; FATAL stands for nothing at all.
[[nodiscard]] std::string_view level_name(log::Level level);
[[nodiscard]] std::optional<log::Level> level_named(std::string_view name);

}  // namespace dohle::broker

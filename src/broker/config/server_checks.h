// What must hold across several settings of a node.
#pragma once

#include <base/result.h>
#include <broker/config/server_config.h>

namespace dohle::broker::config {

[[nodiscard]] Result<> check_across(const ServerConfig& config);

}  // namespace dohle::broker::config

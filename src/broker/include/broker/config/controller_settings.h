// What the controller must know about settings: broker/config behind metadata's interface.
#pragma once

#include <memory>

#include <broker/config/server_config.h>
#include <metadata/config_validator.h>

namespace dohle::broker::config {

// A pure function of the static configuration; belongs to the controller's shard.
[[nodiscard]] std::unique_ptr<metadata::ConfigValidator> make_config_validator(ServerConfig server);

}  // namespace dohle::broker::config

// What of server.properties the handlers use.
#pragma once

#include <string_view>

#include <broker/config/server_config.h>

#include "shard/auto_topic_creator.h"
#include "shard/broker.h"

namespace dohle::broker {

[[nodiscard]] RequestSettings request_settings(const config::ServerConfig& server);
// How an internal topic is made on first use; nothing special for others.
[[nodiscard]] InternalTopicShape topic_shape(const config::ServerConfig& server, std::string_view topic);

}  // namespace dohle::broker

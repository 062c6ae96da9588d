// A single node's settings and its formatted directories.
#pragma once

#include <string>

#include <broker/config/server_config.h>
#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/random.h>

namespace dohle::broker {

// `overrides` go over those of a broker and controller with free ports and its data in `directory`.
[[nodiscard]] config::TextMap single_node(const std::string& directory, std::size_t shards, config::TextMap overrides);
void format_node(runtime::FileSystem& files, runtime::Random& random, const runtime::Clock& clock,
                 const config::ServerConfig& config);

}  // namespace dohle::broker

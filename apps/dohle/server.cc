// dohle server, kafka-server-start.sh: a node from server.properties.
#include <cstdio>
#include <utility>

#include <base/log.h>
#include <broker/config/properties.h>
#include <broker/config/server_config.h>
#include <runtime/live/system.h>

#include "dohle/command.h"
#include "dohle/server_process.h"

namespace dohle::app {
namespace {

constexpr const char* kUsage =
    "USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*\n\n"
    "Starts a broker, a controller or both, as process.roles says. Format the log directories first with\n"
    "kafka-storage.sh. LOG_LEVEL (info, debug, warn, ...) and LOG_FORMAT (text, json) set the log on standard error.\n";

Result<broker::config::ServerConfig> read_config(const Arguments& arguments) {
  const auto files = runtime::make_system_files();
  auto text = runtime::read_file(*files, arguments.front());
  if (!text) return fail(text.error().code, "cannot read " + arguments.front() + ": " + text.error().message);
  auto properties = broker::config::parse_properties(*text);
  if (!properties) return fail(properties.error().code, arguments.front() + ": " + properties.error().message);
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    if (arguments[i] != "--override" || i + 1 == arguments.size()) {
      return fail(Errc::kInvalidConfig, "expected --override property=value, found '" + arguments[i] + "'");
    }
    DOHLE_TRY(broker::config::apply_override(*properties, arguments[i + 1]));
  }
  auto config = broker::config::ServerConfig::from(std::move(*properties));
  if (!config) return fail(config.error().code, arguments.front() + ": " + config.error().message);
  DOHLE_TRY(broker::config::check_served(*config));
  return config;
}

}  // namespace

int run_server(const Arguments& arguments) {
  if (arguments.empty() || arguments.front() == "--help") {
    std::fputs(kUsage, arguments.empty() ? stderr : stdout);
    return arguments.empty() ? kExitFailure : 0;
  }
  configure_log_from_environment();
  auto config = read_config(arguments);
  if (!config) {
    std::fprintf(stderr, "dohle: %s\n", config.error().message.c_str());
    return kExitFailure;
  }
  for (const auto& warning : config->warnings()) log::warn("config", "{}", warning);
  for (const auto& setting : config->changed_settings()) log::info("config", "{}", setting);
  return run_server_process({.config = std::move(*config)});
}

}  // namespace dohle::app

#include <cstdlib>
#include <string_view>

#include <base/log.h>

#include "dohle/command.h"

namespace dohle::app {
namespace {

log::Level level_of(std::string_view name) {
  if (name == "trace") return log::Level::kTrace;
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  if (name == "off") return log::Level::kOff;
  return log::Level::kInfo;
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

std::string temporary_path(std::string_view name) {
  const std::string_view base = variable("TMPDIR");
  return std::string(base.empty() ? "/tmp" : base).append("/").append(name);
}

// LOG_LEVEL=info,storage=debug and LOG_FORMAT=json.
void configure_log_from_environment() {
  std::string_view levels = variable("LOG_LEVEL");
  const auto next = [&levels] {
    const auto comma = levels.find(',');
    const auto item = levels.substr(0, comma);
    levels = comma == std::string_view::npos ? std::string_view() : levels.substr(comma + 1);
    return item;
  };
  const bool general_first = levels.find('=') == std::string_view::npos || levels.find(',') < levels.find('=');
  const auto format = variable("LOG_FORMAT") == "json" ? log::Format::kJson : log::Format::kText;
  log::configure(general_first ? level_of(next()) : log::Level::kInfo, format);
  while (!levels.empty()) {
    const auto item = next();
    const auto equals = item.find('=');
    if (equals != std::string_view::npos) log::set_level(item.substr(0, equals), level_of(item.substr(equals + 1)));
  }
}

}  // namespace dohle::app

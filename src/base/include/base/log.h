// Logging: a line an event, with the module that says it. Levels are set by module; text or JSON.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace dohle::log {

enum class Level : unsigned char { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class Format : unsigned char { kText, kJson };

// To standard error. Called once, before any shard starts; without it, warnings and errors go out as text.
void configure(Level level, Format format);
// Level of one module ("storage", "raft" ...). From any thread.
void set_level(std::string_view module, Level level);
// Back to the level of configure().
void reset_level(std::string_view module);
// Every module that has said something or was given a level, sorted. From any thread.
[[nodiscard]] std::vector<std::pair<std::string, Level>> levels();
[[nodiscard]] bool enabled(std::string_view module, Level level);
void write(std::string_view module, Level level, std::string_view message);

template <typename... Args>
void at(Level level, std::string_view module, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(module, level)) write(module, level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(std::string_view module, fmt::format_string<Args...> format, Args&&... args) {
  at(Level::kDebug, module, format, std::forward<Args>(args)...);
}
template <typename... Args>
void info(std::string_view module, fmt::format_string<Args...> format, Args&&... args) {
  at(Level::kInfo, module, format, std::forward<Args>(args)...);
}
template <typename... Args>
void warn(std::string_view module, fmt::format_string<Args...> format, Args&&... args) {
  at(Level::kWarn, module, format, std::forward<Args>(args)...);
}
template <typename... Args>
void error(std::string_view module, fmt::format_string<Args...> format, Args&&... args) {
  at(Level::kError, module, format, std::forward<Args>(args)...);
}

}  // namespace dohle::log

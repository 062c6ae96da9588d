#include <base/log.h>

#include <map>
#include <memory>
#include <mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace dohle::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

Level from_spdlog(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return Level::kTrace;
    case spdlog::level::debug:
      return Level::kDebug;
    case spdlog::level::info:
      return Level::kInfo;
    case spdlog::level::warn:
      return Level::kWarn;
    case spdlog::level::err:
      return Level::kError;
    default:
      return Level::kOff;
  }
}

// One spdlog logger a module, all on one sink.
class Loggers {
 public:
  void configure(Level level, Format format) {
    const std::lock_guard lock(mutex_);
    default_ = level;
    json_ = format == Format::kJson;
    loggers_.clear();
  }
  void set_level(std::string_view module, Level level) { find(module)->set_level(to_spdlog(level)); }
  void reset_level(std::string_view module) { find(module)->set_level(to_spdlog(default_)); }
  [[nodiscard]] std::vector<std::pair<std::string, Level>> levels() {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, Level>> out;
    for (const auto& [name, logger] : loggers_) out.emplace_back(name, from_spdlog(logger->level()));
    return out;
  }
  std::shared_ptr<spdlog::logger> find(std::string_view module) {
    const std::lock_guard lock(mutex_);
    if (auto at = loggers_.find(module); at != loggers_.end()) return at->second;
    auto logger = std::make_shared<spdlog::logger>(std::string(module), sink_);
    logger->set_level(to_spdlog(default_));
    logger->set_pattern(json_ ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","module":"%n","message":"%v"})"
                              : "[%Y-%m-%d %H:%M:%S,%e] %^%l%$ %n: %v");
    logger->flush_on(spdlog::level::info);
    return loggers_.emplace(std::string(module), std::move(logger)).first->second;
  }
  [[nodiscard]] bool json() const { return json_; }

 private:
  std::mutex mutex_;
  Level default_ = Level::kWarn;
  bool json_ = false;
  std::shared_ptr<spdlog::sinks::stderr_sink_mt> sink_ = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  std::map<std::string, std::shared_ptr<spdlog::logger>, std::less<>> loggers_;
};

Loggers& loggers() {
  static Loggers all;
  return all;
}

std::string escape_json(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

void configure(Level level, Format format) { loggers().configure(level, format); }
void set_level(std::string_view module, Level level) { loggers().set_level(module, level); }
void reset_level(std::string_view module) { loggers().reset_level(module); }
std::vector<std::pair<std::string, Level>> levels() { return loggers().levels(); }
bool enabled(std::string_view module, Level level) { return loggers().find(module)->should_log(to_spdlog(level)); }

void write(std::string_view module, Level level, std::string_view message) {
  loggers().find(module)->log(to_spdlog(level), "{}", loggers().json() ? escape_json(message) : std::string(message));
}

}  // namespace dohle::log

// What a node says about its configuration when it starts.
#include <algorithm>

#include <fmt/format.h>

#include <broker/config/server_config.h>

namespace dohle::broker::config {
namespace {

// Prefixes whose keys belong to plug-ins or to clients made inside the node.
bool passed_on(std::string_view key) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"config.providers.", "rsm.config.", "rlmm.config.",
                                                                     "sasl.jaas.config", "metric.reporters.", "ssl."},
                             [&](std::string_view prefix) { return key.starts_with(prefix); });
}

}  // namespace

std::optional<std::string_view> without_listener_prefix(std::string_view key) {
  constexpr std::string_view kPrefix = "listener.name.";
  if (!key.starts_with(kPrefix)) return std::nullopt;
  key.remove_prefix(kPrefix.size());
  const auto dot = key.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return key.substr(dot + 1);
}

std::vector<std::string> ServerConfig::warnings() const {
  std::vector<std::string> out;
  std::vector<std::string_view> later;
  std::vector<std::string_view> moot;
  for (const auto& [key, text] : originals_) {
    const std::string_view base = without_listener_prefix(key).value_or(key);
    const Setting* setting = find_setting(Table::kServer, base);
    if (setting == nullptr) {
      if (!passed_on(base)) out.push_back(fmt::format("configuration {} is not known and is ignored", key));
      continue;
    }
    // What says the default anyway is not worth a line.
    const auto given = parse_value(*setting, text);
    const auto standard = default_value(*setting);
    if (given && standard && *given == *standard) continue;
    if (setting->effect == Effect::kLater) later.push_back(key);
    if (setting->effect == Effect::kMoot) moot.push_back(key);
  }
  if (!later.empty()) out.push_back(fmt::format("accepted, but without effect yet: {}", fmt::join(later, ", ")));
  if (!moot.empty()) {
    out.push_back(
        fmt::format("accepted, but without effect, for they tune what Dohle does not have: {}", fmt::join(moot, ", ")));
  }
  const auto interval_ms = values_.get_int("broker.heartbeat.interval.ms");
  const auto session_ms = values_.get_int("broker.session.timeout.ms");
  if (std::int64_t{interval_ms} * 2 > session_ms) {
    out.push_back(
        fmt::format("broker.heartbeat.interval.ms ({}) is more than half of broker.session.timeout.ms ({}): brokers "
                    "may lose their lease",
                    interval_ms, session_ms));
  }
  if (!controller_ && controller_listener_names().size() > 1) {
    out.push_back(fmt::format("only the first of controller.listener.names is used by a broker: {}",
                              controller_listener_names().front()));
  }
  return out;
}

std::vector<std::string> ServerConfig::changed_settings() const {
  std::vector<std::string> out;
  for (const Setting& setting : settings(Table::kServer)) {
    const Value& value = values_.get(setting.name);
    const auto standard = default_value(setting);
    if ((standard && value == *standard) || setting.name == "broker.id") continue;  // broker.id repeats node.id
    out.push_back(
        fmt::format("{}={}", setting.name, setting.sensitive() ? "(hidden)" : to_text(value).value_or("null")));
  }
  return out;
}

Result<> check_served(const ServerConfig& config) {
  for (const auto& endpoint : config.listeners()) {
    if (endpoint.protocol != SecurityProtocol::kPlaintext) {
      return fail(Errc::kUnsupported, fmt::format("listener {} asks for {}; only PLAINTEXT is served yet",
                                                  endpoint.listener, to_string(endpoint.protocol)));
    }
  }
  if (const auto& authorizer = config.values().get_string("authorizer.class.name"); !authorizer.empty()) {
    return fail(
        Errc::kUnsupported,
        fmt::format("authorizer.class.name is {}, but access control is not served yet; remove it to start without",
                    authorizer));
  }
  return {};
}

}  // namespace dohle::broker::config

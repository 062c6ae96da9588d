#include "config/server_checks.h"

#include <algorithm>

#include <fmt/format.h>

namespace dohle::broker::config {
namespace {

std::unexpected<Error> no(std::string sentence) { return fail(Errc::kInvalidConfig, std::move(sentence)); }

std::string names(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> out;
  for (const auto& endpoint : endpoints) out.push_back(endpoint.listener);
  return fmt::format("{}", fmt::join(out, ", "));
}

bool has(const std::vector<Endpoint>& endpoints, std::string_view listener) {
  return std::ranges::find(endpoints, listener, &Endpoint::listener) != endpoints.end();
}

Result<> check_log(const ServerConfig& config) {
  const Values& v = config.values();
  if (v.get_int("node.id") != v.get_int("broker.id")) {
    return no(fmt::format("node.id is {} and broker.id is {}; they must be the same, and node.id alone is enough",
                          v.get_int("node.id"), v.get_int("broker.id")));
  }
  if (config.log_roll_ms() < 1)
    return no(
        fmt::format("'{}' for configuration log.roll.ms is not allowed; allowed is at least 1", config.log_roll_ms()));
  if (config.log_roll_jitter_ms() < 0) {
    return no(fmt::format("'{}' for configuration log.roll.jitter.ms is not allowed; allowed is at least 0",
                          config.log_roll_jitter_ms()));
  }
  if (config.log_retention_ms() == 0) {
    return no("'0' for configuration log.retention.ms is not allowed; allowed is -1 for no limit, or at least 1");
  }
  if (config.log_dirs().empty()) return no("log.dirs and log.dir name no directory; allowed is at least one");
  if (v.get_long("log.cleaner.dedupe.buffer.size") / v.get_int("log.cleaner.threads") <= 1024 * 1024) {
    return no(
        fmt::format("'{}' for configuration log.cleaner.dedupe.buffer.size is not allowed; allowed is more than "
                    "1048576 for each of the {} log.cleaner.threads",
                    v.get_long("log.cleaner.dedupe.buffer.size"), v.get_int("log.cleaner.threads")));
  }
  return {};
}

Result<> check_limits(const ServerConfig& config) {
  const Values& v = config.values();
  const auto wait_ms = v.get_int("replica.fetch.wait.max.ms");
  for (const std::string_view limit : {"replica.socket.timeout.ms", "replica.lag.time.max.ms"}) {
    if (wait_ms > *v.find_integer(limit)) {
      return no(fmt::format(
          "'{}' for configuration replica.fetch.wait.max.ms is not allowed; allowed is at most {}, which is {}",
          wait_ms, limit, *v.find_integer(limit)));
    }
  }
  const auto queued = v.get_long("queued.max.request.bytes");
  if (queued > 0 && queued < v.get_int("socket.request.max.bytes")) {
    return no(
        fmt::format("'{}' for configuration queued.max.request.bytes is not allowed; allowed is at least "
                    "socket.request.max.bytes, which is {}",
                    queued, v.get_int("socket.request.max.bytes")));
  }
  if (v.get_int("max.connections.per.ip") == 0 && v.get_string("max.connections.per.ip.overrides").empty()) {
    return no("'0' for configuration max.connections.per.ip is only allowed with max.connections.per.ip.overrides");
  }
  const auto idle_ms = v.get_long("connections.max.idle.ms");
  const auto delay_ms = v.get_int("connection.failed.authentication.delay.ms");
  if (idle_ms >= 0 && delay_ms >= idle_ms) {
    return no(
        fmt::format("'{}' for configuration connection.failed.authentication.delay.ms is not allowed; allowed is less "
                    "than connections.max.idle.ms, which is {}",
                    delay_ms, idle_ms));
  }
  if (!contains(v.get_list("group.coordinator.rebalance.protocols"), "classic")) {
    return no("configuration group.coordinator.rebalance.protocols must hold classic");
  }
  return {};
}

Result<> check_connection_overrides(const ServerConfig& config) {
  constexpr std::string_view kKey = "max.connections.per.ip.overrides";
  for (const auto& item : split_list(config.values().get_string(kKey))) {
    const auto colon = item.rfind(':');
    const auto digits = colon == std::string::npos ? std::string() : item.substr(colon + 1);
    const bool number =
        !digits.empty() && digits.size() < 10 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (colon == 0 || !number)
      return no(fmt::format("'{}' for configuration {} is not allowed; allowed is address:count", item, kKey));
  }
  return {};
}

Result<> check_quorum(const ServerConfig& config) {
  if (config.voters().empty() && config.quorum_bootstrap_servers().empty()) {
    return no(
        "neither controller.quorum.bootstrap.servers nor controller.quorum.voters names a controller; one of them "
        "must");
  }
  const bool voter = config.voters().contains(config.node_id());
  if (config.is_controller() && !config.voters().empty() && !voter) {
    return no(fmt::format("node.id {} is not in controller.quorum.voters, but process.roles holds controller",
                          config.node_id()));
  }
  if (!config.is_controller() && voter) {
    return no(fmt::format("node.id {} is in controller.quorum.voters, but process.roles does not hold controller",
                          config.node_id()));
  }
  if (!config.is_controller() && config.values().get_bool("controller.quorum.auto.join.enable")) {
    return no(
        "'true' for configuration controller.quorum.auto.join.enable is only allowed when process.roles holds "
        "controller");
  }
  return {};
}

Result<> check_controller_listeners(const ServerConfig& config) {
  const auto& controller_names = config.controller_listener_names();
  if (!config.is_controller()) {
    if (controller_names.empty()) return no("configuration controller.listener.names must name at least one listener");
    for (const auto& name : controller_names) {
      if (has(config.listeners(), name)) {
        return no(fmt::format(
            "'{}' is in listeners and in controller.listener.names, but process.roles does not hold controller", name));
      }
      if (!config.protocol_map().contains(upper(name))) {
        return no(
            fmt::format("'{}' in controller.listener.names has no protocol in listener.security.protocol.map", name));
      }
    }
    return {};
  }
  if (config.advertised_controller_listeners().empty()) {
    return no("controller.listener.names must hold a name that is in listeners when process.roles holds controller");
  }
  for (const auto& name : controller_names) {
    if (!has(config.listeners(), name)) {
      return no(fmt::format("'{}' in controller.listener.names is not allowed; allowed are the names in listeners: {}",
                            name, names(config.listeners())));
    }
  }
  if (!config.is_broker()) {
    if (config.advertised_controller_listeners().size() != config.listeners().size()) {
      return no("listeners may hold only names from controller.listener.names when process.roles is controller");
    }
    if (!config.values().is_null("inter.broker.listener.name") &&
        contains(controller_names, config.inter_broker_listener())) {
      return no("controller.listener.names must not hold inter.broker.listener.name when process.roles is controller");
    }
  }
  return {};
}

Result<> check_broker_listeners(const ServerConfig& config) {
  const auto& advertised = config.advertised_broker_listeners();
  if (config.is_broker()) {
    if (advertised.empty())
      return no("a broker needs a listener that is advertised and not in controller.listener.names");
    if (!has(advertised, config.inter_broker_listener())) {
      return no(fmt::format(
          "'{}' for configuration inter.broker.listener.name is not allowed; allowed are the advertised listeners: {}",
          config.inter_broker_listener(), names(advertised)));
    }
    for (const auto& endpoint : advertised) {
      if (!has(config.listeners(), endpoint.listener)) {
        return no(fmt::format("'{}' in advertised.listeners is not allowed; allowed are the names in listeners: {}",
                              endpoint.listener, names(config.listeners())));
      }
    }
  }
  const auto meta = [](const Endpoint& e) { return e.host == "0.0.0.0"; };
  if (std::ranges::any_of(advertised, meta) || std::ranges::any_of(config.advertised_controller_listeners(), meta)) {
    return no(
        "advertised.listeners must not hold 0.0.0.0, which nobody can connect to; set it to an address clients can "
        "reach");
  }
  return {};
}

Result<> check_cordoned(const ServerConfig& config) {
  const auto& cordoned = config.values().get_list("cordoned.log.dirs");
  if (!config.is_broker()) return {};
  if (contains(cordoned, "*")) {
    if (cordoned.size() > 1) return no("configuration cordoned.log.dirs holds * and other names; allowed is * alone");
    return {};
  }
  for (const auto& dir : cordoned) {
    if (!contains(config.log_dirs(), dir)) {
      return no(fmt::format(
          "'{}' in configuration cordoned.log.dirs is not allowed; allowed are the directories in log.dirs", dir));
    }
  }
  return {};
}

}  // namespace

Result<> check_across(const ServerConfig& config) {
  DOHLE_TRY(check_log(config));
  DOHLE_TRY(check_limits(config));
  DOHLE_TRY(check_connection_overrides(config));
  DOHLE_TRY(check_quorum(config));
  DOHLE_TRY(check_controller_listeners(config));
  DOHLE_TRY(check_broker_listeners(config));
  return check_cordoned(config);
}

}  // namespace dohle::broker::config

#include <broker/config/server_config.h>

#include <algorithm>

#include <fmt/format.h>

#include "config/server_checks.h"

namespace dohle::broker::config {
namespace {

constexpr std::string_view kNodeId = "node.id";
constexpr std::string_view kBrokerId = "broker.id";

// node.id and broker.id stand for each other.
void fill_synonyms(TextMap& properties) {
  const auto node = properties.find(kNodeId);
  const auto broker = properties.find(kBrokerId);
  if (node == properties.end() && broker != properties.end()) properties.emplace(kNodeId, broker->second);
  if (node != properties.end() && broker == properties.end()) properties.emplace(kBrokerId, node->second);
}

bool encrypted_or_authenticated(std::string_view name) {
  const auto protocol = security_protocol(name);
  return protocol && *protocol != SecurityProtocol::kPlaintext;
}

}  // namespace

Result<ServerConfig> ServerConfig::from(TextMap properties) {
  fill_synonyms(properties);
  DOHLE_ASSIGN(auto values, Values::parse(Table::kServer, properties));
  ServerConfig config(std::move(properties), std::move(values));
  DOHLE_TRY(config.read_roles());
  DOHLE_TRY(config.read_listeners());
  DOHLE_TRY(config.read_advertised());
  DOHLE_TRY(config.read_inter_broker());
  DOHLE_TRY(config.read_metrics_listener());
  DOHLE_TRY(check_across(config));
  return config;
}

Result<> ServerConfig::read_roles() {
  const auto& roles = values_.get_list("process.roles");
  broker_ = contains(roles, "broker");
  controller_ = contains(roles, "controller");
  DOHLE_ASSIGN(voters_, parse_voters(values_.get_list("controller.quorum.voters")));
  DOHLE_ASSIGN(bootstrap_, parse_host_ports(values_.get_list("controller.quorum.bootstrap.servers")));
  return {};
}

Result<> ServerConfig::read_listeners() {
  constexpr std::string_view kMap = "listener.security.protocol.map";
  DOHLE_ASSIGN(protocols_, parse_protocol_map(kMap, values_.get_string(kMap)));
  const auto& items = values_.get_list("listeners");
  if (!is_set(kMap)) {
    // Controller listeners speak PLAINTEXT without being told, as long as nothing speaks anything else.
    const bool secured = std::ranges::any_of(controller_listener_names(), encrypted_or_authenticated) ||
                         std::ranges::any_of(items, [](const std::string& item) {
                           return encrypted_or_authenticated(upper(item.substr(0, item.find(':'))));
                         });
    for (const auto& name : controller_listener_names()) {
      if (!secured) protocols_.emplace(name, SecurityProtocol::kPlaintext);
    }
  }
  DOHLE_ASSIGN(listeners_, parse_endpoints("listeners", items, protocols_, true));
  return {};
}

Result<> ServerConfig::read_advertised() {
  constexpr std::string_view kAdvertised = "advertised.listeners";
  std::vector<Endpoint> given;
  const bool set = !values_.is_null(kAdvertised);
  if (set) {
    DOHLE_ASSIGN(given, parse_endpoints(kAdvertised, values_.get_list(kAdvertised), protocols_, false));
  }
  for (const auto& endpoint : set ? given : listeners_) {
    if (!contains(controller_listener_names(), endpoint.listener)) advertised_broker_.push_back(endpoint);
  }
  bool first = true;
  for (const auto& name : controller_listener_names()) {
    if (auto endpoint = advertised_controller(name, given, first))
      advertised_controller_.push_back(std::move(*endpoint));
    first = false;
  }
  return {};
}

std::optional<Endpoint> ServerConfig::advertised_controller(std::string_view name, const std::vector<Endpoint>& given,
                                                            bool first) const {
  const std::string listener = upper(name);
  const auto same_name = [&](const Endpoint& e) {
    return e.listener == listener && contains(controller_listener_names(), e.listener);
  };
  if (const auto at = std::ranges::find_if(given, same_name); at != given.end()) return *at;
  const auto at = std::ranges::find_if(listeners_, same_name);
  if (at == listeners_.end()) return std::nullopt;
  Endpoint endpoint = *at;
  const bool wildcard = !endpoint.host || *endpoint.host == "0.0.0.0";
  const auto voter = voters_.find(node_id());
  if (first && wildcard && voter != voters_.end()) {
    endpoint.host = voter->second.host;
    endpoint.port = voter->second.port;
  } else if (endpoint.host == "0.0.0.0") {
    endpoint.host.reset();  // the canonical host name takes its place
  }
  return endpoint;
}

Result<> ServerConfig::read_inter_broker() {
  constexpr std::string_view kName = "inter.broker.listener.name";
  constexpr std::string_view kProtocol = "security.inter.broker.protocol";
  if (values_.is_null(kName)) {
    inter_broker_listener_ = values_.get_string(kProtocol);
    return {};
  }
  if (is_set(kProtocol))
    return fail(Errc::kInvalidConfig, fmt::format("only one of {} and {} may be set", kName, kProtocol));
  inter_broker_listener_ = upper(values_.get_string(kName));
  if (!protocols_.contains(inter_broker_listener_)) {
    return fail(
        Errc::kInvalidConfig,
        fmt::format("'{}' for configuration {} is not allowed; allowed is a name in listener.security.protocol.map",
                    inter_broker_listener_, kName));
  }
  return {};
}

Result<> ServerConfig::read_metrics_listener() {
  const auto& text = values_.get_string("metrics.listener");
  if (text.empty()) return {};
  const auto parsed = parse_host_port(text);
  if (!parsed || text.find("://") != std::string::npos) {
    return fail(Errc::kInvalidConfig,
                fmt::format("'{}' for configuration metrics.listener is not allowed; allowed is host:port", text));
  }
  metrics_listener_ = *parsed;
  return {};
}

const std::vector<std::string>& ServerConfig::log_dirs() const {
  return values_.get_list(values_.is_null("log.dirs") ? "log.dir" : "log.dirs");
}

std::string ServerConfig::metadata_log_dir() const {
  return values_.find_string("metadata.log.dir").value_or(log_dirs().front());
}

const std::vector<std::string>& ServerConfig::controller_listener_names() const {
  return values_.get_list("controller.listener.names");
}

std::vector<Endpoint> ServerConfig::broker_listeners() const {
  std::vector<Endpoint> out;
  std::ranges::copy_if(listeners_, std::back_inserter(out),
                       [&](const Endpoint& e) { return !contains(controller_listener_names(), e.listener); });
  return out;
}

std::vector<Endpoint> ServerConfig::controller_listeners() const {
  std::vector<Endpoint> out;
  std::ranges::copy_if(listeners_, std::back_inserter(out),
                       [&](const Endpoint& e) { return contains(controller_listener_names(), e.listener); });
  return out;
}

namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 3'600'000;

}  // namespace

std::int64_t ServerConfig::log_retention_ms() const {
  std::int64_t ms = 0;
  if (const auto exact = values_.find_integer("log.retention.ms")) {
    ms = *exact;
  } else if (const auto minutes = values_.find_integer("log.retention.minutes")) {
    ms = *minutes * kMinuteMs;
  } else {
    ms = values_.get_int("log.retention.hours") * kHourMs;
  }
  return ms < 0 ? -1 : ms;
}

std::int64_t ServerConfig::log_roll_ms() const {
  return values_.find_integer("log.roll.ms").value_or(values_.get_int("log.roll.hours") * kHourMs);
}

std::int64_t ServerConfig::log_roll_jitter_ms() const {
  return values_.find_integer("log.roll.jitter.ms").value_or(values_.get_int("log.roll.jitter.hours") * kHourMs);
}

std::int64_t ServerConfig::log_flush_interval_ms() const {
  return values_.find_integer("log.flush.interval.ms").value_or(values_.get_long("log.flush.scheduler.interval.ms"));
}

}  // namespace dohle::broker::config

// The configuration of one node: server.properties, with dynamic broker configuration laid over it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <broker/config/listeners.h>
#include <broker/config/quorum.h>
#include <broker/config/value.h>

namespace dohle::broker::config {

// Immutable once made. Any shard may hold a copy.
class ServerConfig {
 public:
  // Checks every value and everything Kafka checks across values. kInvalidConfig with one sentence.
  [[nodiscard]] static Result<ServerConfig> from(TextMap properties);

  [[nodiscard]] const Values& values() const { return values_; }
  // What was set, as it was written, unknown keys included; node.id and broker.id stand for each other.
  [[nodiscard]] const TextMap& originals() const { return originals_; }
  [[nodiscard]] bool is_set(std::string_view key) const { return originals_.contains(key); }

  [[nodiscard]] std::int32_t node_id() const { return values_.get_int("node.id"); }
  [[nodiscard]] bool is_broker() const { return broker_; }
  [[nodiscard]] bool is_controller() const { return controller_; }
  [[nodiscard]] bool is_combined() const { return broker_ && controller_; }
  [[nodiscard]] const std::vector<std::string>& log_dirs() const;
  [[nodiscard]] std::string metadata_log_dir() const;

  // Everything that listens; then split into the broker's and the controller's.
  [[nodiscard]] const std::vector<Endpoint>& listeners() const { return listeners_; }
  [[nodiscard]] std::vector<Endpoint> broker_listeners() const;
  [[nodiscard]] std::vector<Endpoint> controller_listeners() const;
  // What is registered; hosts may still be missing (see with_hosts), ports may be 0 until they are bound.
  [[nodiscard]] const std::vector<Endpoint>& advertised_broker_listeners() const { return advertised_broker_; }
  [[nodiscard]] const std::vector<Endpoint>& advertised_controller_listeners() const { return advertised_controller_; }
  [[nodiscard]] const std::vector<std::string>& controller_listener_names() const;
  [[nodiscard]] const std::string& inter_broker_listener() const { return inter_broker_listener_; }
  [[nodiscard]] const ProtocolMap& protocol_map() const { return protocols_; }

  // Where /metrics is served; nothing when it is not.
  [[nodiscard]] const std::optional<HostPort>& metrics_listener() const { return metrics_listener_; }

  // Static quorum, by node id; empty when the quorum is found by bootstrap servers.
  [[nodiscard]] const std::map<std::int32_t, HostPort>& voters() const { return voters_; }
  [[nodiscard]] const std::vector<HostPort>& quorum_bootstrap_servers() const { return bootstrap_; }

  // log.retention.ms and its relatives in milliseconds, -1 for ever; and so on. All in milliseconds.
  [[nodiscard]] std::int64_t log_retention_ms() const;
  [[nodiscard]] std::int64_t log_roll_ms() const;
  [[nodiscard]] std::int64_t log_roll_jitter_ms() const;
  [[nodiscard]] std::int64_t log_flush_interval_ms() const;

  // Sentences for the log at start: unknown keys, settings without effect, deprecated ones, those of another role.
  [[nodiscard]] std::vector<std::string> warnings() const;
  // key=value of what differs from the default, sorted, secrets hidden.
  [[nodiscard]] std::vector<std::string> changed_settings() const;

 private:
  ServerConfig(TextMap originals, Values values) : originals_(std::move(originals)), values_(std::move(values)) {}
  [[nodiscard]] Result<> read_roles();
  [[nodiscard]] Result<> read_listeners();
  [[nodiscard]] Result<> read_advertised();
  [[nodiscard]] Result<> read_inter_broker();
  [[nodiscard]] Result<> read_metrics_listener();
  [[nodiscard]] std::optional<Endpoint> advertised_controller(std::string_view name, const std::vector<Endpoint>& given,
                                                              bool first) const;

  TextMap originals_;
  Values values_;
  bool broker_ = false;
  bool controller_ = false;
  ProtocolMap protocols_;
  std::vector<Endpoint> listeners_;
  std::vector<Endpoint> advertised_broker_;
  std::vector<Endpoint> advertised_controller_;
  std::string inter_broker_listener_;
  std::map<std::int32_t, HostPort> voters_;
  std::vector<HostPort> bootstrap_;
  std::optional<HostPort> metrics_listener_;
};

// What is valid for Kafka but not served here yet, and must not be ignored silently: TLS and SASL listeners, an
// authorizer. kUnsupported with one sentence.
[[nodiscard]] Result<> check_served(const ServerConfig& config);

// `listener.name.<listener>.` and what follows; none for other keys.
[[nodiscard]] std::optional<std::string_view> without_listener_prefix(std::string_view key);

}  // namespace dohle::broker::config

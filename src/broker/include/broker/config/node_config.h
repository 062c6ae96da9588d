// What a node's settings are at this moment, and where each of them comes from: server.properties below the dynamic
// configuration of the cluster's brokers below that of this broker.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <broker/config/server_config.h>
#include <broker/config/value.h>

namespace dohle::broker::config {

// Numbers of the wire (DescribeConfigs).
enum class Source : std::int8_t {
  kUnknown = 0,
  kTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kDynamicBrokerLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};

// Immutable; a change of the dynamic configuration makes a new one. Any shard may hold a copy.
class NodeConfig {
 public:
  // Nothing dynamic.
  explicit NodeConfig(ServerConfig from_file);
  // `cluster` is what is stored for the broker resource "", `broker` for this node's id. Entries that may not be set
  // dynamically, or there, or that do not parse, are left out and named in rejected(). If the rest does not fit
  // together, the dynamic configuration as a whole is left out.
  [[nodiscard]] NodeConfig with_dynamic(TextMap cluster, TextMap broker) const;

  [[nodiscard]] const ServerConfig& from_file() const { return from_file_; }
  // Everything laid over each other.
  [[nodiscard]] const ServerConfig& current() const { return current_; }
  [[nodiscard]] const TextMap& cluster() const { return cluster_; }
  [[nodiscard]] const TextMap& broker() const { return broker_; }
  [[nodiscard]] const std::vector<std::string>& rejected() const { return rejected_; }

  // Values of a topic with these overrides. kInvalidConfig when an override does not parse.
  [[nodiscard]] Result<Values> topic(const TextMap& overrides) const;
  // with_dynamic(cluster, broker).topic(overrides) without laying over what is no topic's: cheap enough for each topic.
  [[nodiscard]] Result<Values> topic_under(const TextMap& cluster, const TextMap& broker, const TextMap& overrides) const;
  [[nodiscard]] Result<Values> group(const TextMap& overrides) const;

 private:
  ServerConfig from_file_;
  ServerConfig current_;
  TextMap cluster_;
  TextMap broker_;
  std::vector<std::string> rejected_;
};

// Names that stand for the same server setting, strongest first, `name` included; for listener.name.x.y also y.
[[nodiscard]] std::vector<std::string> broker_synonyms(std::string_view name, bool listener_overrides);
// `changes` over `base`: a key takes its synonyms' place.
void lay_over(TextMap& base, const TextMap& changes);
// What a topic's or group's setting is when it is not set there: its server synonym's value, or its own default.
[[nodiscard]] Result<Value> inherited_value(const Setting& setting, const Values& server);

}  // namespace dohle::broker::config

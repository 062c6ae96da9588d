// What the controller must know about settings without knowing the settings: implemented by broker/config.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <metadata/image.h>
#include <protocol/error_code.h>

namespace dohle::metadata {

// A Kafka error with the sentence that goes with it: its own, the code's, or none. kNone when all is well.
struct ApiError {
  protocol::ErrorCode code = protocol::ErrorCode::kNone;
  std::optional<std::string> message;

  ApiError() = default;
  ApiError(protocol::ErrorCode error) : code(error) {  // NOLINT: implicit by design
    if (failed()) message = std::string(protocol::message(error));
  }
  ApiError(protocol::ErrorCode error, std::string text) : code(error), message(std::move(text)) {}
  [[nodiscard]] static ApiError without_message(protocol::ErrorCode error) {
    ApiError out;
    out.code = error;
    return out;
  }
  [[nodiscard]] bool failed() const { return code != protocol::ErrorCode::kNone; }
  [[nodiscard]] std::int16_t number() const { return static_cast<std::int16_t>(code); }
};

struct EffectiveConfig {
  std::string name;
  std::optional<std::string> value;
  std::int8_t source = 5;  // DescribeConfigs: 1 topic, 2 dynamic broker, 3 dynamic default broker, 4 static, 5 default
  bool is_sensitive = false;
  bool is_read_only = false;
};

// The three levels that decide a topic's setting, below the static configuration and the defaults, which the
// implementation knows.
struct TopicConfigLevels {
  const ConfigMap& topic;
  const ConfigMap& node;     // dynamic, of this node
  const ConfigMap& cluster;  // dynamic, default of all brokers
};

// Pure functions of the static configuration; called on the controller's shard.
class ConfigValidator {
 public:
  virtual ~ConfigValidator() = default;
  // `values` is everything that would be set on the resource, `before` what was. INVALID_CONFIG, INVALID_REQUEST ...
  [[nodiscard]] virtual ApiError validate(const ConfigResource& resource, const ConfigMap& values,
                                          const ConfigMap& before) const = 0;
  // Whether APPEND and SUBTRACT make sense.
  [[nodiscard]] virtual bool is_list(ConfigResourceType type, std::string_view name) const = 0;
  // The built-in default as text, e.g. "" for an empty list; nothing for unknown names.
  [[nodiscard]] virtual std::optional<std::string> default_value(ConfigResourceType type,
                                                                 std::string_view name) const = 0;
  // One topic setting, or all of them sorted by name (internal ones only when set on the topic).
  [[nodiscard]] virtual EffectiveConfig effective(std::string_view name, const TopicConfigLevels& levels) const = 0;
  [[nodiscard]] virtual std::vector<EffectiveConfig> effective_all(const TopicConfigLevels& levels) const = 0;
  // min.insync.replicas of the static configuration, or its default.
  [[nodiscard]] virtual std::int32_t static_min_insync_replicas() const = 0;
};

}  // namespace dohle::metadata

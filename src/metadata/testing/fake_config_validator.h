// A handful of topic settings, enough for the controller's tests.
#pragma once

#include <map>
#include <string>

#include <metadata/config_validator.h>

namespace dohle::metadata {

class FakeConfigValidator final : public ConfigValidator {
 public:
  std::map<std::string, std::string, std::less<>> defaults{{"cleanup.policy", "delete"},
                                                           {"min.insync.replicas", "1"},
                                                           {"retention.ms", "604800000"},
                                                           {"segment.bytes", "1073741824"},
                                                           {"unclean.leader.election.enable", "false"}};

  ApiError validate(const ConfigResource& resource, const ConfigMap& values,
                    const ConfigMap& /*before*/) const override {
    if (resource.type != ConfigResourceType::kTopic) return {};
    for (const auto& [name, value] : values) {
      if (!defaults.contains(name)) {
        return {protocol::ErrorCode::kInvalidConfig, "Unknown topic config name: " + name};
      }
    }
    return {};
  }
  bool is_list(ConfigResourceType type, std::string_view name) const override {
    return type == ConfigResourceType::kTopic && name == "cleanup.policy";
  }
  std::optional<std::string> default_value(ConfigResourceType /*type*/, std::string_view name) const override {
    const auto at = defaults.find(name);
    return at == defaults.end() ? std::nullopt : std::optional(at->second);
  }
  EffectiveConfig effective(std::string_view name, const TopicConfigLevels& levels) const override {
    EffectiveConfig out;
    out.name = name;
    if (const auto at = levels.topic.find(name); at != levels.topic.end()) {
      out.value = at->second;
      out.source = 1;
    } else if (const auto cluster = levels.cluster.find(name); cluster != levels.cluster.end()) {
      out.value = cluster->second;
      out.source = 3;
    } else {
      out.value = default_value(ConfigResourceType::kTopic, name);
    }
    return out;
  }
  std::vector<EffectiveConfig> effective_all(const TopicConfigLevels& levels) const override {
    std::vector<EffectiveConfig> out;
    for (const auto& [name, value] : defaults) out.push_back(effective(name, levels));
    return out;
  }
  std::int32_t static_min_insync_replicas() const override { return 1; }
};

}  // namespace dohle::metadata

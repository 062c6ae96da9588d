#include <broker/config/controller_settings.h>

#include <charconv>
#include <functional>

#include <fmt/format.h>

#include <base/topic_name.h>
#include <broker/config/alter.h>
#include <broker/config/describe.h>

namespace dohle::broker::config {
namespace {

using metadata::ApiError;
using metadata::ConfigMap;
using metadata::ConfigResource;
using metadata::ConfigResourceType;
using metadata::EffectiveConfig;
using protocol::ErrorCode;

std::optional<Table> table_of(ConfigResourceType type) {
  switch (type) {
    case ConfigResourceType::kTopic:
      return Table::kTopic;
    case ConfigResourceType::kBroker:
      return Table::kServer;
    case ConfigResourceType::kGroup:
      return Table::kGroup;
    case ConfigResourceType::kClientMetrics:
      return Table::kClientMetrics;
    default:
      return std::nullopt;
  }
}

ApiError answer(const Result<>& result) {
  if (result) return {};
  const bool config = result.error().code == Errc::kInvalidConfig;
  return {config ? ErrorCode::kInvalidConfig : ErrorCode::kInvalidRequest, result.error().message};
}

ApiError check_broker_name(const std::string& name) {
  if (name.empty()) return {};
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size())
    return {ErrorCode::kInvalidRequest, fmt::format("'{}' is not a broker's number", name)};
  if (id < 0) return {ErrorCode::kInvalidRequest, "a broker's number is not negative"};
  return {};
}

// Scaled to the topic's unit; what is no number counts as 0 then, as in Kafka.
std::string converted(const std::string& text, std::int64_t factor) {
  if (factor == 1) return text;
  const auto digits = trim(text);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) number = 0;
  return std::to_string(number * factor);
}

class Validator final : public metadata::ConfigValidator {
 public:
  explicit Validator(ServerConfig server) : server_(std::move(server)) {}

  ApiError validate(const ConfigResource& resource, const ConfigMap& values, const ConfigMap& before) const override {
    switch (resource.type) {
      case ConfigResourceType::kTopic:
        return check_topic(resource.name, values, before);
      case ConfigResourceType::kBroker:
        return check_broker_name(resource.name);
      case ConfigResourceType::kClientMetrics:
        return answer(validate_client_metrics(resource.name, values));
      case ConfigResourceType::kGroup:
        if (resource.name.empty()) return {ErrorCode::kInvalidRequest, "there is no configuration for all groups"};
        return answer(validate_group(server_, values));
      default:
        return {ErrorCode::kInvalidRequest, "this kind of resource is not known"};
    }
  }

  bool is_list(ConfigResourceType type, std::string_view name) const override {
    const Setting* setting = find(type, name);
    return setting != nullptr && setting->type == ValueType::kList;
  }

  std::optional<std::string> default_value(ConfigResourceType type, std::string_view name) const override {
    const Setting* setting = find(type, name);
    if (setting == nullptr || !setting->fallback) return std::nullopt;
    return std::string(*setting->fallback);
  }

  EffectiveConfig effective(std::string_view name, const metadata::TopicConfigLevels& levels) const override {
    EffectiveConfig out;
    out.name = std::string(name);
    const Setting* setting = find_setting(Table::kTopic, name);
    if (setting == nullptr) return out;
    out.is_sensitive = setting->sensitive();
    if (const auto at = levels.topic.find(name); at != levels.topic.end()) return set(out, at->second, Source::kTopic);
    const std::pair<const ConfigMap&, Source> below[] = {{levels.node, Source::kDynamicBroker},
                                                         {levels.cluster, Source::kDynamicDefaultBroker},
                                                         {server_.originals(), Source::kStaticBroker}};
    for (const auto& [texts, source] : below) {
      for (const Synonym& synonym : setting->synonyms) {
        if (const auto at = texts.find(synonym.name); at != texts.end())
          return set(out, converted(at->second, synonym.factor), source);
      }
    }
    if (setting->fallback) out.value = std::string(*setting->fallback);
    return out;
  }

  std::vector<EffectiveConfig> effective_all(const metadata::TopicConfigLevels& levels) const override {
    std::vector<EffectiveConfig> out;
    for (const Setting& setting : settings(Table::kTopic)) {
      if (setting.internal && !levels.topic.contains(setting.name)) continue;
      out.push_back(effective(setting.name, levels));
    }
    return out;
  }

  std::int32_t static_min_insync_replicas() const override { return server_.values().get_int("min.insync.replicas"); }

 private:
  static const Setting* find(ConfigResourceType type, std::string_view name) {
    const auto table = table_of(type);
    return table ? find_setting(*table, name) : nullptr;
  }
  static EffectiveConfig set(EffectiveConfig& config, std::string value, Source source) {
    config.value = std::move(value);
    config.source = static_cast<std::int8_t>(source);
    return std::move(config);
  }
  ApiError check_topic(const std::string& name, const ConfigMap& values, const ConfigMap& before) const {
    if (name.empty()) return {ErrorCode::kInvalidRequest, "there is no configuration for all topics"};
    if (auto valid = validate_topic_name(name); !valid)
      return {ErrorCode::kInvalidTopicException, valid.error().message};
    return answer(validate_topic(server_, values, before));
  }

  ServerConfig server_;
};

}  // namespace

std::unique_ptr<metadata::ConfigValidator> make_config_validator(ServerConfig server) {
  return std::make_unique<Validator>(std::move(server));
}

}  // namespace dohle::broker::config

#include <broker/config/node_config.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <base/check.h>
#include <broker/config/alter.h>

namespace dohle::broker::config {
namespace {

// Set per listener and mechanism, as listener.name.x.mechanism.<name>.
constexpr std::array<std::string_view, 5> kMechanismSettings = {
    "sasl.jaas.config", "sasl.login.callback.handler.class", "sasl.login.class", "sasl.server.callback.handler.class",
    "connections.max.reauth.ms"};

// Drops what may not stand at this level or does not parse, and says so.
TextMap accepted(TextMap given, bool per_broker, std::vector<std::string>& rejected) {
  TextMap out;
  for (auto& [name, text] : given) {
    if (auto why = not_dynamic(name, per_broker)) {
      rejected.push_back(std::move(*why));
      continue;
    }
    const Setting* setting = find_setting(Table::kServer, without_listener_prefix(name).value_or(name));
    if (setting != nullptr) {
      if (auto value = parse_value(*setting, text); !value) {
        rejected.push_back(value.error().message);
        continue;
      }
    }
    out.emplace(name, std::move(text));
  }
  return out;
}

}  // namespace

std::vector<std::string> broker_synonyms(std::string_view name, bool listener_overrides) {
  std::vector<std::string> out;
  if (const Setting* setting = find_setting(Table::kServer, name); setting != nullptr && !setting->synonyms.empty()) {
    for (const Synonym& synonym : setting->synonyms) out.emplace_back(synonym.name);
    return out;
  }
  out.emplace_back(name);
  const auto base = listener_overrides ? without_listener_prefix(name) : std::nullopt;
  if (base) {
    const auto* mechanism =
        std::ranges::find_if(kMechanismSettings, [&](std::string_view m) { return base->ends_with(m); });
    out.emplace_back(mechanism == kMechanismSettings.end() ? *base : *mechanism);
  }
  return out;
}

void lay_over(TextMap& base, const TextMap& changes) {
  for (const auto& [name, text] : changes) {
    for (const auto& synonym : broker_synonyms(name, false)) base.erase(synonym);
    base.insert_or_assign(name, text);
  }
}

NodeConfig::NodeConfig(ServerConfig from_file) : from_file_(from_file), current_(std::move(from_file)) {}

NodeConfig NodeConfig::with_dynamic(TextMap cluster, TextMap broker) const {
  NodeConfig out(from_file_);
  out.cluster_ = accepted(std::move(cluster), false, out.rejected_);
  out.broker_ = accepted(std::move(broker), true, out.rejected_);
  TextMap texts = from_file_.originals();
  lay_over(texts, out.cluster_);
  lay_over(texts, out.broker_);
  auto current = ServerConfig::from(std::move(texts));
  if (current) {
    out.current_ = std::move(*current);
  } else {
    out.rejected_.push_back(current.error().message);
    out.cluster_.clear();
    out.broker_.clear();
  }
  return out;
}

namespace {

// A server setting's value as the topic's or group's `setting`, in its unit.
Value converted(const Setting& setting, const Synonym& synonym, const Value& value) {
  if (setting.type == ValueType::kLong) {
    const auto* small = std::get_if<std::int32_t>(&value);
    const std::int64_t number = small != nullptr ? *small : std::get<std::int64_t>(value);
    return setting.name == "retention.ms" && number < 0 ? std::int64_t{-1} : number * synonym.factor;
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value);
      list != nullptr && setting.type == ValueType::kString) {
    return list->empty() ? Value{} : Value(list->front());  // streams.assignor.name of group.streams.assignors
  }
  return value;
}

// What `layer`, a dynamic configuration, says about `setting`; none when nothing that counts.
std::optional<Value> from_layer(const Setting& setting, const TextMap& layer, bool per_broker) {
  for (const Synonym& synonym : setting.synonyms) {
    const auto at = layer.find(synonym.name);
    if (at == layer.end() || not_dynamic(synonym.name, per_broker)) continue;
    if (auto value = parse_value(*find_setting(Table::kServer, synonym.name), at->second))
      return converted(setting, synonym, *value);
  }
  return std::nullopt;
}

}  // namespace

Result<Value> inherited_value(const Setting& setting, const Values& server) {
  for (const Synonym& synonym : setting.synonyms) {
    const Value& value = server.get(synonym.name);
    if (!std::holds_alternative<std::monostate>(value)) return converted(setting, synonym, value);
  }
  return default_value(setting);
}

namespace {

Result<Values> resolve(Table table, const Values& server, const TextMap& overrides) {
  Values out = Values::defaults(table);
  for (const Setting& setting : settings(table)) {
    const auto at = overrides.find(setting.name);
    if (at != overrides.end()) {
      DOHLE_ASSIGN(auto value, parse_value(setting, at->second));
      out.set(setting.name, std::move(value));
    } else {
      DOHLE_ASSIGN(auto value, inherited_value(setting, server));
      out.set(setting.name, std::move(value));
    }
  }
  return out;
}

}  // namespace

Result<Values> NodeConfig::topic_under(const TextMap& cluster, const TextMap& broker, const TextMap& overrides) const {
  DOHLE_ASSIGN(Values out, resolve(Table::kTopic, from_file_.values(), overrides));
  for (const Setting& setting : settings(Table::kTopic)) {
    if (overrides.contains(setting.name)) continue;
    auto value = from_layer(setting, broker, true);
    if (!value) value = from_layer(setting, cluster, false);
    if (value) out.set(setting.name, std::move(*value));
  }
  return out;
}

Result<Values> NodeConfig::topic(const TextMap& overrides) const {
  return resolve(Table::kTopic, current_.values(), overrides);
}
Result<Values> NodeConfig::group(const TextMap& overrides) const {
  return resolve(Table::kGroup, current_.values(), overrides);
}

}  // namespace dohle::broker::config

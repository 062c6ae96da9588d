#include <broker/config/describe.h>

#include <algorithm>

namespace dohle::broker::config {
namespace {

// The type decides what is secret; what has none is treated as secret.
struct Kind {
  ValueType type = ValueType::kUnknown;
  bool sensitive = true;
};

Kind kind_of(const Setting* setting) { return setting == nullptr ? Kind{} : Kind{setting->type, setting->sensitive()}; }

// A broker setting by its own name, or by the name it overrides for one listener.
const Setting* broker_setting(std::string_view name) {
  if (const Setting* own = find_setting(Table::kServer, name)) return own;
  for (const auto& synonym : broker_synonyms(name, true)) {
    if (const Setting* setting = find_setting(Table::kServer, synonym)) return setting;
  }
  return nullptr;
}

class SynonymChain {
 public:
  SynonymChain(const NodeConfig& node, bool sensitive) : node_(node), sensitive_(sensitive) {}

  // What says something about `name`, strongest first.
  std::vector<DescribedSynonym> of(std::string_view name) const {
    const auto names = broker_synonyms(name, true);
    std::vector<DescribedSynonym> out;
    add(out, names, node_.broker(), Source::kDynamicBroker);
    add(out, names, node_.cluster(), Source::kDynamicDefaultBroker);
    add(out, names, node_.from_file().originals(), Source::kStaticBroker);
    for (const auto& each : names) {
      const Setting* setting = find_setting(Table::kServer, each);
      if (setting != nullptr && setting->fallback && !setting->dynamic_only)
        out.push_back({each, shown(setting->fallback), Source::kDefault});
    }
    // Listener overrides do not speak for the base setting.
    const auto first = std::ranges::find(out, name, &DescribedSynonym::name);
    out.erase(out.begin(), first);
    return out;
  }

 private:
  std::optional<std::string> shown(std::optional<std::string_view> text) const {
    if (sensitive_ || !text) return std::nullopt;
    return std::string(*text);
  }
  void add(std::vector<DescribedSynonym>& out, const std::vector<std::string>& names, const TextMap& texts,
           Source source) const {
    for (const auto& name : names) {
      if (const auto at = texts.find(name); at != texts.end()) out.push_back({name, shown(at->second), source});
    }
  }

  const NodeConfig& node_;
  bool sensitive_;
};

DescribedConfig describe_broker_key(const NodeConfig& node, std::string_view name, std::optional<std::string> value) {
  const Setting* setting = broker_setting(name);
  const Kind kind = kind_of(setting);
  const Setting* own = find_setting(Table::kServer, name);
  DescribedConfig out;
  out.name = std::string(name);
  if (!kind.sensitive) out.value = std::move(value);
  out.type = kind.type;
  out.sensitive = kind.sensitive;
  out.read_only = own == nullptr || own->change == Change::kStatic;
  out.synonyms = SynonymChain(node, kind.sensitive).of(name);
  if (own != nullptr) out.documentation = std::string(own->documentation);
  return out;
}

void set_source(DescribedConfig& config) {
  config.source = config.synonyms.empty() ? Source::kDefault : config.synonyms.front().source;
}

// Settings of a topic, a group or a subscription.
DescribedConfig describe_own(const Setting& setting, const Value& value, const TextMap& overrides, Source source,
                             std::vector<DescribedSynonym> inherited) {
  DescribedConfig out;
  out.name = std::string(setting.name);
  out.type = setting.type;
  out.sensitive = setting.sensitive();
  if (!out.sensitive) out.value = to_text(value);
  out.synonyms = std::move(inherited);
  if (overrides.contains(setting.name)) out.synonyms.insert(out.synonyms.begin(), {out.name, out.value, source});
  out.documentation = std::string(setting.documentation);
  set_source(out);
  return out;
}

// Keys that were set and are not known: named, but their values are hidden.
void add_unknown(Table table, const TextMap& overrides, Source source, std::vector<DescribedConfig>& out) {
  for (const auto& [name, text] : overrides) {
    if (find_setting(table, name) != nullptr) continue;
    DescribedConfig unknown;
    unknown.name = name;
    unknown.sensitive = true;
    unknown.source = source;
    unknown.synonyms.push_back({name, std::nullopt, source});
    out.push_back(std::move(unknown));
  }
  std::ranges::sort(out, {}, &DescribedConfig::name);
}

}  // namespace

std::vector<DescribedConfig> describe_broker(const NodeConfig& node) {
  std::vector<DescribedConfig> out;
  const TextMap& texts = node.current().originals();
  for (const Setting& setting : settings(Table::kServer)) {
    const auto set = texts.find(setting.name);
    if (setting.internal || setting.dynamic_only) {
      if (set != texts.end()) out.push_back(describe_broker_key(node, setting.name, set->second));
    } else {
      out.push_back(describe_broker_key(node, setting.name, to_text(node.current().values().get(setting.name))));
    }
  }
  for (const auto& [name, text] : texts) {
    if (find_setting(Table::kServer, name) == nullptr) out.push_back(describe_broker_key(node, name, text));
  }
  for (auto& config : out) set_source(config);
  std::ranges::sort(out, {}, &DescribedConfig::name);
  return out;
}

std::vector<DescribedConfig> describe_cluster_default(const NodeConfig& node) {
  std::vector<DescribedConfig> out;
  for (const auto& [name, text] : node.cluster()) {
    auto config = describe_broker_key(node, name, text);
    std::erase_if(config.synonyms, [](const DescribedSynonym& s) { return s.source != Source::kDynamicDefaultBroker; });
    set_source(config);
    out.push_back(std::move(config));
  }
  return out;
}

Result<std::vector<DescribedConfig>> describe_topic(const NodeConfig& node, const TextMap& overrides) {
  DOHLE_ASSIGN(const Values values, node.topic(overrides));
  std::vector<DescribedConfig> out;
  for (const Setting& setting : settings(Table::kTopic)) {
    if (setting.internal && !overrides.contains(setting.name)) continue;
    auto inherited = setting.synonyms.empty()
                         ? std::vector<DescribedSynonym>{}
                         : SynonymChain(node, setting.sensitive()).of(setting.synonyms.front().name);
    out.push_back(describe_own(setting, values.get(setting.name), overrides, Source::kTopic, std::move(inherited)));
  }
  add_unknown(Table::kTopic, overrides, Source::kTopic, out);
  return out;
}

Result<std::vector<DescribedConfig>> describe_group(const NodeConfig& node, const TextMap& overrides) {
  DOHLE_ASSIGN(const Values values, node.group(overrides));
  std::vector<DescribedConfig> out;
  for (const Setting& setting : settings(Table::kGroup)) {
    const std::string_view synonym = setting.synonyms.empty() ? std::string_view() : setting.synonyms.front().name;
    if (setting.internal && !overrides.contains(setting.name) && !node.current().is_set(synonym)) continue;
    std::vector<DescribedSynonym> inherited;
    if (!synonym.empty()) {
      inherited = SynonymChain(node, setting.sensitive()).of(synonym);
    } else if (setting.fallback) {
      inherited.push_back({std::string(setting.name), std::string(*setting.fallback), Source::kDefault});
    }
    out.push_back(describe_own(setting, values.get(setting.name), overrides, Source::kGroup, std::move(inherited)));
  }
  add_unknown(Table::kGroup, overrides, Source::kGroup, out);
  return out;
}

Result<std::vector<DescribedConfig>> describe_client_metrics(const TextMap& overrides) {
  DOHLE_ASSIGN(const Values values, Values::parse(Table::kClientMetrics, overrides));
  std::vector<DescribedConfig> out;
  for (const Setting& setting : settings(Table::kClientMetrics)) {
    out.push_back(describe_own(setting, values.get(setting.name), overrides, Source::kClientMetrics, {}));
  }
  return out;
}

}  // namespace dohle::broker::config

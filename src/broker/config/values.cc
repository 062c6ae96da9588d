#include <algorithm>

#include <base/check.h>
#include <broker/config/value.h>

namespace dohle::broker::config {

Result<Values> Values::parse(Table table, const TextMap& texts) {
  Values out(table);
  for (const Setting& setting : settings(table)) {
    const auto at = texts.find(setting.name);
    if (at == texts.end()) {
      if (setting.dynamic_only && setting.required) {
        out.values_.emplace_back();
        continue;
      }
      DOHLE_ASSIGN(auto value, default_value(setting));
      out.values_.push_back(std::move(value));
    } else {
      DOHLE_ASSIGN(auto value, parse_value(setting, at->second));
      out.values_.push_back(std::move(value));
    }
  }
  return out;
}

Values Values::defaults(Table table) {
  Values out(table);
  for (const Setting& setting : settings(table)) {
    auto value = setting.required ? Result<Value>(Value{}) : default_value(setting);
    DOHLE_CHECK(value.has_value());
    out.values_.push_back(std::move(*value));
  }
  return out;
}

std::size_t Values::index(std::string_view name) const {
  const auto all = settings(table_);
  const auto at = std::ranges::lower_bound(all, name, {}, &Setting::name);
  DOHLE_CHECK(at != all.end() && at->name == name);
  return static_cast<std::size_t>(at - all.begin());
}

const Value& Values::get(std::string_view name) const { return values_[index(name)]; }

void Values::set(std::string_view name, Value value) { values_[index(name)] = std::move(value); }

std::optional<std::string> Values::find_string(std::string_view name) const {
  const auto* text = std::get_if<std::string>(&get(name));
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<std::int64_t> Values::find_integer(std::string_view name) const {
  const Value& value = get(name);
  if (const auto* i = std::get_if<std::int32_t>(&value)) return *i;
  if (const auto* l = std::get_if<std::int64_t>(&value)) return *l;
  return std::nullopt;
}

}  // namespace dohle::broker::config

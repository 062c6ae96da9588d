#include <broker/config/value.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "config/rules.h"

namespace dohle::broker::config {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](unsigned char x, unsigned char y) { return std::tolower(x) == y; });
}

template <typename T>
std::optional<T> parse_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!text.empty() && (std::toupper(text.back()) == 'D' || std::toupper(text.back()) == 'F') && text.size() > 1 &&
      (std::isdigit(static_cast<unsigned char>(text[text.size() - 2])) != 0 || text[text.size() - 2] == '.')) {
    text.remove_suffix(1);  // Java's literal suffixes
  }
  double value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Double.toString: plain from 1e-3 to 1e7, otherwise one digit, the rest and E.
std::string java_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  const double magnitude = std::fabs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
    std::string out(buffer, end);
    return out.find('.') == std::string::npos ? out + ".0" : out;
  }
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string text(buffer, end);
  const auto e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  return fmt::format("{}E{}", mantissa, *parse_integer<int>(text.substr(e + 1)));
}

std::string_view type_text(ValueType type) {
  switch (type) {
    case ValueType::kBoolean:
      return "true or false";
    case ValueType::kInt:
      return "a 32-bit integer";
    case ValueType::kShort:
      return "a 16-bit integer";
    case ValueType::kLong:
      return "a 64-bit integer";
    case ValueType::kDouble:
      return "a number";
    case ValueType::kList:
      return "a comma-separated list";
    case ValueType::kClass:
      return "a class name";
    default:
      return "a text";
  }
}

std::unexpected<Error> bad(const Setting& setting, std::optional<std::string_view> text) {
  const std::string shown = setting.sensitive() ? "(hidden)" : text ? fmt::format("'{}'", *text) : "null";
  return fail(Errc::kInvalidConfig, fmt::format("{} for configuration {} is not allowed; allowed is {}", shown,
                                                setting.name, allowed_text(setting)));
}

template <typename T>
Result<Value> or_bad(const Setting& setting, std::string_view text, std::optional<T> parsed) {
  if (!parsed) return bad(setting, text);
  return Value(*parsed);
}

// A list keeps the first of equal items, as ConfigDef does for lists with a list rule.
void drop_duplicates(const Setting& setting, Value& value) {
  auto* items = std::get_if<std::vector<std::string>>(&value);
  const bool listed =
      std::ranges::any_of(setting.rules, [](const Rule& rule) { return rule.kind == Rule::Kind::kList; });
  if (items == nullptr || !listed) return;
  std::vector<std::string> kept;
  for (auto& item : *items) {
    if (std::ranges::find(kept, item) == kept.end()) kept.push_back(std::move(item));
  }
  *items = std::move(kept);
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool contains(const std::vector<std::string>& items, std::string_view item) {
  return std::ranges::find(items, item) != items.end();
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  text = trim(text);
  while (!text.empty()) {
    const auto comma = text.find(',');
    out.emplace_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
    if (text.empty()) out.emplace_back();
  }
  return out;
}

std::string allowed_text(const Setting& setting) {
  std::string out(type_text(setting.type));
  for (const Rule& rule : setting.rules) {
    const std::string text = rule_text(rule, setting.type);
    if (text.empty()) continue;
    if (rule.kind == Rule::Kind::kOneOf || rule.kind == Rule::Kind::kOneOfAnyCase) {
      out = text;
    } else {
      out += " " + text;
    }
  }
  return out;
}

Result<Value> parse_type(const Setting& setting, std::string_view raw) {
  const std::string_view text = trim(raw);
  switch (setting.type) {
    case ValueType::kBoolean:
      if (equals_ignoring_case(text, "true")) return Value(true);
      if (equals_ignoring_case(text, "false")) return Value(false);
      return bad(setting, raw);
    case ValueType::kInt:
      return or_bad(setting, raw, parse_integer<std::int32_t>(text));
    case ValueType::kLong:
      return or_bad(setting, raw, parse_integer<std::int64_t>(text));
    case ValueType::kDouble:
      return or_bad(setting, raw, parse_double(text));
    case ValueType::kShort: {
      const auto parsed = parse_integer<std::int16_t>(text);
      if (!parsed) return bad(setting, raw);
      return Value(static_cast<std::int32_t>(*parsed));
    }
    case ValueType::kList:
      return Value(split_list(text));
    default:
      return Value(std::string(text));
  }
}

Result<> check_rules(const Setting& setting, const Value& value) {
  for (const Rule& rule : setting.rules) {
    if (!meets(rule, value)) return bad(setting, to_text(value));
  }
  return {};
}

Result<Value> parse_value(const Setting& setting, std::optional<std::string_view> text) {
  Value value;
  if (text) {
    DOHLE_ASSIGN(value, parse_type(setting, *text));
  }
  drop_duplicates(setting, value);
  DOHLE_TRY(check_rules(setting, value));
  return value;
}

Result<Value> default_value(const Setting& setting) {
  if (setting.required) {
    return fail(Errc::kInvalidConfig, fmt::format("configuration {} is missing; it has no default", setting.name));
  }
  return parse_value(setting, setting.fallback);
}

std::optional<std::string> to_text(const Value& value) {
  struct Printer {
    std::optional<std::string> operator()(std::monostate) const { return std::nullopt; }
    std::optional<std::string> operator()(bool b) const { return b ? "true" : "false"; }
    std::optional<std::string> operator()(std::int32_t i) const { return std::to_string(i); }
    std::optional<std::string> operator()(std::int64_t i) const { return std::to_string(i); }
    std::optional<std::string> operator()(double d) const { return java_double(d); }
    std::optional<std::string> operator()(const std::string& s) const { return s; }
    std::optional<std::string> operator()(const std::vector<std::string>& items) const {
      return fmt::format("{}", fmt::join(items, ","));
    }
  };
  return std::visit(Printer{}, value);
}

}  // namespace dohle::broker::config

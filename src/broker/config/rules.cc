#include "config/rules.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <ranges>
#include <set>

#include <fmt/format.h>

#include <broker/config/quorum.h>

namespace dohle::broker::config {
namespace {

using Items = std::vector<std::string>;

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

bool digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::optional<double> number(const Value& value) {
  if (const auto* i = std::get_if<std::int32_t>(&value)) return static_cast<double>(*i);
  if (const auto* l = std::get_if<std::int64_t>(&value)) return static_cast<double>(*l);
  if (const auto* d = std::get_if<double>(&value)) return *d;
  return std::nullopt;
}

bool meets_list(const Rule& rule, const Value& value) {
  const auto* items = std::get_if<Items>(&value);
  if (items == nullptr) return rule.null_allowed;
  if (items->empty()) return rule.empty_allowed;
  return std::ranges::all_of(*items, [&](const std::string& item) {
    return !item.empty() && (rule.words.empty() || std::ranges::find(rule.words, item) != rule.words.end());
  });
}

// Nothing, or partition:broker.
bool is_replica(std::string_view item) {
  const auto colon = item.find(':');
  return item.empty() ||
         (colon != std::string_view::npos && digits(item.substr(0, colon)) && digits(item.substr(colon + 1)));
}

bool is_replica_list(const Items& items) {
  if (std::ranges::all_of(items, is_replica)) return true;
  std::string joined;
  for (const auto& item : items) joined += item;
  return joined == "*";
}

// ISO-8601 as java.time.Duration reads it, not negative: PnDTnHnMn.nS with at least one part.
bool is_duration(std::string_view text) {
  if (text.empty() || std::toupper(text.front()) != 'P') return false;
  text.remove_prefix(1);
  std::string_view units = "DTHMS";
  bool any = false;
  while (!text.empty()) {
    if (std::toupper(text.front()) == 'T') {
      const auto at = units.find('T');
      if (at == std::string_view::npos || text.size() == 1) return false;
      units = units.substr(at + 1);
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find_first_not_of("0123456789.");
    if (end == 0 || end == std::string_view::npos) return false;
    const char unit = static_cast<char>(std::toupper(text[end]));
    const auto at = unit == 'T' ? std::string_view::npos : units.find(unit);
    const auto time = units.find('T');
    if (at == std::string_view::npos || (time != std::string_view::npos && at > time)) return false;
    const auto amount = text.substr(0, end);
    const auto point = amount.find('.');
    if (point != std::string_view::npos && (unit != 'S' || !digits(amount.substr(0, point)))) return false;
    if (amount.find('.', point + 1) != std::string_view::npos && point != std::string_view::npos) return false;
    units = units.substr(at + 1);
    text.remove_prefix(end + 1);
    any = true;
  }
  return any;
}

bool is_reset_strategy(std::string_view text) {
  constexpr std::string_view kByDuration = "by_duration:";
  return text == "earliest" || text == "latest" ||
         (text.starts_with(kByDuration) && is_duration(text.substr(kByDuration.size())));
}

bool one_of(const Rule& rule, const Value& value, bool any_case) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && std::ranges::find(rule.words, any_case ? upper(*text) : *text) != rule.words.end();
}

bool in_range(const Rule& rule, const Value& value) {
  const auto n = number(value);
  return n && *n >= rule.min && *n <= rule.max;
}

std::string range_text(const Rule& rule) {
  if (std::isinf(rule.max))
    return fmt::format("of at least {}", rule.min == std::floor(rule.min) ? fmt::format("{:.0f}", rule.min)
                                                                          : fmt::format("{}", rule.min));
  const auto text = [](double d) { return d == std::floor(d) ? fmt::format("{:.0f}", d) : fmt::format("{}", d); };
  return fmt::format("from {} to {}", text(rule.min), text(rule.max));
}

}  // namespace

bool meets(const Rule& rule, const Value& value) {
  const auto* items = std::get_if<Items>(&value);
  const auto* text = std::get_if<std::string>(&value);
  switch (rule.kind) {
    case Rule::Kind::kRange:
      return in_range(rule, value);
    case Rule::Kind::kOneOf:
      return one_of(rule, value, false);
    case Rule::Kind::kOneOfAnyCase:
      return one_of(rule, value, true);
    case Rule::Kind::kList:
      return meets_list(rule, value);
    case Rule::Kind::kNonEmpty:
      return text == nullptr || !text->empty();
    case Rule::Kind::kNonNull:
      return !std::holds_alternative<std::monostate>(value);
    case Rule::Kind::kAtMostItems:
      return items != nullptr && static_cast<double>(items->size()) <= rule.max;
    case Rule::Kind::kGzipLevel:
      return number(value) && (*number(value) == -1 || (*number(value) >= 1 && *number(value) <= 9));
    case Rule::Kind::kQuorumVoters:
      return items != nullptr && parse_voters(*items).has_value();
    case Rule::Kind::kHostPorts:
      return items != nullptr && parse_host_ports(*items).has_value();
    case Rule::Kind::kReplicaList:
      return items != nullptr && is_replica_list(*items);
    case Rule::Kind::kResetStrategy:
      return text != nullptr && is_reset_strategy(*text);
  }
  return false;
}

std::string rule_text(const Rule& rule, ValueType type) {
  const bool list = type == ValueType::kList;
  switch (rule.kind) {
    case Rule::Kind::kRange:
      return range_text(rule);
    case Rule::Kind::kOneOf:
    case Rule::Kind::kOneOfAnyCase:
      return fmt::format("one of {}", fmt::join(rule.words, ", "));
    case Rule::Kind::kList:
      if (!rule.words.empty()) return fmt::format("of {}", fmt::join(rule.words, ", "));
      return rule.empty_allowed ? "without empty items" : "with at least one item and no empty ones";
    case Rule::Kind::kNonEmpty:
      return "that is not empty";
    case Rule::Kind::kNonNull:
      return "";
    case Rule::Kind::kAtMostItems:
      return fmt::format("{}of at most {:.0f} items", list ? "" : "a list ", rule.max);
    case Rule::Kind::kGzipLevel:
      return "from 1 to 9, or -1";
    case Rule::Kind::kQuorumVoters:
      return "of id@host:port";
    case Rule::Kind::kHostPorts:
      return "of host:port";
    case Rule::Kind::kReplicaList:
      return "of partition:broker, or *";
    case Rule::Kind::kResetStrategy:
      return "that is earliest, latest or by_duration:PnDTnHnMn.nS";
  }
  return "";
}

}  // namespace dohle::broker::config

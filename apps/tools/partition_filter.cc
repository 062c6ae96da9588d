#include "partition_filter.h"

#include <algorithm>

#include <fmt/core.h>

namespace dohle::app {

Checked<PartitionFilter::Rule> PartitionFilter::parse_rule(const std::string& text) {
  const auto colon = text.find(':');
  const std::string topic = text.substr(0, colon);
  auto pattern = TopicPattern::parse(topic.empty() ? ".*" : topic);
  if (!pattern) return std::unexpected(pattern.error());
  Rule rule{.topic = std::move(*pattern), .only = {}};
  const std::string range = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (range.empty()) return rule;
  if (range.find_first_not_of("0123456789-") != std::string::npos || std::ranges::count(range, '-') > 1) {
    return complain("Error occurred: Invalid rule specification: " + text);
  }
  const auto dash = range.find('-');
  rule.from = parse_number(range.substr(0, dash)).value_or(0);
  if (dash == std::string::npos) {
    rule.to = rule.from + 1;
  } else {
    rule.to = parse_number(range.substr(dash + 1)).value_or(INT64_MAX);
  }
  return rule;
}

Checked<PartitionFilter> PartitionFilter::parse_rules(std::string_view text) {
  PartitionFilter out;
  for (const std::string& one : split(text, ',')) {
    auto rule = parse_rule(one);
    if (!rule) return std::unexpected(rule.error());
    out.rules_.push_back(std::move(*rule));
  }
  return out;
}

Checked<PartitionFilter> PartitionFilter::of(std::string_view topic, std::string_view partitions) {
  auto pattern = TopicPattern::parse(topic);
  if (!pattern) return std::unexpected(pattern.error());
  Rule rule{.topic = std::move(*pattern), .only = {}};
  for (const std::string& one : split(partitions, ',')) {
    const auto index = parse_number(one);
    if (!index) {
      return complain(fmt::format(
          "Error occurred: --partitions expects a comma separated list of numeric partition ids, but received: {}",
          partitions));
    }
    rule.only.insert(*index);
  }
  PartitionFilter out;
  out.rules_.push_back(std::move(rule));
  return out;
}

bool PartitionFilter::allows_topic(std::string_view topic) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) { return rule.topic.matches(topic); });
}

bool PartitionFilter::allows(std::string_view topic, std::int32_t partition) const {
  return std::ranges::any_of(rules_,
                             [&](const Rule& rule) { return rule.topic.matches(topic) && rule.allows(partition); });
}

}  // namespace dohle::app

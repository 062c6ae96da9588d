// Which partitions kafka-get-offsets asks for: --topic-partitions, or --topic with --partitions.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "tool.h"

namespace dohle::app {

class PartitionFilter {
 public:
  // "topic1:1,topic2:0-3,topic3,topic4:5-,:-3": topics are patterns, ranges exclude their upper end.
  [[nodiscard]] static Checked<PartitionFilter> parse_rules(std::string_view text);
  // A pattern for the topic, and indexes; none: all.
  [[nodiscard]] static Checked<PartitionFilter> of(std::string_view topic, std::string_view partitions);

  [[nodiscard]] bool allows_topic(std::string_view topic) const;
  [[nodiscard]] bool allows(std::string_view topic, std::int32_t partition) const;

 private:
  struct Rule {
    TopicPattern topic;
    std::int64_t from = 0;
    std::int64_t to = INT64_MAX;  // exclusive
    std::set<std::int64_t> only;  // empty: all
    [[nodiscard]] bool allows(std::int32_t partition) const {
      return partition >= from && partition < to && (only.empty() || only.contains(partition));
    }
  };
  [[nodiscard]] static Checked<Rule> parse_rule(const std::string& text);
  std::vector<Rule> rules_;
};

}  // namespace dohle::app

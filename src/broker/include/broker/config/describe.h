// What DescribeConfigs (32) answers, without the protocol around it. All functions are pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <base/result.h>
#include <broker/config/node_config.h>

namespace dohle::broker::config {

struct DescribedSynonym {
  std::string name;
  std::optional<std::string> value;  // none: null, or hidden
  Source source = Source::kDefault;
  friend bool operator==(const DescribedSynonym&, const DescribedSynonym&) = default;
};

struct DescribedConfig {
  std::string name;
  std::optional<std::string> value;  // none: null, or hidden because sensitive
  Source source = Source::kDefault;
  ValueType type = ValueType::kUnknown;
  bool sensitive = false;
  bool read_only = false;
  std::vector<DescribedSynonym> synonyms;  // in order of strength, the setting itself included
  std::optional<std::string> documentation;
};

// Sorted by name. Synonyms and documentation are always filled; the caller leaves out what was not asked for.
[[nodiscard]] std::vector<DescribedConfig> describe_broker(const NodeConfig& node);
// The broker resource "": only what is set for all brokers.
[[nodiscard]] std::vector<DescribedConfig> describe_cluster_default(const NodeConfig& node);
[[nodiscard]] Result<std::vector<DescribedConfig>> describe_topic(const NodeConfig& node, const TextMap& overrides);
[[nodiscard]] Result<std::vector<DescribedConfig>> describe_group(const NodeConfig& node, const TextMap& overrides);
[[nodiscard]] Result<std::vector<DescribedConfig>> describe_client_metrics(const TextMap& overrides);

}  // namespace dohle::broker::config

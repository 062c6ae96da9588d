// What AlterConfigs (33), IncrementalAlterConfigs (44) and CreateTopics accept, without the protocol around it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <base/result.h>
#include <broker/config/node_config.h>

namespace dohle::broker::config {

// Numbers of the wire.
enum class AlterOperation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct Alteration {
  std::string_view name;
  AlterOperation operation = AlterOperation::kSet;
  std::optional<std::string_view> value;
};

// Applies the operations to `values`. kInvalidConfig for an append to or subtraction from what is no list or not known,
// kInvalidRequest for a missing value.
[[nodiscard]] Result<> apply_alterations(Table table, std::span<const Alteration> alterations, TextMap& values);

// Is everything that would be set on the resource allowed? kInvalidConfig or kInvalidRequest, as Kafka answers.
[[nodiscard]] Result<> validate_topic(const ServerConfig& server, const TextMap& values, const TextMap& before);
[[nodiscard]] Result<> validate_group(const ServerConfig& server, const TextMap& values);
[[nodiscard]] Result<> validate_client_metrics(std::string_view subscription, const TextMap& values);
// A broker's own settings (`per_broker`) or those of all brokers; answered with kInvalidRequest throughout, as in
// Kafka.
[[nodiscard]] Result<> validate_broker(const NodeConfig& node, const TextMap& values, bool per_broker);

// Why a stored or proposed dynamic setting is not allowed at this level; none when it is.
[[nodiscard]] std::optional<std::string> not_dynamic(std::string_view name, bool per_broker);

}  // namespace dohle::broker::config

// What may be a topic's name, and which names are Kafka's own.
#pragma once

#include <string>
#include <string_view>

#include <base/result.h>

namespace dohle {

inline constexpr std::string_view kConsumerOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionStateTopic = "__transaction_state";
inline constexpr std::string_view kShareGroupStateTopic = "__share_group_state";
inline constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";

// The reason why `name` may not be a topic's, in the error.
[[nodiscard]] Result<> validate_topic_name(std::string_view name);
[[nodiscard]] inline bool is_valid_topic_name(std::string_view name) { return validate_topic_name(name).has_value(); }
[[nodiscard]] constexpr bool is_internal_topic(std::string_view name) {
  return name == kConsumerOffsetsTopic || name == kTransactionStateTopic || name == kShareGroupStateTopic;
}
// Two names that differ only in '.' and '_' would share their metrics' names; the second one is refused.
[[nodiscard]] std::string collision_key(std::string_view name);

}  // namespace dohle

// Assignors of the classic group protocol: the member that leads decides who gets which partition. Pure functions; the
// bytes that members exchange are Kafka's, so that they mix with Java clients in one group.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.h>
#include <base/ids.h>
#include <base/result.h>

namespace dohle::client {

enum class Assignor : std::uint8_t { kRange, kRoundRobin, kSticky, kCooperativeSticky };

// The name members agree on: "range", "roundrobin", "sticky", "cooperative-sticky".
[[nodiscard]] std::string_view to_string(Assignor assignor);
// By that name, or by its Java class as partition.assignment.strategy gives it.
[[nodiscard]] std::optional<Assignor> assignor_named(std::string_view name);
// Whether members keep what they own while the group rebalances (KIP-429).
[[nodiscard]] constexpr bool is_cooperative(Assignor assignor) { return assignor == Assignor::kCooperativeSticky; }

// What a member says of itself when it joins.
struct Subscription {
  std::vector<std::string> topics;
  std::vector<TopicPartition> owned;
  std::int32_t generation = -1;  // in which `owned` was true
  std::optional<std::string> rack;
};
struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  Subscription subscription;
};
using PartitionCounts = std::map<std::string, std::int32_t, std::less<>>;    // of topics that exist
using GroupAssignment = std::map<std::string, std::vector<TopicPartition>>;  // by member id; each member is there

[[nodiscard]] GroupAssignment assign(Assignor assignor, const std::vector<GroupMember>& members,
                                     const PartitionCounts& topics);

[[nodiscard]] std::vector<std::uint8_t> encode_subscription(Assignor assignor, const Subscription& subscription);
// Reads what older members left out from the assignor's user data. kMalformed for what is none.
[[nodiscard]] Result<Subscription> decode_subscription(Assignor assignor, Bytes bytes);
[[nodiscard]] std::vector<std::uint8_t> encode_assignment(const std::vector<TopicPartition>& partitions);
[[nodiscard]] Result<std::vector<TopicPartition>> decode_assignment(Bytes bytes);

}  // namespace dohle::client

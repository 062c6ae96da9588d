// A partition as the image has it, in the terms of Metadata (3) and DescribeTopicPartitions (75).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <metadata/image.h>
#include <protocol/error_code.h>

namespace dohle::broker {

struct PartitionDescription {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int32_t leader = -1;
  std::int32_t leader_epoch = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> isr;
  std::vector<std::int32_t> offline;
};

struct DescribeRules {
  std::string_view listener;             // endpoints of this listener are what the client can reach
  bool only_reachable_replicas = false;  // Metadata v0: leave unreachable replicas out and say so
  bool name_missing_listener = true;     // Metadata v6+: LISTENER_NOT_FOUND instead of LEADER_NOT_AVAILABLE
};

[[nodiscard]] PartitionDescription describe_partition(const metadata::MetadataImage& image,
                                                      const metadata::PartitionRegistration& partition,
                                                      const DescribeRules& rules);

}  // namespace dohle::broker

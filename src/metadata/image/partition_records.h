// What PartitionRecord and PartitionChangeRecord do to a partition, and the record that says all of one.
#pragma once

#include <cstdint>

#include <base/result.h>
#include <metadata/features.h>
#include <metadata/partition_registration.h>
#include <protocol/messages/partition_change_record.h>
#include <protocol/messages/partition_record.h>

namespace dohle::metadata {

inline constexpr std::int32_t kNoLeaderChange = -2;
inline constexpr std::int8_t kNoRecoveryStateChange = -1;

[[nodiscard]] Result<PartitionRegistration> partition_from_record(const protocol::PartitionRecord& record);
[[nodiscard]] Result<PartitionRegistration> merge_partition(const PartitionRegistration& before,
                                                            const protocol::PartitionChangeRecord& change);
// Only fields that `version` knows; the ELR only when the feature is on.
[[nodiscard]] protocol::PartitionRecord to_record(const PartitionRegistration& partition, const TopicId& topic,
                                                  std::int32_t id, MetadataVersion version, bool elr_enabled);

}  // namespace dohle::metadata

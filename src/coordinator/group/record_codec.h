// The records of __consumer_offsets that groups of the classic protocol and offsets are kept in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <base/ids.h>
#include <base/result.h>
#include <base/uuid.h>
#include <coordinator/core/turn.h>
#include <protocol/error_code.h>

#include "group/classic_group.h"

namespace dohle::coordinator {

// What a group has committed for a partition.
struct CommittedOffset {
  std::int64_t record_offset = -1;  // where the commit's own record lies
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp_ms = -1;
  std::optional<std::int64_t> expire_timestamp_ms;  // commits of OffsetCommit v2-v4 that asked for a retention
  Uuid topic_id;                                    // zero in older records
  friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

using AssignmentOf = std::function<const ByteVector&(const ClassicMember&)>;

// GroupMetadataValue v3. The group has a protocol, or no members.
[[nodiscard]] CoordinatorRecord group_record(const ClassicGroup& group, const AssignmentOf& assignment);
// For a group nobody has joined yet.
[[nodiscard]] CoordinatorRecord empty_group_record(const ClassicGroup& group);
[[nodiscard]] CoordinatorRecord group_tombstone(std::string_view group_id);
// OffsetCommitValue v4, or v1 when it has an expiry of its own.
[[nodiscard]] CoordinatorRecord offset_record(std::string_view group_id, std::string_view topic, std::int32_t partition,
                                              const CommittedOffset& committed);
[[nodiscard]] CoordinatorRecord offset_tombstone(std::string_view group_id, std::string_view topic,
                                                 std::int32_t partition);

// `value` begins with its version.
[[nodiscard]] Result<std::unique_ptr<ClassicGroup>> decode_group(std::string_view group_id, Bytes value);
[[nodiscard]] Result<CommittedOffset> decode_offset(Offset record_offset, Bytes value);

// How JoinGroup and SyncGroup report that a group's record could not be written.
[[nodiscard]] protocol::ErrorCode append_error_of_group(protocol::ErrorCode error);

}  // namespace dohle::coordinator

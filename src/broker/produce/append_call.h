// One partition of a Produce request, on the shard where the partition lives: append now, answer when acks allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <protocol/error_code.h>
#include <runtime/task.h>
#include <storage/log.h>

namespace dohle::broker {

class BrokerShard;

struct AppendItem {
  TopicIdPartition id;
  ForeignSlice records;  // the records field; empty when it was null
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::uint64_t connection = 0;  // whose requests keep their order
};

struct AppendOutcome {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  Offset base_offset = kNoOffset;
  std::int64_t log_append_time_ms = -1;
  Offset log_start = kNoOffset;
  std::optional<std::string> error_message;
  std::vector<storage::RecordError> record_errors;
};

// Appends before it returns, or takes its place in the row when the task is started: calls that are made and started in
// order append in order. One that has to wait, for a slow disk or because it takes long to validate, holds up only what
// its connection sends to the partition afterwards.
[[nodiscard]] runtime::ValueTask<AppendOutcome> append_on_partition(BrokerShard& shard, AppendItem item);

}  // namespace dohle::broker

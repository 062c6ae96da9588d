// The consumer's settings, by Kafka's names; times in ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/result.h>
#include <client/admin.h>
#include <client/assignor.h>
#include <client/client_config.h>

namespace dohle::client {

// Where to begin without a committed offset, or when it is out of range.
enum class OffsetReset : std::uint8_t { kLatest, kEarliest, kNone };

struct ConsumerConfig {
  std::optional<std::string> group_id;
  std::optional<std::string> group_instance_id;
  std::vector<Assignor> partition_assignment_strategy = {Assignor::kRange, Assignor::kCooperativeSticky};
  OffsetReset auto_offset_reset = OffsetReset::kLatest;
  bool enable_auto_commit = true;
  std::int64_t auto_commit_interval_ms = 5'000;
  std::int32_t fetch_min_bytes = 1;
  std::int64_t fetch_max_wait_ms = 500;
  std::int32_t fetch_max_bytes = 52'428'800;
  std::int32_t max_partition_fetch_bytes = 1'048'576;
  std::size_t max_poll_records = 500;
  std::int64_t max_poll_interval_ms = 300'000;
  std::int64_t session_timeout_ms = 45'000;
  std::int64_t heartbeat_interval_ms = 3'000;
  IsolationLevel isolation_level = IsolationLevel::kReadUncommitted;
  bool check_crcs = true;
  bool allow_auto_create_topics = true;

  // Takes the keys it knows. kInvalidConfig names what is wrong.
  [[nodiscard]] static Result<ConsumerConfig> from(const Properties& properties);
};

}  // namespace dohle::client

// LogConfig: what a topic's configuration says to its logs, by Kafka's names, units and defaults; `flush_messages` is
// the one default that differs (1: a synced write before acks=all is answered).
#pragma once

#include <cstdint>
#include <limits>

namespace dohle::storage {

inline constexpr std::int64_t kMaxLong = std::numeric_limits<std::int64_t>::max();

// compression.type: kProducer keeps what the producer sent.
enum class BrokerCompression : std::uint8_t { kProducer, kUncompressed, kGzip, kSnappy, kLz4, kZstd };
enum class TimestampType : std::uint8_t { kCreateTime, kLogAppendTime };

struct LogConfig {
  std::int32_t segment_bytes = 1024 * 1024 * 1024;
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t segment_jitter_ms = 0;
  std::int32_t segment_index_bytes = 10 * 1024 * 1024;
  std::int64_t flush_messages = 1;  // kMaxLong: the page cache is enough (Kafka's default)
  std::int64_t flush_ms = kMaxLong;
  std::int64_t retention_bytes = -1;  // -1: no limit
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;
  std::int32_t max_message_bytes = 1024 * 1024 + 12;
  std::int32_t index_interval_bytes = 4096;
  std::int64_t file_delete_delay_ms = 60'000;
  std::int64_t delete_retention_ms = 24LL * 3600 * 1000;
  std::int64_t min_compaction_lag_ms = 0;
  std::int64_t max_compaction_lag_ms = kMaxLong;
  double min_cleanable_dirty_ratio = 0.5;
  bool cleanup_delete = true;    // cleanup.policy contains "delete"
  bool cleanup_compact = false;  // cleanup.policy contains "compact"
  bool unclean_leader_election = false;
  std::int32_t min_insync_replicas = 1;
  BrokerCompression compression = BrokerCompression::kProducer;
  std::int32_t gzip_level = -1;  // compression.gzip.level
  std::int32_t lz4_level = 9;    // compression.lz4.level
  std::int32_t zstd_level = 3;   // compression.zstd.level
  bool preallocate = false;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::int64_t timestamp_before_max_ms = kMaxLong;
  std::int64_t timestamp_after_max_ms = 3'600'000;

  // True when acks=all waits for fdatasync (design section 5).
  [[nodiscard]] bool flush_before_ack() const { return flush_messages <= 1; }
};

}  // namespace dohle::storage

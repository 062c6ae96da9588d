// What of server.properties concerns groups and their offsets, with Kafka's names and defaults.
#pragma once

#include <cstdint>
#include <limits>

#include <records/compression.h>

namespace dohle::coordinator {

struct GroupConfig {
  std::int32_t min_session_timeout_ms = 6'000;                       // group.min.session.timeout.ms
  std::int32_t max_session_timeout_ms = 1'800'000;                   // group.max.session.timeout.ms
  std::int32_t initial_rebalance_delay_ms = 3'000;                   // group.initial.rebalance.delay.ms
  std::int32_t max_size = std::numeric_limits<std::int32_t>::max();  // group.max.size
  std::int32_t append_linger_ms = -1;                                // group.coordinator.append.linger.ms
  std::int32_t new_member_join_timeout_ms = 5 * 60 * 1000;  // not a setting: how long a new member may be parked

  std::int32_t offset_metadata_max_bytes = 4'096;  // offset.metadata.max.bytes; UTF-16 units, as Kafka counts
  std::int64_t offsets_retention_ms = 7LL * 24 * 60 * 60 * 1000;  // offsets.retention.minutes
  std::int64_t offsets_retention_check_interval_ms = 600'000;     // offsets.retention.check.interval.ms
  std::int32_t offsets_commit_timeout_ms = 5'000;                 // offsets.commit.timeout.ms
  std::int32_t offsets_load_buffer_bytes = 5 * 1024 * 1024;       // offsets.load.buffer.size
  std::int32_t offsets_topic_partitions = 50;                     // offsets.topic.num.partitions
  std::int32_t max_batch_bytes = 1'048'588;                       // max.message.bytes of __consumer_offsets
  records::Compression offsets_compression;                       // offsets.topic.compression.codec
};

}  // namespace dohle::coordinator

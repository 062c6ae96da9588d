// Every metric a node tells. docs/METRICS.md is this table for people; a test holds the two together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dohle::broker {

enum class Metric : std::uint8_t {
  kMessagesIn,
  kBytesIn,
  kBytesOut,
  kRequests,
  kRequestErrors,
  kRequestSeconds,
  kLogSize,
  kLogStart,
  kLogEnd,
  kLogSegments,
  kGroupOffset,
  kGroupLag,
  kPartitions,
  kLeaders,
  kUnderReplicated,
  kOfflineReplicas,
  kActiveController,
  kActiveBrokers,
  kFencedBrokers,
  kGlobalTopics,
  kGlobalPartitions,
  kOfflinePartitions,
  kOfflineDirectories,
  kDirectoryOffline,
  kDirectoryFull,
  kDirectoryRefused,
  kDirectoryTotalBytes,
  kDirectoryFreeBytes,
  kDirectoryReserveBytes,
  kDirectoryCommits,
  kDirectorySyncs,
  kDirectorySlow,
  kDirectorySlowWrites,
  kConnections,
  kFrameBytes,
  kFrameWaits,
  kBufferBytes,
  kBufferLimit,
  kBufferWaits,
  kMemoryLimit,
  kShards,
  kProcessCpu,
  kProcessResident,
  kProcessVirtual,
  kProcessOpenFiles,
  kProcessMaxFiles,
  kProcessStart,
  kEnd,
};
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::kEnd);

enum class MetricKind : std::uint8_t { kCounter, kGauge };

struct MetricRow {
  Metric metric;
  std::string_view name;
  MetricKind kind;
  std::string_view labels;  // their names, separated by commas; for people
  std::string_view help;    // one sentence
};

// In the order of Metric, which is the order of the text.
[[nodiscard]] std::span<const MetricRow> metric_table();
[[nodiscard]] const MetricRow& row_of(Metric metric);
[[nodiscard]] std::string_view to_string(MetricKind kind);

}  // namespace dohle::broker

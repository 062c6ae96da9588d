#include "metrics/metric_table.h"

#include <array>

namespace dohle::broker {
namespace {

using enum Metric;
constexpr auto kCounter = MetricKind::kCounter;
constexpr auto kGauge = MetricKind::kGauge;

constexpr std::array<MetricRow, kMetricCount> kTable{{
    {kMessagesIn, "kafka_server_brokertopicmetrics_messagesin_total", kCounter, "topic",
     "Records that were appended; without a topic, of all topics there ever were."},
    {kBytesIn, "kafka_server_brokertopicmetrics_bytesin_total", kCounter, "topic",
     "Bytes that were appended, as they are stored."},
    {kBytesOut, "kafka_server_brokertopicmetrics_bytesout_total", kCounter, "topic",
     "Bytes of records in answers to fetches."},
    {kRequests, "kafka_network_requestmetrics_requests_total", kCounter, "request",
     "Requests on the broker's listeners that were worked on."},
    {kRequestErrors, "kafka_network_requestmetrics_errors_total", kCounter, "request, error",
     "Error codes in answers: of the answer as a whole, and of each partition of a Produce or Fetch."},
    {kRequestSeconds, "dohle_request_seconds_total", kCounter, "request",
     "Time from the last byte of a request to its answer, waiting for records or members included."},
    {kLogSize, "kafka_log_log_size", kGauge, "topic, partition", "Bytes of a partition's segments here."},
    {kLogStart, "kafka_log_log_logstartoffset", kGauge, "topic, partition", "The first offset of a partition here."},
    {kLogEnd, "kafka_log_log_logendoffset", kGauge, "topic, partition",
     "The offset that the next record of a partition will get here."},
    {kLogSegments, "kafka_log_log_numlogsegments", kGauge, "topic, partition", "Segments of a partition here."},
    {kGroupOffset, "kafka_consumergroup_current_offset", kGauge, "consumergroup, topic, partition",
     "What a group has committed, as long as the offset is kept, members or not."},
    {kGroupLag, "kafka_consumergroup_lag", kGauge, "consumergroup, topic, partition",
     "Records between what a group has committed and the high watermark, where this node leads the partition."},
    {kPartitions, "kafka_server_replicamanager_partitioncount", kGauge, "", "Partitions with a replica here."},
    {kLeaders, "kafka_server_replicamanager_leadercount", kGauge, "", "Partitions led here."},
    {kUnderReplicated, "kafka_server_replicamanager_underreplicatedpartitions", kGauge, "",
     "Partitions led here with a replica that is not in sync."},
    {kOfflineReplicas, "kafka_server_replicamanager_offlinereplicacount", kGauge, "",
     "Replicas here whose log cannot be used: its directory has failed, or it could not be made yet."},
    {kActiveController, "kafka_controller_kafkacontroller_activecontrollercount", kGauge, "",
     "1 on the node that is the active controller."},
    {kActiveBrokers, "kafka_controller_kafkacontroller_activebrokercount", kGauge, "",
     "Brokers of the cluster that are not fenced."},
    {kFencedBrokers, "kafka_controller_kafkacontroller_fencedbrokercount", kGauge, "",
     "Brokers of the cluster that are fenced."},
    {kGlobalTopics, "kafka_controller_kafkacontroller_globaltopiccount", kGauge, "", "Topics of the cluster."},
    {kGlobalPartitions, "kafka_controller_kafkacontroller_globalpartitioncount", kGauge, "",
     "Partitions of the cluster."},
    {kOfflinePartitions, "kafka_controller_kafkacontroller_offlinepartitionscount", kGauge, "",
     "Partitions of the cluster without a leader."},
    {kOfflineDirectories, "kafka_log_logmanager_offlinelogdirectorycount", kGauge, "",
     "Log directories that have failed, or could not be opened."},
    {kDirectoryOffline, "kafka_log_logmanager_logdirectoryoffline", kGauge, "logdirectory",
     "1 for a directory that has failed, or could not be opened; it stays so until the node is started again."},
    {kDirectoryFull, "dohle_log_directory_full", kGauge, "logdirectory",
     "1 while clients' records are refused for want of space."},
    {kDirectoryRefused, "dohle_log_directory_refused_appends_total", kCounter, "logdirectory",
     "Appends of clients that were refused for want of space."},
    {kDirectoryTotalBytes, "dohle_log_directory_total_bytes", kGauge, "logdirectory",
     "Size of the file system below a directory."},
    {kDirectoryFreeBytes, "dohle_log_directory_free_bytes", kGauge, "logdirectory",
     "What this node may still use of it, the reserve not counted."},
    {kDirectoryReserveBytes, "dohle_log_directory_reserve_bytes", kGauge, "logdirectory",
     "What is kept back for groups, metadata and checkpoints on a full disk; 0 while they live on it."},
    {kDirectoryCommits, "dohle_log_directory_commits_total", kCounter, "logdirectory",
     "Times that someone was told that records are on disk."},
    {kDirectorySyncs, "dohle_log_directory_syncs_total", kCounter, "logdirectory",
     "Turns of the thread that syncs; commits for each of them share its cost."},
    {kDirectorySlow, "dohle_log_directory_slow", kGauge, "logdirectory",
     "1 while writes have been slow, and appends go to a thread of their own."},
    {kDirectorySlowWrites, "dohle_log_directory_slow_writes_total", kCounter, "logdirectory",
     "Appends whose file work took more than 5 ms."},
    {kConnections, "dohle_connections", kGauge, "", "Open connections on all listeners of Kafka's protocol."},
    {kFrameBytes, "dohle_request_frame_bytes", kGauge, "", "Memory of requests that are being read or worked on."},
    {kFrameWaits, "dohle_request_frame_waits_total", kCounter, "",
     "Requests whose reading was held back until there was memory for them."},
    {kBufferBytes, "dohle_buffer_bytes", kGauge, "", "Memory of all buffers: requests, answers and the tail cache."},
    {kBufferLimit, "dohle_buffer_limit_bytes", kGauge, "",
     "From here on no request is begun until others' answers have been taken; 0 for no limit."},
    {kBufferWaits, "dohle_buffer_waits_total", kCounter, "", "Requests that waited for that."},
    {kMemoryLimit, "dohle_memory_limit_bytes", kGauge, "", "memory.limit as it is in force; 0 for none."},
    {kShards, "dohle_shards", kGauge, "", "Shards of this node."},
    {kProcessCpu, "process_cpu_seconds_total", kCounter, "", "CPU time of the process, in user and kernel."},
    {kProcessResident, "process_resident_memory_bytes", kGauge, "", "Resident memory of the process."},
    {kProcessVirtual, "process_virtual_memory_bytes", kGauge, "", "Address space of the process."},
    {kProcessOpenFiles, "process_open_fds", kGauge, "", "File descriptors of the process."},
    {kProcessMaxFiles, "process_max_fds", kGauge, "", "File descriptors that the process may have."},
    {kProcessStart, "process_start_time_seconds", kGauge, "", "When the process began, in seconds since 1970."},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].metric != static_cast<Metric>(i)) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const MetricRow> metric_table() { return kTable; }
const MetricRow& row_of(Metric metric) { return kTable[static_cast<std::size_t>(metric)]; }
std::string_view to_string(MetricKind kind) { return kind == MetricKind::kCounter ? "counter" : "gauge"; }

}  // namespace dohle::broker

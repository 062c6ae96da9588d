#include "metrics/scrape.h"

#include <cstddef>
#include <string>

#include <runtime/sync.h>

#include "metrics/group_lag.h"
#include "metrics/shard_samples.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

using runtime::Task;

double number(bool value) { return value ? 1 : 0; }
double number(std::uint64_t value) { return static_cast<double>(value); }

void add_process(const runtime::ProcessUsage& usage, Samples& out) {
  out.add(Metric::kProcessCpu, usage.cpu_seconds);
  out.add(Metric::kProcessResident, number(usage.resident_bytes));
  out.add(Metric::kProcessVirtual, number(usage.virtual_bytes));
  out.add(Metric::kProcessOpenFiles, number(usage.open_files));
  out.add(Metric::kProcessMaxFiles, number(usage.max_files));
  out.add(Metric::kProcessStart, usage.start_seconds);
}

void add_offline_directory(const std::string& path, bool offline, Samples& out) {
  out.add(Metric::kOfflineDirectories, number(offline));
  out.add(Metric::kDirectoryOffline, label_text({{"logdirectory", path}}), number(offline));
}

void add_directory(storage::LogDirectory& directory, Samples& out) {
  const std::string labels = label_text({{"logdirectory", directory.path()}});
  const auto counts = directory.counts();
  const auto& door = directory.commit_log();
  add_offline_directory(directory.path(), directory.offline(), out);
  out.add(Metric::kDirectoryFull, labels, number(door.refuses() || door.lives_on_reserve()));
  out.add(Metric::kDirectoryRefused, labels, number(counts.refused_appends));
  out.add(Metric::kDirectoryReserveBytes, labels, number(counts.reserve_bytes));
  out.add(Metric::kDirectoryCommits, labels, number(counts.commits));
  out.add(Metric::kDirectorySyncs, labels, number(counts.syncs));
  out.add(Metric::kDirectorySlow, labels, number(door.is_slow()));
  out.add(Metric::kDirectorySlowWrites, labels, number(counts.slow_writes));
  if (directory.offline()) return;
  const auto space = directory.space();
  if (!space) return;
  out.add(Metric::kDirectoryTotalBytes, labels, number(space->total_bytes));
  out.add(Metric::kDirectoryFreeBytes, labels, number(space->usable_bytes));
}

// What the controller would say, as this node knows it.
Task<void> add_cluster(metadata::ImageRef image, bool is_controller, Samples& out) {
  constexpr std::size_t kTopicsPerTurn = 64;
  out.add(Metric::kActiveController, number(is_controller));
  for (const auto& [id, broker] : image->cluster().brokers) {
    out.add(Metric::kActiveBrokers, number(!broker->fenced));
    out.add(Metric::kFencedBrokers, number(broker->fenced));
  }
  out.add(Metric::kGlobalTopics, number(image->topics().size()));
  for (const Metric metric : {Metric::kGlobalPartitions, Metric::kOfflinePartitions}) out.add(metric, 0);
  std::size_t count = 0;
  for (const auto& [name, topic] : image->topics().by_name()) {
    if (++count % kTopicsPerTurn == 0) co_await runtime::yield();
    out.add(Metric::kGlobalPartitions, number(topic->partitions.size()));
    for (const auto& [partition, registration] : topic->partitions) {
      if (!registration->has_leader()) out.add(Metric::kOfflinePartitions, 1);
    }
  }
}

Task<Samples> samples_on(const ScrapeSources* sources, std::size_t shard) {
  Samples out = co_await shard_samples(sources->broker.at(shard));
  const auto counts = sources->server.counts_on(shard);
  out.add(Metric::kConnections, number(counts.connections));
  out.add(Metric::kFrameBytes, number(counts.frame_bytes));
  out.add(Metric::kFrameWaits, number(counts.waits_for_memory));
  out.add(Metric::kBufferWaits, number(counts.waits_for_buffers));
  out.add(Metric::kBufferBytes, number(std::uint64_t{sources->shards.at(shard).buffers().allocated_bytes()}));
  co_return out;
}

}  // namespace

Task<Samples> scrape(const ScrapeSources& sources) {
  Samples out;
  if (sources.process_usage) add_process(sources.process_usage(), out);
  out.add(Metric::kMemoryLimit, number(sources.memory_bytes));
  out.add(Metric::kBufferLimit, number(sources.buffer_bytes));
  out.add(Metric::kShards, number(std::uint64_t{sources.shards.size()}));
  out.add(Metric::kOfflineDirectories, 0);
  for (const auto& directory : sources.logs.directories()) add_directory(*directory, out);
  for (const auto& path : sources.logs.failed_directories()) add_offline_directory(path, true, out);
  co_await add_cluster(sources.broker.at(0).image(), sources.quorum.controller().is_active(), out);
  for (std::size_t i = 0; i < sources.shards.size(); ++i) {
    const ScrapeSources* const from = &sources;
    out.merge(co_await runtime::submit_to(sources.shards.at(i), [from, i] { return samples_on(from, i); }));
  }
  out.merge(co_await group_lag_samples(sources.broker));
  co_return out;
}

}  // namespace dohle::broker

#include "metrics/shard_samples.h"

#include <chrono>
#include <optional>
#include <string>

#include <protocol/api_table.h>
#include <runtime/sync.h>

#include "dispatch/handler_table.h"
#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

constexpr std::size_t kItemsPerTurn = 256;

void add_requests(const ShardMetrics& metrics, Samples& out) {
  const auto handlers = handler_table();
  for (std::size_t i = 0; i < handlers.size(); ++i) {
    const ApiTraffic& traffic = metrics.apis()[i];
    const std::string_view api = protocol::find_api(handlers[i].api_key)->name;
    const std::string labels = label_text({{"request", api}});
    out.add(Metric::kRequests, labels, static_cast<double>(traffic.requests));
    out.add(Metric::kRequestSeconds, labels, std::chrono::duration<double>(traffic.time).count());
    for (const auto& [error, count] : traffic.errors) {
      out.add(Metric::kRequestErrors, label_text({{"request", api}, {"error", protocol::name(error)}}),
              static_cast<double>(count));
    }
  }
}

void add_traffic(const TopicTraffic& traffic, const std::string& labels, Samples& out) {
  out.add(Metric::kMessagesIn, labels, static_cast<double>(traffic.messages_in));
  out.add(Metric::kBytesIn, labels, static_cast<double>(traffic.bytes_in));
  out.add(Metric::kBytesOut, labels, static_cast<double>(traffic.bytes_out));
}

void add_partition(replication::Partition& partition, const metadata::MetadataImage& image, Samples& out) {
  const storage::Log& log = partition.log();
  const std::string labels =
      label_text({{"topic", partition.topic()}, {"partition", std::to_string(partition.id().partition)}});
  out.put(Metric::kLogSize, labels, static_cast<std::int64_t>(log.size_bytes()));
  out.put(Metric::kLogStart, labels, log.log_start().value());
  out.put(Metric::kLogEnd, labels, log.log_end().value());
  out.put(Metric::kLogSegments, labels, static_cast<std::int64_t>(log.segment_count()));
  out.add(Metric::kPartitions, 1);
  out.add(Metric::kOfflineReplicas, partition.has_failed() ? 1 : 0);
  const auto* registration = image.topics().find(partition.id());
  const bool leads = partition.is_leader();
  out.add(Metric::kLeaders, leads ? 1 : 0);
  const bool is_short = leads && registration != nullptr && registration->isr.size() < registration->replicas.size();
  out.add(Metric::kUnderReplicated, is_short ? 1 : 0);
}

// By topic: what comes in where its partitions live, what goes out wherever it was asked for.
runtime::Task<void> add_topics(const ShardMetrics& metrics, metadata::ImageRef image, Samples& out) {
  std::size_t count = 0;
  for (const auto& [name, topic] : image->topics().by_name()) {
    if (const auto* traffic = metrics.find(topic->id)) add_traffic(*traffic, label_text({{"topic", name}}), out);
    if (++count % kItemsPerTurn == 0) co_await runtime::yield();
  }
}

}  // namespace

runtime::Task<Samples> shard_samples(BrokerShard& shard) {
  Samples out;
  const ShardMetrics& metrics = shard.metrics();
  const metadata::ImageRef image = shard.image();
  add_requests(metrics, out);
  add_traffic(metrics.all(), {}, out);
  co_await add_topics(metrics, image, out);
  for (const Metric metric : {Metric::kPartitions, Metric::kLeaders, Metric::kUnderReplicated}) out.add(metric, 0);
  out.add(Metric::kOfflineReplicas, static_cast<double>(shard.missing_logs()));
  std::optional<TopicIdPartition> last;
  for (;;) {
    // Partitions may come and go while others have their turn.
    auto at = last ? shard.replicas().upper_bound(*last) : shard.replicas().begin();
    for (std::size_t i = 0; i < kItemsPerTurn && at != shard.replicas().end(); ++i, ++at) {
      add_partition(*at->second, *image, out);
      last = at->first;
    }
    if (at == shard.replicas().end()) co_return out;
    co_await runtime::yield();
  }
}

}  // namespace dohle::broker

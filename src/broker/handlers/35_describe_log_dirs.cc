// DescribeLogDirs (35): the log directories, their space, and the replicas in them.
#include <algorithm>
#include <map>
#include <set>

#include <protocol/messages/describe_log_dirs_request.h>
#include <protocol/messages/describe_log_dirs_response.h>
#include <runtime/shard.h>
#include <storage/log_manager.h>

#include "handlers/handlers.h"

namespace dohle::broker {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using protocol::ErrorCode;

// Null stands for everything.
bool is_wanted(const DescribeLogDirsRequest& request, const TopicPartition& replica) {
  if (!request.topics) return true;
  return std::ranges::any_of(*request.topics, [&](const auto& topic) {
    return topic.topic.get() == replica.topic &&
           std::ranges::find(topic.partitions, replica.partition) != topic.partitions.end();
  });
}

void add_replicas(const DescribeLogDirsRequest& request, const storage::DirectoryDescription& directory,
                  DescribeLogDirsResponse::DescribeLogDirsResult& result) {
  std::map<std::string, std::size_t> row_of_topic;
  for (const auto& replica : directory.replicas) {
    if (!is_wanted(request, replica.partition)) continue;
    const auto [at, fresh] = row_of_topic.try_emplace(replica.partition.topic, result.topics.size());
    if (fresh) result.topics.emplace_back().name = Text(replica.partition.topic);
    auto& row = result.topics[at->second].partitions.emplace_back();
    row.partition_index = replica.partition.partition;
    row.partition_size = static_cast<std::int64_t>(replica.size_bytes);
    row.offset_lag = std::max<std::int64_t>(0, replica.high_watermark - replica.log_end);
  }
}

}  // namespace

Answer<DescribeLogDirsResponse> handle_describe_log_dirs(RequestContext& ctx, const DescribeLogDirsRequest& request) {
  Broker& broker = ctx.broker;
  const auto directories =
      co_await runtime::submit_to(broker.at(0).shard(), [&broker] { return broker.logs().describe(); });
  DescribeLogDirsResponse out;
  for (const auto& directory : directories) {
    auto& result = out.results.emplace_back();
    result.log_dir = Text(directory.path);
    if (!directory.online) {
      result.error_code = number(ErrorCode::kKafkaStorageError);
      continue;
    }
    result.total_bytes = static_cast<std::int64_t>(directory.total_bytes);
    result.usable_bytes = static_cast<std::int64_t>(directory.usable_bytes);
    add_replicas(request, directory, result);
  }
  co_return out;
}

}  // namespace dohle::broker

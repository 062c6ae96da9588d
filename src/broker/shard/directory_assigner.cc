#include "shard/directory_assigner.h"

#include <chrono>
#include <utility>

#include <base/log.h>
#include <protocol/error_code.h>
#include <protocol/messages/assign_replicas_to_dirs_request.h>
#include <protocol/messages/assign_replicas_to_dirs_response.h>

#include "shard/broker.h"

namespace dohle::broker {
namespace {

constexpr auto kRetry = std::chrono::seconds(1);

protocol::AssignReplicasToDirsRequest make_request(const Broker& broker,
                                                   const std::map<TopicIdPartition, Uuid>& batch) {
  std::map<Uuid, std::map<TopicId, std::vector<std::int32_t>>> by_directory;
  for (const auto& [id, directory] : batch) by_directory[directory][id.topic].push_back(id.partition);
  protocol::AssignReplicasToDirsRequest request;
  request.broker_id = broker.id().value();
  request.broker_epoch = broker.epoch();
  for (const auto& [directory, topics] : by_directory) {
    auto& entry = request.directories.emplace_back();
    entry.id = directory;
    for (const auto& [topic, partitions] : topics) {
      auto& rows = entry.topics.emplace_back();
      rows.topic_id = topic.uuid;
      for (const std::int32_t partition : partitions) rows.partitions.emplace_back().partition_index = partition;
    }
  }
  return request;
}

}  // namespace

void DirectoryAssigner::assigned(const TopicIdPartition& partition, const Uuid& directory) {
  waiting_[partition] = directory;
  if (!std::exchange(sending_, true)) runtime::spawn(send_all());
}

runtime::Task<void> DirectoryAssigner::send_all() {
  const auto pass = gate_.enter();
  while (!waiting_.empty() && !stop_.stopped()) {
    auto batch = std::exchange(waiting_, {});
    if (co_await send(batch)) continue;
    waiting_.merge(batch);  // what came up meanwhile is newer
    if (!co_await runtime::sleep_for(kRetry, &stop_)) break;
  }
  sending_ = false;
}

runtime::Task<bool> DirectoryAssigner::send(const std::map<TopicIdPartition, Uuid>& batch) {
  const auto request = make_request(broker_, batch);
  const auto answer =
      co_await broker_.controller().send(request, {.api_version = protocol::AssignReplicasToDirsRequest::kMaxVersion});
  const auto error = answer ? protocol::error_code_from(answer->error_code) : protocol::ErrorCode::kNotController;
  if (error == protocol::ErrorCode::kNone) co_return true;
  log::warn("broker", "The controller did not take {} directory assignments: {}", batch.size(), protocol::name(error));
  co_return false;
}

runtime::Task<void> DirectoryAssigner::close() {
  stop_.stop();
  return gate_.wait_empty();
}

}  // namespace dohle::broker

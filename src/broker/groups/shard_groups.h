// ShardGroups: groups on one shard of the broker: the coordinator of the __consumer_offsets partitions led here, the
// partitions under it, and the way from any group to its coordinator.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/topic_name.h>
#include <coordinator/group/group_coordinator.h>
#include <coordinator/group/group_router.h>
#include <coordinator/partition_writer.h>
#include <runtime/shard.h>

#include "shard/broker_shard.h"

namespace dohle::broker {

class ShardGroups final : public LeadershipListener, public coordinator::PartitionWriter {
 public:
  // On the shard of `here`, which must outlive this object; before here.start().
  ShardGroups(BrokerShard& here, const coordinator::GroupConfig& config);

  // Once every shard has its own, and before the first request.
  void connect(runtime::Shards& shards, std::vector<coordinator::GroupCoordinator*> coordinators);
  [[nodiscard]] coordinator::GroupCoordinator& coordinator() { return coordinator_; }
  [[nodiscard]] coordinator::GroupRouter& router() { return *router_; }
  // Of the groups that are led here. Others run in between.
  [[nodiscard]] runtime::Task<std::vector<coordinator::CommittedPosition>> committed_positions();
  // Answers everyone who is parked, and waits until nothing runs. Before the partitions close.
  [[nodiscard]] runtime::Task<void> stop();

  // LeadershipListener
  void on_leading(const PartitionRef& partition) override;
  void on_stopped_leading(const std::string& topic, std::int32_t partition) override;
  void on_topics_deleted(const std::vector<TopicId>& ids, const std::vector<std::string>& names) override;

  // coordinator::PartitionWriter
  [[nodiscard]] runtime::Task<Result<Offset>> append(std::int32_t partition, LeaderEpoch epoch, Slice batch) override;
  [[nodiscard]] runtime::Task<Result<>> wait_committed(std::int32_t partition, Offset last) override;
  [[nodiscard]] runtime::Task<Result<Chunk>> read(std::int32_t partition, Offset from, std::size_t max_bytes) override;

 private:
  [[nodiscard]] Result<PartitionRef> led(std::int32_t partition) const;
  [[nodiscard]] std::int32_t partition_count() const;
  [[nodiscard]] std::size_t shard_of(std::int32_t partition) const;

  BrokerShard& here_;
  const std::int32_t default_partitions_;
  std::map<std::int32_t, PartitionRef> led_;
  bool stopping_ = false;
  coordinator::GroupCoordinator coordinator_;
  std::optional<coordinator::GroupRouter> router_;
};

}  // namespace dohle::broker

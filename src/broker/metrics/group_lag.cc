#include "metrics/group_lag.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <runtime/shard.h>
#include <runtime/sync.h>

#include "groups/shard_groups.h"
#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

using coordinator::CommittedPosition;
using runtime::Task;

Task<Samples> lag_on(BrokerShard* shard, std::vector<std::pair<TopicIdPartition, CommittedPosition>> positions) {
  constexpr std::size_t kItemsPerTurn = 256;
  Samples out;
  std::size_t count = 0;
  for (const auto& [id, position] : positions) {
    if (++count % kItemsPerTurn == 0) co_await runtime::yield();
    const auto leader = shard->leader_of(id);
    if (!leader) continue;
    const std::string labels = label_text({{"consumergroup", position.group},
                                           {"topic", position.partition.topic},
                                           {"partition", std::to_string(position.partition.partition)}});
    out.put(Metric::kGroupOffset, labels, position.offset);
    const std::int64_t behind = (*leader)->high_watermark().value() - position.offset;
    out.put(Metric::kGroupLag, labels, std::max<std::int64_t>(behind, 0));
  }
  co_return out;
}

}  // namespace

Task<Samples> group_lag_samples(Broker& broker) {
  std::vector<std::vector<std::pair<TopicIdPartition, CommittedPosition>>> by_shard(broker.shard_count());
  for (std::size_t i = 0; i < broker.shard_count(); ++i) {
    BrokerShard& shard = broker.at(i);
    auto positions =
        co_await runtime::submit_to(shard.shard(), [&shard] { return shard.groups().committed_positions(); });
    const auto image = broker.at(0).image();
    for (auto& position : positions) {
      const auto* topic = image->topics().find(position.partition.topic);
      if (topic == nullptr) continue;
      const TopicIdPartition id{topic->id, position.partition.partition};
      by_shard[broker.shard_of(id)].emplace_back(id, std::move(position));
    }
  }
  Samples out;
  for (std::size_t i = 0; i < by_shard.size(); ++i) {
    if (by_shard[i].empty()) continue;
    BrokerShard& shard = broker.at(i);
    out.merge(co_await runtime::submit_to(
        shard.shard(), [&shard, mine = std::move(by_shard[i])]() mutable { return lag_on(&shard, std::move(mine)); }));
  }
  co_return out;
}

}  // namespace dohle::broker

#include "fetch/fetch_round.h"

#include <map>
#include <memory>
#include <utility>

#include <runtime/shard.h>
#include <runtime/start_all.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

using Indices = std::vector<std::size_t>;

std::map<std::size_t, Indices> group_by_shard(Broker& broker, const std::vector<ReadItem>& items) {
  std::map<std::size_t, Indices> groups;
  for (std::size_t i = 0; i < items.size(); ++i) groups[broker.shard_of(items[i].id)].push_back(i);
  return groups;
}

runtime::Task<std::vector<ReadOutcome>> read_on(BrokerShard& owner, std::vector<ReadItem> items, ReadBudget budget) {
  co_return co_await runtime::submit_to(owner.shard(), [&owner, items = std::move(items), budget]() mutable {
    return read_partitions(owner, std::move(items), budget);
  });
}

runtime::Task<std::vector<ReadOutcome>> read_everywhere(BrokerShard& here, const std::vector<ReadItem>& items,
                                                        ReadBudget budget) {
  const auto groups = group_by_shard(here.broker(), items);
  std::vector<runtime::Task<std::vector<ReadOutcome>>> tasks;
  for (const auto& [shard, indices] : groups) {
    std::vector<ReadItem> group;
    for (const std::size_t index : indices) group.push_back(items[index]);
    tasks.push_back(read_on(here.broker().at(shard), std::move(group), budget));
  }
  auto results = co_await runtime::start_all(std::move(tasks));
  std::vector<ReadOutcome> ordered(items.size());
  std::size_t g = 0;
  for (const auto& [shard, indices] : groups) {
    for (std::size_t i = 0; i < indices.size(); ++i) ordered[indices[i]] = std::move(results[g][i]);
    ++g;
  }
  co_return ordered;
}

// Watches of one shard's partitions; made, filled and emptied on that shard.
struct WatchSet {
  std::vector<std::pair<PartitionRef, replication::Partition::WatchId>> watches;
};

void watch_on(BrokerShard& owner, const std::shared_ptr<WatchSet>& set, const TopicIdPartition& id, Offset seen,
              runtime::Executor& home, const runtime::Promise<>& news) {
  const auto partition = owner.leader_of(id);
  auto tell = [&home, news] { home.post([news = runtime::Promise<>(news)]() mutable { news.try_set(); }); };
  if (!partition) {
    tell();
    return;
  }
  const auto watch = (*partition)->watch(seen, tell);
  set->watches.emplace_back(*partition, watch);
}

}  // namespace

runtime::Task<FetchRound> read_round(BrokerShard& here, std::vector<ReadItem> items, ReadBudget budget) {
  FetchRound round;
  round.outcomes = co_await read_everywhere(here, items, budget);
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto& outcome = round.outcomes[i];
    const bool over = outcome.bytes > budget.bytes && (round.bytes > 0 || budget.hard);
    if (over && budget.bytes == 0) {
      outcome.records.clear();
      outcome.bytes = 0;
    } else if (over) {
      auto again = co_await read_everywhere(here, {items[i]}, {.bytes = budget.bytes, .hard = true});
      outcome = std::move(again.front());
    }
    round.bytes += outcome.bytes;
    budget.bytes -= static_cast<std::uint32_t>(std::min<std::uint64_t>(outcome.bytes, budget.bytes));
    if (outcome.error != protocol::ErrorCode::kNone || outcome.diverging) round.answer_now = true;
  }
  co_return round;
}

runtime::Task<void> wait_for_news(BrokerShard& here, const std::vector<ReadItem>& items, const FetchRound& seen,
                                  runtime::Duration timeout) {
  runtime::Promise<> news;
  auto arrived = news.future();
  runtime::Executor& home = here.shard().executor();
  const auto timer = home.start_timer(timeout, [news]() mutable { news.try_set(); });
  std::vector<std::pair<runtime::Executor*, std::shared_ptr<WatchSet>>> sets;
  for (const auto& [shard, indices] : group_by_shard(here.broker(), items)) {
    BrokerShard& owner = here.broker().at(shard);
    auto set = std::make_shared<WatchSet>();
    std::vector<std::pair<TopicIdPartition, Offset>> wanted;
    for (const std::size_t i : indices) wanted.emplace_back(items[i].id, seen.outcomes[i].high_watermark);
    auto place = [&owner, set, wanted = std::move(wanted), &home, news] {
      for (const auto& [id, offset] : wanted) watch_on(owner, set, id, offset, home, news);
    };
    if (owner.shard().executor().is_current()) {
      place();
    } else {
      owner.shard().executor().post(std::move(place));
    }
    sets.emplace_back(&owner.shard().executor(), std::move(set));
  }
  co_await arrived;
  home.cancel_timer(timer);
  for (auto& [executor, set] : sets) {
    auto clear = [done = std::move(set)] {
      for (auto& [partition, watch] : done->watches) partition->unwatch(watch);
      done->watches.clear();
    };
    if (executor->is_current()) {
      clear();
    } else {
      executor->post(std::move(clear));
    }
  }
}

}  // namespace dohle::broker

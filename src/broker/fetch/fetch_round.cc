#include "fetch/fetch_round.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <base/mutant.h>
#include <runtime/shard.h>
#include <runtime/start_all.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {

using Indices = std::vector<std::size_t>;

// By shard; nothing when all of them live here.
std::vector<Indices> spread(BrokerShard& here, const std::vector<ReadItem>& items) {
  Broker& broker = here.broker();
  const auto is_here = [&](const ReadItem& item) { return broker.shard_of(item.id) == here.shard().id(); };
  if (broker.shard_count() == 1 || std::ranges::all_of(items, is_here)) return {};
  std::vector<Indices> out(broker.shard_count());
  for (std::size_t i = 0; i < items.size(); ++i) out[broker.shard_of(items[i].id)].push_back(i);
  return out;
}

runtime::Task<std::vector<ReadOutcome>> read_on(BrokerShard& owner, std::vector<ReadItem> items, ReadBudget budget) {
  co_return co_await runtime::submit_to(
      owner.shard(), [&owner, items = std::move(items), budget]() { return read_partitions(owner, items, budget); });
}

runtime::Task<std::vector<ReadOutcome>> read_everywhere(BrokerShard& here, const std::vector<ReadItem>& items,
                                                        ReadBudget budget) {
  const auto shards = spread(here, items);
  if (shards.empty()) co_return co_await read_partitions(here, items, budget);
  std::vector<runtime::Task<std::vector<ReadOutcome>>> tasks;
  std::vector<const Indices*> asked;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    if (shards[shard].empty()) continue;
    std::vector<ReadItem> group;
    for (const std::size_t index : shards[shard]) group.push_back(items[index]);
    tasks.push_back(read_on(here.broker().at(shard), std::move(group), budget));
    asked.push_back(&shards[shard]);
  }
  auto results = co_await runtime::start_all(std::move(tasks));
  std::vector<ReadOutcome> ordered(items.size());
  for (std::size_t g = 0; g < asked.size(); ++g) {
    for (std::size_t i = 0; i < asked[g]->size(); ++i) ordered[(*asked[g])[i]] = std::move(results[g][i]);
  }
  co_return ordered;
}

// A fetch that waits at a partition. News go home, to where the fetch waits.
class NewsWatch final : public replication::Partition::Watch {
 public:
  ~NewsWatch() override { leave(); }  // while the partition lives
  void place(BrokerShard& owner, const TopicIdPartition& id, Offset seen, runtime::Promise<> news,
             runtime::Executor& home) {
    news_.emplace(std::move(news));
    home_ = &home;
    const auto partition = owner.leader_of(id);
    if (!partition) return wake();
    partition_ = *partition;
    partition_->watch(seen, *this);
  }

 private:
  void wake() override {
    if (home_->is_current()) {
      news_->try_set();
    } else if (!DOHLE_MUTANT("broker.lost_wake_between_shards")) {
      home_->post([news = *news_]() mutable { news.try_set(); });
    }
  }
  PartitionRef partition_;
  std::optional<runtime::Promise<>> news_;
  runtime::Executor* home_ = nullptr;
};
using Watches = std::unique_ptr<NewsWatch[]>;

// Watches of one other shard's partitions; made, filled and emptied there.
struct ForeignWatches {
  std::vector<std::pair<TopicIdPartition, Offset>> wanted;
  Watches watches;
};

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
  const auto shards = spread(here, items);
  const std::size_t own = here.shard().id();
  const std::size_t local = shards.empty() ? items.size() : shards[own].size();
  const Watches watches = std::make_unique<NewsWatch[]>(local);
  for (std::size_t i = 0; i < local; ++i) {
    const std::size_t at = shards.empty() ? i : shards[own][i];
    watches[i].place(here, items[at].id, seen.outcomes[at].high_watermark, news, home);
  }
  std::vector<std::pair<runtime::Executor*, std::shared_ptr<ForeignWatches>>> foreign;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    if (shard == own || shards[shard].empty()) continue;
    BrokerShard& owner = here.broker().at(shard);
    auto set = std::make_shared<ForeignWatches>();
    for (const std::size_t i : shards[shard]) set->wanted.emplace_back(items[i].id, seen.outcomes[i].high_watermark);
    owner.shard().executor().post([&owner, set, &home, news] {
      set->watches = std::make_unique<NewsWatch[]>(set->wanted.size());
      for (std::size_t i = 0; i < set->wanted.size(); ++i) {
        set->watches[i].place(owner, set->wanted[i].first, set->wanted[i].second, news, home);
      }
    });
    foreign.emplace_back(&owner.shard().executor(), std::move(set));
  }
  co_await arrived;
  home.cancel_timer(timer);
  for (auto& [executor, set] : foreign) {
    executor->post([done = std::move(set)] { done->watches.reset(); });
  }
}

}  // namespace dohle::broker

// One request, partitions on several shards: each item is worked on by the shard where its partition lives.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <runtime/shard.h>
#include <runtime/start_all.h>
#include <runtime/task.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {

template <typename R>
struct PendingCalls {
  runtime::Future<std::vector<std::vector<R>>> groups;
  std::vector<std::vector<std::size_t>> indices;  // which items went into each group
  std::size_t count = 0;
};

namespace detail {

template <typename Item, typename R>
runtime::Task<std::vector<R>> run_group(BrokerShard& owner, std::vector<Item> items,
                                        runtime::Task<R> (*work)(BrokerShard&, Item)) {
  std::vector<runtime::Task<R>> tasks;
  tasks.reserve(items.size());
  for (auto& item : items) tasks.push_back(work(owner, std::move(item)));
  co_return co_await runtime::start_all(std::move(tasks));
}

template <typename Item, typename R>
runtime::Task<std::vector<R>> send_group(BrokerShard& owner, std::vector<Item> items,
                                         runtime::Task<R> (*work)(BrokerShard&, Item)) {
  co_return co_await runtime::submit_to(owner.shard(), [&owner, items = std::move(items), work]() mutable {
    return run_group<Item, R>(owner, std::move(items), work);
  });
}

}  // namespace detail

// When this returns, every item is queued at its shard (those of this shard have run up to their first wait), in the
// order of `items` among those of one shard. Item has a member `id` (TopicIdPartition); neither Item nor R may hold a
// Slice, only ForeignSlice.
template <typename Item, typename R>
PendingCalls<R> start_calls(BrokerShard& here, std::vector<Item> items, runtime::Task<R> (*work)(BrokerShard&, Item)) {
  Broker& broker = here.broker();
  std::map<std::size_t, std::pair<std::vector<std::size_t>, std::vector<Item>>> by_shard;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto& [indices, group] = by_shard[broker.shard_of(items[i].id)];
    indices.push_back(i);
    group.push_back(std::move(items[i]));
  }
  std::vector<runtime::Task<std::vector<R>>> tasks;
  std::vector<std::vector<std::size_t>> indices;
  for (auto& [shard, group] : by_shard) {
    indices.push_back(std::move(group.first));
    tasks.push_back(detail::send_group<Item, R>(broker.at(shard), std::move(group.second), work));
  }
  return {runtime::start_all(std::move(tasks)), std::move(indices), items.size()};
}

// The results, in the order of the items.
template <typename R>
runtime::Task<std::vector<R>> collect(PendingCalls<R> pending) {
  auto groups = co_await pending.groups;
  std::vector<std::optional<R>> ordered(pending.count);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t i = 0; i < groups[g].size(); ++i) ordered[pending.indices[g][i]].emplace(std::move(groups[g][i]));
  }
  std::vector<R> out;
  out.reserve(ordered.size());
  for (auto& result : ordered) out.push_back(std::move(*result));
  co_return out;
}

template <typename Item, typename R>
runtime::Task<std::vector<R>> call_partitions(BrokerShard& here, std::vector<Item> items,
                                              runtime::Task<R> (*work)(BrokerShard&, Item)) {
  return collect(start_calls(here, std::move(items), work));
}

}  // namespace dohle::broker

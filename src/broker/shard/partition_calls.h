// One request, partitions on several shards: each item is worked on by the shard where its partition lives.
#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <runtime/executor.h>
#include <runtime/shard.h>
#include <runtime/task.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {

namespace detail {

// What is still to come for a request; touched on its shard only.
template <typename R>
struct Calls {
  explicit Calls(std::size_t count) : results(count), missing(count) {}
  void finish(std::size_t at, R result) {
    results[at] = std::move(result);
    if (--missing == 0 && waiter) runtime::Executor::current()->resume_later(std::exchange(waiter, nullptr));
  }
  std::vector<R> results;
  std::size_t missing;
  std::coroutine_handle<> waiter;
};

// The items of one other shard, and then their results on the way back; touched there only.
template <typename Item, typename R>
struct Group {
  std::shared_ptr<Calls<R>> calls;
  runtime::Executor* home;
  std::vector<std::pair<std::size_t, Item>> items;
  std::vector<std::pair<std::size_t, R>> results;

  void finish(std::size_t at, R result) {
    results.emplace_back(at, std::move(result));
    if (results.size() < items.size()) return;
    home->post([calls = std::move(calls), results = std::move(results)]() mutable {
      for (auto& [index, each] : results) calls->finish(index, std::move(each));
    });
  }
};

template <typename To, typename Item, typename R>
runtime::Task<void> run_call(std::shared_ptr<To> to, std::size_t at, BrokerShard& owner, Item item,
                             runtime::Task<R> (*work)(BrokerShard&, Item)) {
  to->finish(at, co_await work(owner, std::move(item)));
}

template <typename Item, typename R>
void send_group(BrokerShard& owner, std::shared_ptr<Group<Item, R>> group,
                runtime::Task<R> (*work)(BrokerShard&, Item)) {
  owner.shard().executor().post([&owner, group = std::move(group), work] {
    group->results.reserve(group->items.size());
    for (auto& [at, item] : group->items) runtime::spawn(run_call(group, at, owner, std::move(item), work));
  });
}

}  // namespace detail

template <typename R>
class [[nodiscard]] PendingCalls {
 public:
  explicit PendingCalls(std::shared_ptr<detail::Calls<R>> calls) : calls_(std::move(calls)) {}
  // Awaited once, on the shard of the request: the results, in the order of the items.
  [[nodiscard]] bool await_ready() const { return calls_->missing == 0; }
  void await_suspend(std::coroutine_handle<> waiter) { calls_->waiter = waiter; }
  [[nodiscard]] std::vector<R> await_resume() { return std::move(calls_->results); }

 private:
  std::shared_ptr<detail::Calls<R>> calls_;
};

// When this returns, every item is queued at its shard (those of this shard have run up to their first wait), in the
// order of `items` among those of one shard. Item has a member `id` (TopicIdPartition); neither Item nor R may hold a
// Slice, only ForeignSlice.
template <typename Item, typename R>
PendingCalls<R> start_calls(BrokerShard& here, std::vector<Item> items, runtime::Task<R> (*work)(BrokerShard&, Item)) {
  Broker& broker = here.broker();
  const std::size_t own = here.shard().id();
  auto calls = std::make_shared<detail::Calls<R>>(items.size());
  std::vector<std::shared_ptr<detail::Group<Item, R>>> groups;  // by shard; empty while all is here
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t shard = broker.shard_of(items[i].id);
    if (shard == own) {
      runtime::spawn(detail::run_call(calls, i, here, std::move(items[i]), work));
      continue;
    }
    groups.resize(broker.shard_count());
    auto& group = groups[shard];
    if (!group) group = std::make_shared<detail::Group<Item, R>>(calls, &here.shard().executor());
    group->items.emplace_back(i, std::move(items[i]));
  }
  for (std::size_t shard = 0; shard < groups.size(); ++shard) {
    if (groups[shard]) detail::send_group(broker.at(shard), std::move(groups[shard]), work);
  }
  return PendingCalls<R>(std::move(calls));
}

template <typename Item, typename R>
runtime::Task<std::vector<R>> call_partitions(BrokerShard& here, std::vector<Item> items,
                                              runtime::Task<R> (*work)(BrokerShard&, Item)) {
  co_return co_await start_calls(here, std::move(items), work);
}

}  // namespace dohle::broker

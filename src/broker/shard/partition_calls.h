// One request, partitions on several shards: each item is worked on by the shard where its partition lives.
#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <absl/container/inlined_vector.h>

#include <runtime/executor.h>
#include <runtime/shard.h>
#include <runtime/task.h>

#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {

// In the order of the items; most requests name one partition.
template <typename R>
using CallResults = absl::InlinedVector<R, 1>;

namespace detail {

// What is still to come for a request; touched on its shard only.
template <typename R>
struct Calls {
  explicit Calls(std::size_t count) : results(count), missing(count) {}
  void finish(std::size_t at, R result) {
    results[at] = std::move(result);
    if (--missing == 0 && waiter) runtime::Executor::current()->resume_later(std::exchange(waiter, nullptr));
  }
  CallResults<R> results;
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

template <typename To, typename R>
runtime::Task<void> run_call(std::shared_ptr<To> to, std::size_t at, runtime::Task<R> call) {
  to->finish(at, co_await std::move(call));
}

template <typename To, typename R>
void take_call(const std::shared_ptr<To>& to, std::size_t at, runtime::ValueTask<R> call) {
  if (call.is_ready()) {
    to->finish(at, call.take_value());
  } else {
    runtime::spawn(run_call(to, at, call.take_task()));
  }
}

template <typename Item, typename Called>
void send_group(BrokerShard& owner, std::shared_ptr<Group<Item, typename Called::value_type>> group,
                Called (*work)(BrokerShard&, Item)) {
  owner.shard().executor().post([&owner, group = std::move(group), work] {
    group->results.reserve(group->items.size());
    for (auto& [at, item] : group->items) {
      take_call<Group<Item, typename Called::value_type>, typename Called::value_type>(group, at,
                                                                                     work(owner, std::move(item)));
    }
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
  [[nodiscard]] CallResults<R> await_resume() { return std::move(calls_->results); }

 private:
  std::shared_ptr<detail::Calls<R>> calls_;
};

// When this returns, every item is queued at its shard (those of this shard have run up to their first wait), in the
// order of `items` among those of one shard. `work` returns a Task or a ValueTask. Item has a member `id`
// (TopicIdPartition); neither Item nor the result may hold a Slice, only ForeignSlice. The items are moved away.
template <typename Item, typename Called>
PendingCalls<typename Called::value_type> start_calls(BrokerShard& here, std::span<Item> items,
                                                      Called (*work)(BrokerShard&, Item)) {
  using R = typename Called::value_type;
  Broker& broker = here.broker();
  const std::size_t own = here.shard().id();
  auto calls = std::make_shared<detail::Calls<R>>(items.size());
  std::vector<std::shared_ptr<detail::Group<Item, R>>> groups;  // by shard; empty while all is here
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t shard = broker.shard_of(items[i].id);
    if (shard == own) {
      detail::take_call<detail::Calls<R>, R>(calls, i, work(here, std::move(items[i])));
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

template <typename Item, typename Called>
runtime::Task<CallResults<typename Called::value_type>> call_partitions(BrokerShard& here, std::vector<Item> items,
                                                                       Called (*work)(BrokerShard&, Item)) {
  co_return co_await start_calls(here, std::span(items), work);
}

}  // namespace dohle::broker

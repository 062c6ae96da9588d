// start_all: runs several tasks at once on the calling shard and waits for all of them.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <runtime/future.h>
#include <runtime/task.h>

namespace dohle::runtime {

namespace detail {

template <typename T>
struct Joined {
  std::vector<std::optional<T>> values;
  std::size_t missing = 0;
  runtime::Promise<std::vector<T>> promise;

  void finish() {
    std::vector<T> all;
    all.reserve(values.size());
    for (auto& value : values) all.push_back(std::move(*value));
    promise.set(std::move(all));
  }
};

template <typename T>
Task<void> join_one(Task<T> task, std::shared_ptr<Joined<T>> joined, std::size_t index) {
  joined->values[index].emplace(co_await std::move(task));
  if (--joined->missing == 0) joined->finish();
}

}  // namespace detail

// Each task runs up to its first wait, in order, before this returns; the future holds their values in the same order.
template <typename T>
Future<std::vector<T>> start_all(std::vector<Task<T>> tasks) {
  auto joined = std::make_shared<detail::Joined<T>>();
  auto future = joined->promise.future();
  joined->values.resize(tasks.size());
  joined->missing = tasks.size();
  if (tasks.empty()) joined->finish();
  for (std::size_t i = 0; i < tasks.size(); ++i) spawn(detail::join_one(std::move(tasks[i]), joined, i));
  return future;
}

}  // namespace dohle::runtime

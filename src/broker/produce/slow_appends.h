// SlowAppends: keeps the order of a connection's appends to a partition while one of them has to wait: for a slow disk,
// or for its validation in slices. Others pass by. One shard.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include <base/ids.h>
#include <runtime/sync.h>
#include <runtime/task.h>

namespace dohle::broker {

class SlowAppends {
 public:
  using Key = std::pair<std::uint64_t, TopicIdPartition>;  // connection, partition

  // A place in the row; the next one goes on when it is given up.
  class Turn {
   public:
    Turn(SlowAppends& all, Key key, std::shared_ptr<runtime::Mutex> row, runtime::Mutex::Hold hold)
        : all_(&all), key_(std::move(key)), row_(std::move(row)), hold_(std::move(hold)) {}
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (row_ != nullptr) all_->leave(key_);
    }

   private:
    SlowAppends* all_;
    Key key_;
    std::shared_ptr<runtime::Mutex> row_;
    runtime::Mutex::Hold hold_;  // first to go, while the row still stands
  };

  // Whether appends of this key have to queue.
  [[nodiscard]] bool has(const Key& key) const { return !rows_.empty() && rows_.contains(key); }
  // Takes a place in the row before the first wait.
  [[nodiscard]] runtime::Task<Turn> turn(Key key) {
    Row& row = rows_[key];
    if (row.mutex == nullptr) row.mutex = std::make_shared<runtime::Mutex>();
    ++row.places;
    const auto mutex = row.mutex;
    auto hold = co_await mutex->lock();
    co_return Turn(*this, std::move(key), mutex, std::move(hold));
  }

 private:
  struct Row {
    std::shared_ptr<runtime::Mutex> mutex;
    std::size_t places = 0;
  };
  void leave(const Key& key) {
    const auto found = rows_.find(key);
    if (--found->second.places == 0) rows_.erase(found);
  }
  std::map<Key, Row> rows_;
};

}  // namespace dohle::broker

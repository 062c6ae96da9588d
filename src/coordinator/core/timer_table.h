// TimerTable: a coordinator's timers on the executor of its shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <coordinator/core/turn.h>
#include <runtime/executor.h>

namespace dohle::coordinator {

class TimerTable : public Timers {
 public:
  // `fire` runs the action of a timer in a turn of its own.
  TimerTable(runtime::Executor& executor, std::move_only_function<void(const TimerAction&)> fire)
      : executor_(executor), fire_(std::move(fire)) {}
  ~TimerTable() override { cancel_all(); }

  void schedule(const std::string& key, std::int64_t delay_ms, TimerAction action) override;
  void cancel(const std::string& key) override;
  void cancel_all();

 private:
  struct Entry {
    runtime::TimerId id = runtime::kNoTimer;
    TimerAction action;
  };
  void fired(const std::string& key);

  runtime::Executor& executor_;
  std::move_only_function<void(const TimerAction&)> fire_;
  std::map<std::string, Entry> entries_;
};

}  // namespace dohle::coordinator

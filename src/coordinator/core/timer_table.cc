#include "core/timer_table.h"

#include <algorithm>
#include <chrono>

namespace dohle::coordinator {

void TimerTable::schedule(const std::string& key, std::int64_t delay_ms, TimerAction action) {
  cancel(key);
  Entry& entry = entries_[key];
  entry.action = std::move(action);
  const auto delay = std::chrono::milliseconds(std::max<std::int64_t>(delay_ms, 0));
  entry.id = executor_.start_timer(delay, [this, key] { fired(key); });
}

void TimerTable::cancel(const std::string& key) {
  auto at = entries_.find(key);
  if (at == entries_.end()) return;
  executor_.cancel_timer(at->second.id);
  entries_.erase(at);
}

void TimerTable::cancel_all() {
  for (auto& [key, entry] : entries_) executor_.cancel_timer(entry.id);
  entries_.clear();
}

void TimerTable::fired(const std::string& key) {
  auto at = entries_.find(key);
  if (at == entries_.end()) return;
  TimerAction action = std::move(at->second.action);
  entries_.erase(at);
  fire_(action);
}

}  // namespace dohle::coordinator

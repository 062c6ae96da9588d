#include <runtime/memory/memory_world.h>

#include <algorithm>

#include <base/check.h>

#include "memory_shard.h"

namespace dohle::runtime {
namespace {
// A run that takes this many steps without time passing is an endless loop.
constexpr std::uint64_t kStepLimit = 50'000'000;
}  // namespace

MemoryWorld::MemoryWorld(std::uint64_t seed) : random_(seed), fabric_(*this, random_.next()) {}
MemoryWorld::~MemoryWorld() = default;

void MemoryWorld::set_ready(MemoryRunnable& who, bool ready) {
  const bool is_ready = who.ready_at_ != MemoryRunnable::kNotReady;
  if (is_ready == ready) return;
  if (ready) {
    who.ready_at_ = ready_.size();
    ready_.push_back(&who);
    return;
  }
  auto* const last = ready_.back();
  ready_[who.ready_at_] = last;
  last->ready_at_ = who.ready_at_;
  ready_.pop_back();
  who.ready_at_ = MemoryRunnable::kNotReady;
}

TimerId MemoryWorld::add_timer(Duration after, MemoryExecutor* target, Work work) {
  const TimerId id = next_timer_++;
  const Duration deadline = clock_.now().since_start + std::max(after, Duration{0});
  timers_.emplace(TimerKey(deadline, id), Timer{target, std::move(work)});
  timer_deadlines_.emplace_hint(timer_deadlines_.end(), id, deadline);
  return id;
}

void MemoryWorld::cancel(TimerId id) {
  const auto at = timer_deadlines_.find(id);
  if (at == timer_deadlines_.end()) return;
  timers_.erase(TimerKey(at->second, id));
  timer_deadlines_.erase(at);
}

std::vector<Work> MemoryWorld::take_timers(const MemoryExecutor& target) {
  std::vector<Work> taken;
  for (auto at = timers_.begin(); at != timers_.end();) {
    if (at->second.target != &target) {
      ++at;
      continue;
    }
    taken.push_back(std::move(at->second.work));
    timer_deadlines_.erase(at->first.second);
    at = timers_.erase(at);
  }
  return taken;
}

bool MemoryWorld::run_one() {
  if (ready_.empty()) return false;
  ++steps_;
  auto* const who = ready_[ready_.size() == 1 ? 0 : random_.below(ready_.size())];
  who->run_one(random_);
  return true;
}

void MemoryWorld::run_until_idle() {
  std::uint64_t steps = 0;
  while (run_one()) DOHLE_CHECK(++steps < kStepLimit);
}

void MemoryWorld::fire_due() {
  while (!timers_.empty() && timers_.begin()->first.first <= clock_.now().since_start) {
    auto node = timers_.extract(timers_.begin());
    timer_deadlines_.erase(node.key().second);
    if (node.mapped().target != nullptr) {
      node.mapped().target->post(std::move(node.mapped().work));
    } else {
      node.mapped().work();
    }
    run_until_idle();
  }
}

bool MemoryWorld::advance_to_next_timer(Duration limit) {
  run_until_idle();
  if (timers_.empty()) return false;
  const MonotonicTime next{timers_.begin()->first.first};
  if (next - clock_.now() > limit) return false;
  if (next > clock_.now()) clock_.advance(next - clock_.now());
  fire_due();
  return true;
}

void MemoryWorld::advance(Duration by) {
  const MonotonicTime end = clock_.now() + by;
  while (advance_to_next_timer(end - clock_.now())) {
  }
  if (end > clock_.now()) clock_.advance(end - clock_.now());
}

bool MemoryWorld::try_run_until(const std::function<bool()>& done, Duration limit) {
  const MonotonicTime end = clock_.now() + limit;
  std::uint64_t steps = 0;
  while (!done()) {
    DOHLE_CHECK(++steps < kStepLimit);
    if (run_one()) continue;
    if (!advance_to_next_timer(end - clock_.now())) return false;
  }
  return true;
}

void MemoryWorld::run_until(const std::function<bool()>& done, Duration limit) {
  const bool happened = try_run_until(done, limit);
  DOHLE_CHECK(happened && "nothing left to do, and the awaited has not happened");
}

}  // namespace dohle::runtime

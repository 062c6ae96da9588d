#include <runtime/memory/memory_shards.h>

#include <algorithm>

#include <base/check.h>

#include "memory_shard.h"

namespace dohle::runtime {
namespace {
// A run that takes this many steps without time passing is an endless loop.
constexpr std::uint64_t kStepLimit = 50'000'000;
}  // namespace

void MemoryExecutor::resume_later(std::coroutine_handle<> handle) {
  DOHLE_CHECK(is_current());
  local_.push_back(handle);
}

TimerId MemoryExecutor::start_timer(Duration after, Work work) {
  DOHLE_CHECK(is_current());
  const TimerId id = world_->next_timer_++;
  const Duration deadline = world_->clock_.now().since_start + std::max(after, Duration{0});
  world_->timers_.emplace(std::pair(deadline, id), MemoryShards::Timer{shard_, std::move(work)});
  world_->timer_deadlines_.emplace(id, deadline);
  return id;
}

void MemoryExecutor::cancel_timer(TimerId id) {
  const auto at = world_->timer_deadlines_.find(id);
  if (at == world_->timer_deadlines_.end()) return;
  world_->timers_.erase(std::pair(at->second, id));
  world_->timer_deadlines_.erase(at);
}

void MemoryExecutor::run_one(Random& random) {
  const bool from_posted = local_.empty() || (!posted_.empty() && random.below(2) == 0);
  if (from_posted) {
    Work work = std::move(posted_.front());
    posted_.pop_front();
    work();
    return;
  }
  const auto handle = local_.front();
  local_.pop_front();
  handle.resume();
}

void MemoryExecutor::clear() {
  while (!posted_.empty()) posted_.pop_front();
}

void MemoryBufferHome::release_from_foreign(BufferBlock* block) {
  inbox_.push_back(block);
  if (inbox_.size() == 1) executor_->post([this] { drain(); });
}

void MemoryBufferHome::drain() {
  for (auto* block : std::exchange(inbox_, {})) release_now(block);
}

MemoryIoThread::~MemoryIoThread() {
  while (!pieces_.empty()) run_one();
  std::erase(world_->io_threads_, this);
}

void MemoryIoThread::post(Work work) {
  const MonotonicTime now = world_->clock().now();
  const MonotonicTime starts = pieces_.empty() ? now : std::max(now, pieces_.back().ends);
  pieces_.push_back({starts + world_->io_delay_, std::move(work)});
}

std::optional<MonotonicTime> MemoryIoThread::next() const {
  if (pieces_.empty()) return std::nullopt;
  return pieces_.front().ends;
}

void MemoryIoThread::run_one() {
  Executor* const executor = Executor::current();
  BufferHome* const home = BufferHome::current();
  MemoryExecutor::make_current(nullptr);
  BufferHome::set_current(nullptr);
  {
    Work work = std::move(pieces_.front().work);
    pieces_.pop_front();
    work();
  }
  MemoryExecutor::make_current(executor);
  BufferHome::set_current(home);
}

MemoryShards::Scope::Scope(MemoryShard& shard)
    : executor_before_(Executor::current()), home_before_(BufferHome::current()) {
  MemoryExecutor::make_current(&shard.executor());
  BufferHome::set_current(&shard.buffers());
}

MemoryShards::Scope::~Scope() {
  MemoryExecutor::make_current(executor_before_);
  BufferHome::set_current(home_before_);
}

MemoryShards::MemoryShards(std::size_t size, std::uint64_t seed)
    : random_(seed), files_(clock_, random_.next()), fabric_(random_.next()) {
  DOHLE_CHECK(size > 0);
  for (std::size_t id = 0; id < size; ++id) {
    shards_.push_back(std::make_unique<MemoryShard>(*this, id, random_.next()));
  }
}

MemoryShards::~MemoryShards() {
  // What is still queued dies on its own shard, since it may hold slices of it.
  for (auto& [key, timer] : timers_) {
    const Scope scope(*timer.shard);
    timer.work = nullptr;
  }
  for (auto& shard : shards_) {
    const Scope scope(*shard);
    shard->executor().clear();
    shard->buffers().drain();
  }
}

Shard& MemoryShards::at(std::size_t id) { return *shards_.at(id); }

std::unique_ptr<IoThread> MemoryShards::make_io_thread(std::string) { return std::make_unique<MemoryIoThread>(*this); }

bool MemoryShards::run_one() {
  std::vector<MemoryShard*> shards;
  std::vector<MemoryIoThread*> threads;
  for (auto& shard : shards_) {
    if (shard->executor().has_work()) shards.push_back(shard.get());
  }
  for (auto* thread : io_threads_) {
    const auto next = thread->next();
    if (next && *next <= clock_.now()) threads.push_back(thread);
  }
  const std::size_t choices = shards.size() + threads.size();
  if (choices == 0) return false;
  const std::size_t choice = random_.below(choices);
  if (choice < shards.size()) {
    const Scope scope(*shards[choice]);
    shards[choice]->executor().run_one(random_);
  } else {
    threads[choice - shards.size()]->run_one();
  }
  return true;
}

void MemoryShards::run_until_idle() {
  std::uint64_t steps = 0;
  while (run_one()) DOHLE_CHECK(++steps < kStepLimit);
}

std::optional<MonotonicTime> MemoryShards::next_deadline() const {
  std::optional<MonotonicTime> soonest;
  if (!timers_.empty()) soonest = MonotonicTime{timers_.begin()->first.first};
  for (const auto* thread : io_threads_) {
    const auto next = thread->next();
    if (next && (!soonest || *next < *soonest)) soonest = next;
  }
  return soonest;
}

void MemoryShards::fire_due() {
  while (!timers_.empty() && timers_.begin()->first.first <= clock_.now().since_start) {
    auto node = timers_.extract(timers_.begin());
    timer_deadlines_.erase(node.key().second);
    node.mapped().shard->executor().post(std::move(node.mapped().work));
    run_until_idle();
  }
}

bool MemoryShards::advance_to_next_timer(Duration limit) {
  run_until_idle();
  const auto next = next_deadline();
  if (!next || *next - clock_.now() > limit) return false;
  if (*next > clock_.now()) clock_.advance(*next - clock_.now());
  fire_due();
  run_until_idle();
  return true;
}

void MemoryShards::advance(Duration by) {
  const MonotonicTime end = clock_.now() + by;
  while (advance_to_next_timer(end - clock_.now())) {
  }
  if (end > clock_.now()) clock_.advance(end - clock_.now());
}

void MemoryShards::run_until(const std::function<bool()>& done, Duration limit) {
  const MonotonicTime end = clock_.now() + limit;
  std::uint64_t steps = 0;
  while (!done()) {
    DOHLE_CHECK(++steps < kStepLimit);
    if (run_one()) continue;
    const bool time_passed = advance_to_next_timer(end - clock_.now());
    DOHLE_CHECK(time_passed && "nothing left to do, and the awaited has not happened");
  }
}

}  // namespace dohle::runtime

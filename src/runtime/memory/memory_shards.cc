#include <runtime/memory/memory_shards.h>

#include <algorithm>

#include <base/check.h>

#include "memory_shard.h"

namespace dohle::runtime {

MemoryExecutor::Channel& MemoryExecutor::channel_from(const Executor* from) {
  for (auto& channel : channels_) {
    if (channel.from == from) return channel;
  }
  return channels_.emplace_back(Channel{.from = from, .posted = {}});
}

void MemoryExecutor::post(Work work) {
  if (machine_->running_io_ != nullptr) return machine_->running_io_->post_at_end(*this, std::move(work));
  deliver(std::move(work));
}

void MemoryExecutor::deliver(Work work) {
  const Executor* from = current();
  Channel& channel = channel_from(from);
  channel.posted.push_back(std::move(work));
  if (channel.held || channel.posted.size() > 1) return;
  if (machine_->hop_delay_ > Duration{0} && from != nullptr && from != this && machine_->random().below(4) == 0) {
    channel.held = true;
    delay(channel);
    return;
  }
  ++ready_channels_;
  update_ready();
}

void MemoryExecutor::delay(Channel& channel) {
  const auto longest = static_cast<std::uint64_t>(machine_->hop_delay_.count());
  const Duration after(static_cast<std::int64_t>(1 + machine_->random().below(longest)));
  machine_->world_->at(after, [this, held = &channel] {
    held->held = false;
    ++ready_channels_;
    update_ready();
  });
}

void MemoryExecutor::update_ready() {
  machine_->world_->set_ready(*this, !frozen_ && (ready_channels_ > 0 || !local_.empty()));
}

void MemoryExecutor::resume_later(std::coroutine_handle<> handle) {
  DOHLE_CHECK(is_current());
  local_.push_back(handle);
  update_ready();
}

TimerId MemoryExecutor::start_timer(Duration after, Work work) {
  DOHLE_CHECK(is_current());
  return machine_->world_->add_timer(after, this, std::move(work));
}

void MemoryExecutor::cancel_timer(TimerId id) { machine_->world_->cancel(id); }

void MemoryExecutor::run_posted(Channel& channel) {
  Work work = std::move(channel.posted.front());
  channel.posted.pop_front();
  if (channel.posted.empty()) --ready_channels_;
  work();
}

void MemoryExecutor::run_one(Random& random) {
  const MemoryShards::Scope scope(*shard_);
  // Whoever waits longest is not known here: any order of what came from different places may happen.
  std::size_t choice = 0;
  if (ready_channels_ + (local_.empty() ? 0 : 1) > 1) choice = random.below(ready_channels_ + (local_.empty() ? 0 : 1));
  if (choice < ready_channels_) {
    for (auto& channel : channels_) {
      if (channel.held || channel.posted.empty()) continue;
      if (choice-- == 0) {
        run_posted(channel);
        break;
      }
    }
  } else {
    const auto handle = local_.front();
    local_.pop_front();
    handle.resume();
  }
  update_ready();
}

void MemoryExecutor::clear() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {  // what dies may post
    while (!channels_[i].posted.empty()) channels_[i].posted.pop_front();
  }
  dead_timers_.clear();
}

void MemoryExecutor::freeze() {
  frozen_ = true;
  dead_timers_ = machine_->world_->take_timers(*this);
  update_ready();
}

void MemoryBufferHome::release_from_foreign(BufferBlock* block) {
  inbox_.push_back(block);
  if (inbox_.size() == 1) executor_->post([this] { drain(); });
}

void MemoryBufferHome::drain() {
  for (auto* block : std::exchange(inbox_, {})) release_now(block);
}

MemoryIoThread::~MemoryIoThread() {
  while (!pieces_.empty()) run_front();
  machine_->world_->cancel(timer_);
  machine_->world_->set_ready(*this, false);
  std::erase(machine_->io_threads_, this);
}

void MemoryIoThread::post(Work work) {
  const MonotonicTime now = machine_->clock().now();
  const MonotonicTime starts = pieces_.empty() ? now : std::max(now, pieces_.back().ends);
  pieces_.push_back({starts + machine_->io_delay_, std::move(work)});
  if (pieces_.size() == 1) await_front();
}

void MemoryIoThread::await_front() {
  if (pieces_.empty() || frozen_) return machine_->world_->set_ready(*this, false);
  const Duration after = pieces_.front().ends - machine_->clock().now();
  machine_->world_->set_ready(*this, after <= Duration{0});
  if (after <= Duration{0}) return;
  timer_ = machine_->world_->at(after, [this] { await_front(); });
}

void MemoryIoThread::run_one(Random&) {
  run_front();
  await_front();
}

void MemoryIoThread::run_front() {
  Executor* const executor = Executor::current();
  BufferHome* const home = BufferHome::current();
  MemoryExecutor::make_current(nullptr);
  BufferHome::set_current(nullptr);
  {
    Work work = std::move(pieces_.front().work);
    pieces_.pop_front();
    MemoryIoThread* const before = std::exchange(machine_->running_io_, this);
    work();
    machine_->running_io_ = before;
  }
  finish_front();
  MemoryExecutor::make_current(executor);
  BufferHome::set_current(home);
}

// Results arrive when the time of slow files has passed; until then the thread is busy.
void MemoryIoThread::finish_front() {
  auto deliver = [results = std::exchange(results_, {})]() mutable {
    for (auto& [to, result] : results) to->deliver(std::move(result));
  };
  const Duration owed = std::exchange(owed_, Duration{0});
  if (owed == Duration{0}) return deliver();
  for (auto& piece : pieces_) piece.ends = piece.ends + owed;
  pieces_.push_front({machine_->clock().now() + owed, std::move(deliver)});
}

void MemoryIoThread::freeze() {
  frozen_ = true;
  machine_->world_->set_ready(*this, false);
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
    : own_world_(std::make_unique<MemoryWorld>(seed)),
      world_(own_world_.get()),
      own_files_(std::make_unique<MemoryFileSystem>(world_->clock(), world_->random().next())),
      files_(own_files_.get()),
      clock_(&world_->clock()),
      name_("127.0.0.1") {
  own_files_->set_pass_time([this](Duration time) {
    if (running_io_ != nullptr) {
      running_io_->owe(time);
    } else {
      clock().advance(time);
    }
  });
  make_shards(size);
}

MemoryShards::MemoryShards(MemoryWorld& world, MemoryProcess process)
    : world_(&world),
      files_(process.files),
      clock_(process.clock != nullptr ? process.clock : &world.clock()),
      name_(std::move(process.machine)) {
  make_shards(process.shards);
}

void MemoryShards::make_shards(std::size_t size) {
  DOHLE_CHECK(size > 0);
  for (std::size_t id = 0; id < size; ++id) {
    shards_.push_back(std::make_unique<MemoryShard>(*this, id, world_->random().next()));
  }
}

MemoryShards::~MemoryShards() {
  // What is still queued dies on its own shard, since it may hold slices of it.
  for (auto& shard : shards_) {
    const Scope scope(*shard);
    world_->take_timers(shard->executor()).clear();
  }
  for (auto& shard : shards_) {
    const Scope scope(*shard);
    shard->executor().clear();
    shard->buffers().drain();
  }
  for (auto& shard : shards_) shard->executor().freeze();
}

void MemoryShards::freeze() {
  for (auto& shard : shards_) shard->executor().freeze();
  for (auto* thread : io_threads_) thread->freeze();
}

Shard& MemoryShards::at(std::size_t id) { return *shards_.at(id); }

std::unique_ptr<IoThread> MemoryShards::make_io_thread(std::string) { return std::make_unique<MemoryIoThread>(*this); }

}  // namespace dohle::runtime

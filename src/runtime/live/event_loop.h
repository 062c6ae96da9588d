// EventLoop: one shard's thread. Runs what is queued, fires timers, waits for descriptors with epoll.
//
// Descriptors are registered once, edge-triggered, for both directions: whoever reads or writes tries the system call
// first and waits only after EAGAIN, so that a request and its answer cost one epoll_wait, one recv and one send.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <base/check.h>
#include <runtime/executor.h>
#include <runtime/live/live_shards.h>

#include "timer_heap.h"

namespace dohle::runtime {

// One direction of a descriptor: whether a system call is worth trying, and who waits until it is.
struct Readiness {
  bool ready = false;
  std::coroutine_handle<> waiter;
};

// What the loop knows of a descriptor. Its owner registers it, and keeps it until the descriptor is closed.
struct Watch {
  Readiness readable;
  Readiness writable;
  bool hung_up = false;  // the peer's end, or an error, is in the queue: reading stays worth trying
};

class EventLoop final : public Executor {
 public:
  EventLoop(const Clock& clock, std::size_t shard_count, Duration spin);
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void post(Work work) override;
  void resume_later(std::coroutine_handle<> handle) override { local_.push_back(handle); }
  TimerId start_timer(Duration after, Work work) override;
  void cancel_timer(TimerId id) override { timers_.cancel(id); }

  // Runs until stop(), in the calling thread, which becomes this shard's.
  void run();
  // From any thread.
  void stop() {
    post([this] { stopping_ = true; });
  }
  // Makes the calling thread this shard's, or no shard's again.
  void enter();
  static void leave();
  // Drops what is queued, unrun. After run(), inside enter().
  void clear();

  // Closing the descriptor takes it out again.
  void add(int descriptor, Watch& watch);
  // Wakes whoever waits on `watch`, so that it finds out that its descriptor was closed.
  void wake(Watch& watch);

  // Collects a release for the shard of `home`; sent at the end of this turn of the loop.
  void send_release(EventLoop& home, BufferBlock* block);

  struct Counters {
    std::atomic<std::uint64_t> polls{0};
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> writes{0};
    std::atomic<std::uint64_t> wakes{0};
  };
  Counters& counters() { return counters_; }
  // One writer: this shard's thread.
  static void count(std::atomic<std::uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // The loop of the calling thread, or null.
  [[nodiscard]] static EventLoop* here();

 private:
  struct Letter {
    Letter* next;
    Work work;
  };
  struct Releases {
    EventLoop* home;
    std::vector<BufferBlock*> blocks;
  };

  [[nodiscard]] bool has_work() const { return !local_.empty() || !posted_.empty(); }
  void run_queued();
  void fire_timers();
  void take_inbox();
  void flush_releases();
  [[nodiscard]] bool spin_for_letters() const;
  // How long epoll may wait: 0 when there is work, -1 for ever.
  [[nodiscard]] std::int64_t wait_ns() const;
  void poll();
  int wait_for_events(std::int64_t timeout_ns);
  void dispatch(std::uint32_t events, Watch* watch);

  const Clock* clock_;
  std::size_t shard_count_;
  Duration spin_;
  int epoll_ = -1;
  int wake_event_ = -1;
  bool stopping_ = false;
  bool crossed_ = false;      // messages went to or came from another shard since the last wait
  bool precise_wait_ = true;  // epoll_pwait2 is there
  std::deque<std::coroutine_handle<>> local_;
  std::deque<Work> posted_;
  TimerHeap timers_;
  std::vector<Releases> releases_;
  alignas(64) std::atomic<Letter*> inbox_{nullptr};  // newest first
  std::atomic<bool> sleeping_{false};
  alignas(64) Counters counters_;
};

// co_await until(loop, readiness): suspends until the loop finds the descriptor ready, or wake().
struct Until {
  Readiness* readiness;
  [[nodiscard]] bool await_ready() const noexcept { return readiness->ready; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    DOHLE_CHECK(!readiness->waiter);
    readiness->waiter = waiter;
  }
  void await_resume() const noexcept {}
};

}  // namespace dohle::runtime

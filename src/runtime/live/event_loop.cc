#include "event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <base/check.h>

namespace dohle::runtime {
namespace {

thread_local EventLoop* this_loop = nullptr;

constexpr int kEventsPerPoll = 128;
// Pieces of work between two looks at the descriptors.
constexpr int kPiecesPerTurn = 256;

}  // namespace

EventLoop::EventLoop(const Clock& clock, std::size_t shard_count, Duration spin)
    : clock_(&clock), shard_count_(shard_count), spin_(spin) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  DOHLE_CHECK(epoll_ >= 0 && wake_event_ >= 0);
  // Edge-triggered: every write to it is an event, and it need not be read.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  DOHLE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_event_, &event) == 0);
}

EventLoop::~EventLoop() {
  ::close(wake_event_);
  ::close(epoll_);
}

EventLoop* EventLoop::here() { return this_loop; }

void EventLoop::enter() {
  this_loop = this;
  set_current(this);
}

void EventLoop::leave() {
  this_loop = nullptr;
  set_current(nullptr);
}

void EventLoop::clear() {
  DOHLE_CHECK(here() == this);
  do {
    flush_releases();
    take_inbox();
    while (!posted_.empty()) posted_.pop_front();
    timers_ = TimerHeap();
  } while (!posted_.empty() || inbox_.load() != nullptr);
  local_.clear();
}

void EventLoop::post(Work work) {
  if (this_loop == this) {
    posted_.push_back(std::move(work));
    return;
  }
  if (this_loop != nullptr) this_loop->crossed_ = true;
  auto* letter = new Letter{inbox_.load(std::memory_order_relaxed), std::move(work)};
  while (!inbox_.compare_exchange_weak(letter->next, letter)) {
  }
  if (sleeping_.load() && sleeping_.exchange(false)) {
    counters_.wakes.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    DOHLE_CHECK(::write(wake_event_, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN);
  }
}

TimerId EventLoop::start_timer(Duration after, Work work) {
  DOHLE_CHECK(here() == this);
  return timers_.add(clock_->now() + std::max(after, Duration{0}), std::move(work));
}

void EventLoop::take_inbox() {
  if (inbox_.load(std::memory_order_relaxed) == nullptr) return;
  Letter* newest = inbox_.exchange(nullptr);
  Letter* oldest = nullptr;
  while (newest != nullptr) {
    Letter* next = std::exchange(newest->next, oldest);
    oldest = std::exchange(newest, next);
  }
  while (oldest != nullptr) {
    posted_.push_back(std::move(oldest->work));
    delete std::exchange(oldest, oldest->next);
  }
  crossed_ = true;
}

void EventLoop::fire_timers() {
  if (timers_.size() == 0) return;
  const MonotonicTime now = clock_->now();
  // Timers started by these wait for the next turn: they are due later than `now`, or come after a look at the rest.
  for (std::size_t most = timers_.size(); most > 0; --most) {
    auto work = timers_.pop_due(now);
    if (!work) return;
    (*work)();
  }
}

void EventLoop::run_queued() {
  for (int pieces = 0; pieces < kPiecesPerTurn && has_work(); ++pieces) {
    if (!local_.empty()) {
      const auto handle = local_.front();
      local_.pop_front();
      handle.resume();
    }
    if (!posted_.empty()) {
      Work work = std::move(posted_.front());
      posted_.pop_front();
      work();
    }
  }
}

void EventLoop::run() {
  enter();
  while (!stopping_) {
    take_inbox();
    fire_timers();
    run_queued();
    flush_releases();
    poll();
  }
  flush_releases();
  leave();
}

std::int64_t EventLoop::wait_ns() const {
  if (stopping_ || has_work()) return 0;
  const auto next = timers_.next();
  if (!next) return -1;
  return std::max<std::int64_t>(0, (*next - clock_->now()).count());
}

bool EventLoop::spin_for_letters() const {
  const MonotonicTime end = clock_->now() + spin_;
  do {
    for (int i = 0; i < 32; ++i) {
      if (inbox_.load(std::memory_order_relaxed) != nullptr) return true;
      __builtin_ia32_pause();
    }
  } while (clock_->now() < end);
  return false;
}

int EventLoop::wait_for_events(std::int64_t timeout_ns) {
  std::array<epoll_event, kEventsPerPoll> events;  // NOLINT: filled by the kernel
  count(counters_.polls);
  int got = -1;
  if (timeout_ns > 0 && precise_wait_) {
    const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
    got = epoll_pwait2(epoll_, events.data(), kEventsPerPoll, &timeout, nullptr);
    if (got < 0 && errno != EINTR) precise_wait_ = false;  // an older kernel, or a filter that does not know it
  }
  if (timeout_ns <= 0 || !precise_wait_) {
    constexpr std::int64_t kLongestMs = 3'600'000;
    const std::int64_t ms = timeout_ns <= 0 ? timeout_ns : std::min((timeout_ns + 999'999) / 1'000'000, kLongestMs);
    got = epoll_wait(epoll_, events.data(), kEventsPerPoll, static_cast<int>(ms));
  }
  sleeping_.store(false, std::memory_order_relaxed);
  // No coroutine runs in this loop, so that none can take away a Watch that a later event names.
  for (int i = 0; i < got; ++i) dispatch(events[i].events, static_cast<Watch*>(events[i].data.ptr));
  return got;
}

void EventLoop::poll() {
  std::int64_t timeout_ns = wait_ns();
  if (timeout_ns != 0) {
    if (std::exchange(crossed_, false) && shard_count_ > 1 && spin_for_letters()) {
      timeout_ns = 0;
    } else {
      sleeping_.store(true);
      if (inbox_.load() != nullptr) timeout_ns = 0;
    }
  }
  wait_for_events(timeout_ns);
}

void EventLoop::dispatch(std::uint32_t events, Watch* watch) {
  if (watch == nullptr) return;  // woken for a letter
  constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnd) != 0) watch->hung_up = true;
  const auto set_ready = [this](Readiness& readiness) {
    readiness.ready = true;
    if (readiness.waiter) local_.push_back(std::exchange(readiness.waiter, nullptr));
  };
  if ((events & (EPOLLIN | kEnd)) != 0) set_ready(watch->readable);
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) set_ready(watch->writable);
}

void EventLoop::add(int descriptor, Watch& watch) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watch}};
  DOHLE_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

void EventLoop::wake(Watch& watch) {
  for (auto* readiness : {&watch.readable, &watch.writable}) {
    if (readiness->waiter) resume_later(std::exchange(readiness->waiter, nullptr));
  }
}

void EventLoop::send_release(EventLoop& home, BufferBlock* block) {
  for (auto& entry : releases_) {
    if (entry.home != &home) continue;
    entry.blocks.push_back(block);
    return;
  }
  releases_.push_back({&home, {block}});
}

void EventLoop::flush_releases() {
  for (auto& entry : releases_) {
    if (entry.blocks.empty()) continue;
    entry.home->post([blocks = std::exchange(entry.blocks, {})] {
      for (auto* block : blocks) BufferHome::release_now(block);
    });
  }
}

}  // namespace dohle::runtime

#include "live_io_thread.h"

#include <pthread.h>

namespace dohle::runtime {
namespace {
constexpr std::size_t kLongestThreadName = 15;
}

LiveIoThread::LiveIoThread(std::string name)
    : thread_([this, name = name.substr(0, kLongestThreadName)] {
        pthread_setname_np(pthread_self(), name.c_str());
        run();
      }) {}

LiveIoThread::~LiveIoThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void LiveIoThread::post(Work work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void LiveIoThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      Work work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    lock.lock();
  }
}

}  // namespace dohle::runtime

// A thread for blocking work, in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include <runtime/io_thread.h>

namespace dohle::runtime {

class LiveIoThread final : public IoThread {
 public:
  explicit LiveIoThread(std::string name);
  ~LiveIoThread() override;
  void post(Work work) override;

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace dohle::runtime

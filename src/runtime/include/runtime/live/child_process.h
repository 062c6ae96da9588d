// A forked copy of this process, and what this one has cost: for benchmarks and tests that need a second process.
#pragma once

#include <cstdint>
#include <functional>

namespace dohle::runtime {

class ChildProcess {
 public:
  // Forks. The child waits for a number, runs `main` with it and exits with what that returns. Call it before this
  // process starts threads.
  explicit ChildProcess(const std::function<int(std::uint64_t)>& main);
  ~ChildProcess();  // after wait()
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // The number the child waits for.
  void send(std::uint64_t number);
  // The child's exit status; -1 when a signal ended it.
  int wait();

 private:
  int process_ = -1;
  int pipe_ = -1;
};

// CPU seconds of this process so far.
struct CpuTime {
  double user = 0;
  double system = 0;
  friend CpuTime operator-(CpuTime a, CpuTime b) { return {a.user - b.user, a.system - b.system}; }
};
[[nodiscard]] CpuTime process_cpu_time();

}  // namespace dohle::runtime

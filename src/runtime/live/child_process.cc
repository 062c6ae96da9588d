#include <runtime/live/child_process.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <base/check.h>

namespace dohle::runtime {

ChildProcess::ChildProcess(const std::function<int(std::uint64_t)>& main) {
  std::array<int, 2> ends{};
  DOHLE_CHECK(::pipe(ends.data()) == 0);
  process_ = ::fork();
  DOHLE_CHECK(process_ >= 0);
  if (process_ == 0) {
    ::close(ends[1]);
    std::uint64_t number = 0;
    if (::read(ends[0], &number, sizeof(number)) != sizeof(number)) ::_exit(1);
    ::_exit(main(number));
  }
  ::close(ends[0]);
  pipe_ = ends[1];
}

ChildProcess::~ChildProcess() {
  DOHLE_CHECK(process_ < 0);
  ::close(pipe_);
}

void ChildProcess::send(std::uint64_t number) {
  DOHLE_CHECK(::write(pipe_, &number, sizeof(number)) == sizeof(number));
}

int ChildProcess::wait() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

CpuTime process_cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime)};
}

}  // namespace dohle::runtime

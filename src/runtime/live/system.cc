#include <runtime/live/system.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include <base/check.h>

namespace dohle::runtime {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override {
    return {std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
  }
  [[nodiscard]] std::int64_t wall_ms() const override {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
  }
  // The second number of schedstat: nanoseconds on a run queue.
  [[nodiscard]] Duration take_cpu_wait() const override {
    thread_local std::int64_t before = 0;
    const int file = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (file < 0) return Duration{0};
    char text[64] = {};
    const auto got = ::read(file, text, sizeof text - 1);
    ::close(file);
    long long ran = 0;
    long long waited = 0;
    if (got <= 0 || std::sscanf(text, "%lld %lld", &ran, &waited) != 2) return Duration{0};
    return Duration{waited - std::exchange(before, waited)};
  }
};

class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override {
    if (left_ == 0) {
      // Up to 256 bytes come whole, once the kernel's generator is ready.
      const auto got = getrandom(numbers_.data(), sizeof(numbers_), 0);
      DOHLE_CHECK(got == sizeof(numbers_));
      left_ = numbers_.size();
    }
    return numbers_[--left_];
  }

 private:
  std::array<std::uint64_t, 32> numbers_{};
  std::size_t left_ = 0;
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() { return std::make_unique<SystemClock>(); }
std::size_t processors() { return std::max(1U, std::thread::hardware_concurrency()); }
std::uint64_t memory_bytes() {
  std::uint64_t out =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::uint64_t limit = 0;  // "max" is no number: no limit
    if (file >> limit && limit > 0) out = std::min(out, limit);
  }
  return out;
}
std::optional<std::size_t> error_terminal_columns() {
  constexpr std::size_t kUsual = 80;
  if (::isatty(STDERR_FILENO) == 0) return std::nullopt;
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string absolute_path(const std::string& path) {
  std::error_code unknown;
  const auto absolute = std::filesystem::absolute(path, unknown);
  return unknown ? path : absolute.string();
}

bool is_interactive() { return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0; }
std::unique_ptr<Random> make_system_random() { return std::make_unique<SystemRandom>(); }

}  // namespace dohle::runtime

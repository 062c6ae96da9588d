#include <runtime/live/system.h>

#include <fcntl.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

namespace {

// The smallest limit of the control groups that this process is in, from its own up to the root; nothing when none is
// set.
std::optional<std::uint64_t> control_group_limit() {
  std::string group;
  std::ifstream own("/proc/self/cgroup");
  for (std::string line; std::getline(own, line);) {
    if (line.starts_with("0::")) group = line.substr(3);
  }
  std::vector<std::string> files{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  for (; group.starts_with('/') && group.size() > 1; group.resize(group.rfind('/')))
    files.push_back("/sys/fs/cgroup" + group + "/memory.max");
  std::optional<std::uint64_t> out;
  for (const std::string& path : files) {
    std::ifstream file(path);
    std::uint64_t limit = 0;  // "max" is no number: no limit
    if (file >> limit && limit > 0) out = std::min(out.value_or(limit), limit);
  }
  return out;
}

}  // namespace

std::uint64_t memory_bytes() {
  const std::uint64_t machine =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  // Version 1 says a number near 2^63 where there is no limit.
  const auto limit = control_group_limit();
  return limit && *limit < machine ? *limit : machine / 4;
}

void return_free_memory() { ::malloc_trim(0); }

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

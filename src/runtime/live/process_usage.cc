#include <runtime/process_usage.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <runtime/live/system.h>

namespace dohle::runtime {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t count_open_files() {
  struct stat folder{};
  // Since Linux 6.2 the size of this folder is what is in it.
  if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return static_cast<std::uint64_t>(folder.st_size);
  std::error_code none;
  std::filesystem::directory_iterator entries("/proc/self/fd", none);
  return none ? 0 : static_cast<std::uint64_t>(std::distance(entries, {}));
}

// The kernel tells it in ticks since the machine was started.
double read_start_seconds() {
  constexpr int kFieldsBefore = 19;  // after the name, which is in brackets and may hold anything
  std::ifstream own("/proc/self/stat");
  std::string text;
  std::getline(own, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < kFieldsBefore; ++i) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  std::ifstream machine("/proc/stat");
  for (std::string key; machine >> key;) {
    double booted = 0;
    if (key == "btime" && machine >> booted) return booted + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  return 0;
}

}  // namespace

ProcessMemory process_memory() {
  ProcessMemory out;
  std::ifstream memory("/proc/self/statm");
  memory >> out.virtual_bytes >> out.resident_bytes;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  out.virtual_bytes *= page;
  out.resident_bytes *= page;
  return out;
}

ProcessUsage process_usage() {
  static const double start_seconds = read_start_seconds();
  ProcessUsage out;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) out.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  const ProcessMemory memory = process_memory();
  out.virtual_bytes = memory.virtual_bytes;
  out.resident_bytes = memory.resident_bytes;
  out.open_files = count_open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_files = limit.rlim_cur;
  out.start_seconds = start_seconds;
  return out;
}

}  // namespace dohle::runtime

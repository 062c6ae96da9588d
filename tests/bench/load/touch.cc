// touch: memory, and gives it back at once. A virtual machine's free pages go back to its host after a second or two;
// who takes them again pays for it in system time, and that would be the broker.
//
//   megabytes=
#include <cstdio>

#include <sys/mman.h>

#include "loads.h"
#include "report.h"

namespace dohle::load {

void touch(const Options& options) {
  const auto bytes = static_cast<std::size_t>(options.number("megabytes", 1024)) << 20U;
  options.check_all_used();
  const auto start = now();
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) give_up("no memory to touch");
  munmap(memory, bytes);
  Report report;
  report.add_bytes(bytes);
  report.print(now() - start);
}

}  // namespace dohle::load

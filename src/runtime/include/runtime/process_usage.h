// What this process has had of the machine.
#pragma once

#include <cstdint>

namespace dohle::runtime {

struct ProcessUsage {
  double cpu_seconds = 0;  // in user and kernel
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;  // descriptors
  std::uint64_t max_files = 0;
  double start_seconds = 0;  // since 1970
};

}  // namespace dohle::runtime

// The system's own clock, randomness and files, for programs and tools that need no shards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/process_usage.h>
#include <runtime/random.h>

namespace dohle::runtime {

[[nodiscard]] std::unique_ptr<Clock> make_system_clock();
// The kernel's generator: fit for identifiers that nobody may guess.
[[nodiscard]] std::unique_ptr<Random> make_system_random();
// From any thread.
[[nodiscard]] std::unique_ptr<FileSystem> make_system_files();
// Processors this process may run on.
[[nodiscard]] std::size_t processors();
// Memory this process may use: what its control group allows, else a quarter of the machine.
[[nodiscard]] std::uint64_t memory_bytes();
// What this process has of it now.
struct ProcessMemory {
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_bytes = 0;
};
[[nodiscard]] ProcessMemory process_memory();
[[nodiscard]] ProcessUsage process_usage();
// Gives what was freed back to the system: the allocator keeps it otherwise, each thread for itself. Takes
// milliseconds.
void return_free_memory();
// Whether a person types standard input and reads standard output.
[[nodiscard]] bool is_interactive();
// The width of the terminal that shows standard error; nothing when none does.
[[nodiscard]] std::optional<std::size_t> error_terminal_columns();
// `path` from the root on, to be shown; as it is where nobody knows the current directory.
[[nodiscard]] std::string absolute_path(const std::string& path);

}  // namespace dohle::runtime

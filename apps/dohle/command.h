// The one program under all its names: `dohle topics ...`, `kafka-topics.sh ...`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dohle::app {

using Arguments = std::vector<std::string>;

struct Command {
  std::string_view name;      // dohle <name>
  std::string_view kafka;     // the file name Kafka's users know, without ".sh"
  std::string_view summary;   // one line of `dohle --help`
  int (*run)(const Arguments& arguments) = nullptr;  // returns the exit code
};

[[nodiscard]] std::span<const Command> commands();

// The servers; tools are declared in tools/tools.h.
int run_server(const Arguments& arguments);
int run_dev(const Arguments& arguments);

// The log of a server process, from LOG_LEVEL and LOG_FORMAT.
void configure_log_from_environment();
// `name` below TMPDIR, or below /tmp.
std::string temporary_path(std::string_view name);

}  // namespace dohle::app

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "dohle/command.h"

namespace dohle::app {
namespace {

std::string_view file_name(std::string_view path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view without_suffix(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

const Command* find(std::string_view name) {
  name = without_suffix(name, ".sh");
  const auto at = std::ranges::find_if(commands(), [&](const Command& c) { return c.name == name || c.kafka == name; });
  return at == commands().end() ? nullptr : &*at;
}

void print_help(std::FILE* to) {
  std::fputs(
      "dohle: Apache Kafka as one native program\n\n"
      "Usage: dohle COMMAND [ARGUMENTS]\n\n"
      "Each command is also there under the name that Kafka's users know, e.g. bin/kafka-topics.sh.\n"
      "`dohle COMMAND --help` says more.\n\nCommands:\n",
      to);
  for (const Command& command : commands()) {
    std::fprintf(to, "  %-22.*s %.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                 static_cast<int>(command.summary.size()), command.summary.data());
  }
}

int run(int argc, char** argv) {
  if (const Command* alias = find(file_name(argv[0]))) return alias->run(Arguments(argv + 1, argv + argc));
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first.empty() || first == "--help" || first == "-h" || first == "help") {
    print_help(first.empty() ? stderr : stdout);
    return first.empty() ? 1 : 0;
  }
  if (first == "--version") {
    std::puts("dohle " DOHLE_VERSION " (compatible with Apache Kafka 4.4)");
    return 0;
  }
  const Command* command = find(first);
  if (command == nullptr) {
    std::fprintf(stderr, "dohle: there is no command '%s'; `dohle --help` lists them\n", argv[1]);
    return 1;
  }
  return command->run(Arguments(argv + 2, argv + argc));
}

}  // namespace
}  // namespace dohle::app

int main(int argc, char** argv) { return dohle::app::run(argc, argv); }

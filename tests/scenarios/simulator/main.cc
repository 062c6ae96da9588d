// dohle_sim SCENARIO --seed N [--without LABEL]...: runs one seed of a scenario; its history goes to standard output.
// The verdict is for the checkers to give: the exit code only says whether the simulation was carried through.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <base/log.h>

#include "scenario.h"
#include "simulation.h"

// Of a build that counts (DOHLE_PROFILE=make).
extern "C" [[gnu::weak]] int __llvm_profile_write_file();

namespace dohle::scenarios {
namespace {

const sim::History* running_history = nullptr;

// A crash is a finding, and what led to it is wanted.
void on_crash(int signal) {
  std::fputs(running_history->text().c_str(), stdout);
  std::fflush(stdout);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

int complain(const std::string& message) {
  std::fprintf(stderr, "dohle_sim: %s\n", message.c_str());
  return 2;
}

int run(const std::vector<std::string>& arguments) {
  std::uint64_t seed = 1;
  std::set<std::string> without;
  std::string path;
  bool loud = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (word == "--seed" && has_value) {
      seed = std::strtoull(arguments[++i].c_str(), nullptr, 10);
    } else if (word == "--without" && has_value) {
      without.insert(arguments[++i]);
    } else if (word == "--loud") {
      loud = true;
    } else {
      path = word;
    }
  }
  log::configure(loud ? log::Level::kInfo : log::Level::kError, log::Format::kText);
  std::ifstream file(path);
  if (!file) return complain("cannot read " + path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto scenario = Scenario::parse(text);
  if (!scenario) return complain(path + ": " + scenario.error().message);
  Simulation simulation(*scenario, seed, std::move(without));
  running_history = &simulation.history();
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) std::signal(signal, on_crash);
  const bool carried_through = simulation.run();
  std::fputs(simulation.history().text().c_str(), stdout);
  std::fflush(stdout);
  // What died in the middle of something cannot be destroyed in any order.
  if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();
  std::_Exit(carried_through ? 0 : 1);
}

}  // namespace
}  // namespace dohle::scenarios

int main(int argc, char** argv) { return dohle::scenarios::run({argv + 1, argv + argc}); }

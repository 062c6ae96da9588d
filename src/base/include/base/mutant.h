// Planted bugs, to see whether the scenarios catch them (tests/scenarios/mutants.list). Only `dohle_sim_planted` has them:
// files that use DOHLE_MUTANT are compiled once more for it (`dohle_planted` in cmake/DohleModule.cmake). Everywhere else
// DOHLE_MUTANT(name) is false, and the compiler takes out what it guards. Not in a header: it would mean two things.
#pragma once

#ifdef DOHLE_MUTANTS

#include <cstdlib>
#include <string_view>

namespace dohle {
// One at a time, chosen by the environment when the process begins.
inline bool is_planted(std::string_view name) {
  static const char* const chosen = std::getenv("DOHLE_MUTANT");
  return chosen != nullptr && name == chosen;
}
}  // namespace dohle
#define DOHLE_MUTANT(name) ::dohle::is_planted(name)

#else
#define DOHLE_MUTANT(name) false
#endif

#include <base/check.h>

#include <cstdio>
#include <cstdlib>

namespace dohle {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "dohle: invariant broken: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace dohle

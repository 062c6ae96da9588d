#include <runtime/random.h>

namespace dohle::runtime {

Uuid Random::uuid() {
  for (;;) {
    Uuid uuid{next(), next()};
    uuid.high = (uuid.high & ~0xf000ULL) | 0x4000ULL;
    uuid.low = (uuid.low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
    if (uuid.to_string().front() != '-') return uuid;
  }
}

}  // namespace dohle::runtime

// Randomness comes in through constructors, so that a seed decides it.
#pragma once

#include <cstdint>

#include <base/uuid.h>

namespace dohle::runtime {

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
  // Uniform in [0, bound); bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // A version-4 UUID that, like Kafka's, never begins with '-' in its text form.
  [[nodiscard]] Uuid uuid();
};

}  // namespace dohle::runtime

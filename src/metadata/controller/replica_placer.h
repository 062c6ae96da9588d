// Striped replica placement: leaders go round the racks and the brokers in them, followers follow in the same order, so
// that each broker leads and holds about the same number of partitions, and racks are used evenly.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <base/result.h>
#include <runtime/random.h>

namespace dohle::metadata {

struct UsableBroker {
  std::int32_t id = -1;
  std::optional<std::string> rack;
  bool fenced = false;  // may hold followers, but is never placed first
};

// Replicas of `partitions` new partitions. Fails, with the reason, when there are not enough brokers.
[[nodiscard]] Result<std::vector<std::vector<std::int32_t>>> place_replicas(std::span<const UsableBroker> brokers,
                                                                            std::int32_t partitions,
                                                                            std::int16_t replication_factor,
                                                                            runtime::Random& random);

}  // namespace dohle::metadata

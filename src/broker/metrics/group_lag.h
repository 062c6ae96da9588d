// How far the groups of the node have come, and how far they are behind.
#pragma once

#include <runtime/task.h>

#include "metrics/samples.h"

namespace dohle::broker {

class Broker;

// From shard 0. Commits are gathered from the coordinators, then their partitions' high watermarks where those live.
[[nodiscard]] runtime::Task<Samples> group_lag_samples(Broker& broker);

}  // namespace dohle::broker

// What one shard tells when it is asked.
#pragma once

#include <runtime/task.h>

#include "metrics/samples.h"

namespace dohle::broker {

class BrokerShard;

// On that shard. Others run in between where there are many partitions.
[[nodiscard]] runtime::Task<Samples> shard_samples(BrokerShard& shard);

}  // namespace dohle::broker

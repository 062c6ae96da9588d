// Waiting until the node has done what the metadata says.
#pragma once

#include <runtime/clock.h>
#include <runtime/task.h>

namespace dohle::broker {

class BrokerShard;

// Completes when every shard has carried out the changes it has been told of so far, or after `limit`: a disk may take
// long to make a log, and then clients find out by asking again.
[[nodiscard]] runtime::Task<void> settled_everywhere(BrokerShard& here, runtime::Duration limit);

}  // namespace dohle::broker

// One partition of __consumer_offsets while this node leads it.
#pragma once

#include <coordinator/core/partition_runtime.h>
#include <coordinator/group/group_coordinator.h>

#include "group/group_machine.h"

namespace dohle::coordinator {

// Tasks that work on a partition hold it by shared_ptr, so that one that was resigned outlives them.
struct GroupCoordinator::Partition {
  Partition(std::int32_t partition, LeaderEpoch epoch, GroupMachine* machine_in, std::unique_ptr<StateMachine> owned,
            PartitionWriter& writer, runtime::SettledClock& clock, const RuntimeConfig& config)
      : machine(machine_in), runtime(partition, epoch, std::move(owned), writer, clock, config) {}
  GroupMachine* machine;  // owned by the runtime
  PartitionRuntime runtime;
};

}  // namespace dohle::coordinator

#include <image/partition_records.h>

#include <fmt/format.h>

namespace dohle::metadata {
namespace {

// Partitions of old metadata versions have no directories; they count as migrating.
void default_to_migrating(PartitionRegistration& partition) {
  const bool none =
      std::ranges::all_of(partition.directories, [](const Uuid& id) { return id == kDirectoryMigrating; });
  if (none) partition.directories.assign(partition.replicas.size(), kDirectoryMigrating);
}

Result<> check(const PartitionRegistration& partition, std::int32_t id) {
  if (partition.directories.size() != partition.replicas.size()) {
    return fail(Errc::kCorrupt, fmt::format("Partition {} has {} replicas, but {} directories.", id,
                                            partition.replicas.size(), partition.directories.size()));
  }
  // Epochs only rise, by one at a time: none ever gets there.
  if (partition.leader_epoch == INT32_MAX || partition.partition_epoch == INT32_MAX) {
    return fail(Errc::kCorrupt, fmt::format("Partition {} has an epoch without a next one.", id));
  }
  return {};
}

Result<LeaderRecoveryState> recovery_state(std::int8_t value) {
  if (value != 0 && value != 1) return fail(Errc::kCorrupt, fmt::format("Unknown leader recovery state {}.", value));
  return static_cast<LeaderRecoveryState>(value);
}

}  // namespace

Result<PartitionRegistration> partition_from_record(const protocol::PartitionRecord& record) {
  PartitionRegistration out;
  out.replicas = record.replicas;
  out.directories = record.directories;
  out.isr = record.isr;
  out.removing_replicas = record.removing_replicas;
  out.adding_replicas = record.adding_replicas;
  if (record.eligible_leader_replicas) out.elr = *record.eligible_leader_replicas;
  if (record.last_known_elr) out.last_known_elr = *record.last_known_elr;
  out.leader = record.leader;
  DOHLE_ASSIGN(out.leader_recovery_state, recovery_state(record.leader_recovery_state));
  out.leader_epoch = record.leader_epoch;
  out.partition_epoch = record.partition_epoch;
  default_to_migrating(out);
  DOHLE_TRY(check(out, record.partition_id));
  return out;
}

Result<PartitionRegistration> merge_partition(const PartitionRegistration& before,
                                              const protocol::PartitionChangeRecord& change) {
  PartitionRegistration out = before;
  if (change.replicas) out.replicas = *change.replicas;
  if (change.directories) out.directories = *change.directories;
  if (change.isr) out.isr = *change.isr;
  if (change.removing_replicas) out.removing_replicas = *change.removing_replicas;
  if (change.adding_replicas) out.adding_replicas = *change.adding_replicas;
  if (change.eligible_leader_replicas) out.elr = *change.eligible_leader_replicas;
  if (change.last_known_elr) out.last_known_elr = *change.last_known_elr;
  if (change.leader != kNoLeaderChange) {
    out.leader = change.leader;
    ++out.leader_epoch;
  }
  if (change.leader_recovery_state != kNoRecoveryStateChange) {
    DOHLE_ASSIGN(out.leader_recovery_state, recovery_state(change.leader_recovery_state));
  }
  ++out.partition_epoch;
  default_to_migrating(out);
  DOHLE_TRY(check(out, change.partition_id));
  return out;
}

protocol::PartitionRecord to_record(const PartitionRegistration& partition, const TopicId& topic, std::int32_t id,
                                    MetadataVersion version, bool elr_enabled) {
  protocol::PartitionRecord record;
  record.partition_id = id;
  record.topic_id = topic.uuid;
  record.replicas = partition.replicas;
  record.isr = partition.isr;
  record.removing_replicas = partition.removing_replicas;
  record.adding_replicas = partition.adding_replicas;
  record.leader = partition.leader;
  record.leader_recovery_state = static_cast<std::int8_t>(partition.leader_recovery_state);
  record.leader_epoch = partition.leader_epoch;
  record.partition_epoch = partition.partition_epoch;
  if (version.has_directory_assignment()) record.directories = partition.directories;
  if (elr_enabled && !partition.elr.empty()) record.eligible_leader_replicas = partition.elr;
  if (elr_enabled && !partition.last_known_elr.empty()) record.last_known_elr = partition.last_known_elr;
  return record;
}

}  // namespace dohle::metadata

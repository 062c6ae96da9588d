// PartitionChange: from what is wanted of a partition (a smaller ISR, other replicas, an election) to the one
// PartitionChangeRecord that says it, with the election, the ELR (KIP-966) and the end of a reassignment that follow.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <base/ids.h>
#include <metadata/features.h>
#include <metadata/partition_registration.h>
#include <protocol/messages/partition_change_record.h>

namespace dohle::metadata {

enum class Election : std::uint8_t {
  kPreferred,  // the first replica, if it may lead
  kOnline,     // keep the leader while it may lead, else any that may
  kUnclean,    // any replica that is alive, if nobody else may
};

using ReplicaIds = std::vector<std::int32_t>;

class PartitionChange {
 public:
  struct Setting {
    const PartitionRegistration& partition;
    TopicId topic;
    std::int32_t id = 0;
    MetadataVersion version;
    std::int32_t min_isr = 1;
    bool elr_enabled = false;
    std::function<bool(std::int32_t)> may_lead;           // alive, and its directory online
    std::function<Uuid(std::int32_t)> default_directory;  // for replicas that are new
  };
  explicit PartitionChange(Setting setting);

  PartitionChange& isr(ReplicaIds isr) {
    isr_ = std::move(isr);
    return *this;
  }
  PartitionChange& replicas(ReplicaIds replicas) {
    replicas_ = std::move(replicas);
    return *this;
  }
  PartitionChange& removing(ReplicaIds removing) {
    removing_ = std::move(removing);
    return *this;
  }
  PartitionChange& adding(ReplicaIds adding) {
    adding_ = std::move(adding);
    return *this;
  }
  PartitionChange& election(Election election) {
    election_ = election;
    return *this;
  }
  PartitionChange& recovery_state(LeaderRecoveryState state) {
    recovery_state_ = state;
    return *this;
  }
  PartitionChange& directory(std::int32_t broker, const Uuid& directory) {
    directories_[broker] = directory;
    return *this;
  }
  // Lost what it had not synced: may be in neither the ISR nor the ELR.
  PartitionChange& unclean_shutdown(std::int32_t broker) {
    unclean_shutdown_ = broker;
    return *this;
  }

  // The record, or nothing when nothing changes. Once.
  [[nodiscard]] std::optional<protocol::PartitionChangeRecord> build();

 private:
  struct Elected {
    std::int32_t leader;
    bool unclean;
  };
  void complete_reassignment();
  void plan_elr();
  [[nodiscard]] Elected elect() const;
  [[nodiscard]] bool is_valid_leader(std::int32_t replica) const;
  [[nodiscard]] bool may_elect_last_known_leader() const;
  void run_election(protocol::PartitionChangeRecord& record);
  void put_elr(protocol::PartitionChangeRecord& record);
  void put_isr(protocol::PartitionChangeRecord& record);
  void put_last_known_leader(protocol::PartitionChangeRecord& record) const;
  void put_assignment(protocol::PartitionChangeRecord& record) const;

  Setting setting_;
  ReplicaIds isr_;
  ReplicaIds replicas_;
  ReplicaIds removing_;
  ReplicaIds adding_;
  ReplicaIds elr_;
  std::map<std::int32_t, Uuid> directories_;
  std::optional<std::int32_t> unclean_shutdown_;
  Election election_ = Election::kOnline;
  LeaderRecoveryState recovery_state_;
};

}  // namespace dohle::metadata

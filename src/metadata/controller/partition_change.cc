#include <controller/partition_change.h>

#include <algorithm>
#include <set>
#include <utility>

#include <image/partition_records.h>

namespace dohle::metadata {
namespace {

bool contains(const ReplicaIds& ids, std::int32_t id) { return std::ranges::find(ids, id) != ids.end(); }
bool contains_all(const ReplicaIds& ids, const ReplicaIds& wanted) {
  return std::ranges::all_of(wanted, [&](std::int32_t id) { return contains(ids, id); });
}
ReplicaIds without(const ReplicaIds& ids, const ReplicaIds& out) {
  ReplicaIds kept;
  std::ranges::copy_if(ids, std::back_inserter(kept), [&](std::int32_t id) { return !contains(out, id); });
  return kept;
}

bool is_no_op(const protocol::PartitionChangeRecord& record) {
  return !record.isr && !record.eligible_leader_replicas && !record.last_known_elr &&
         record.leader == kNoLeaderChange && !record.replicas && !record.removing_replicas && !record.adding_replicas &&
         record.leader_recovery_state == kNoRecoveryStateChange && !record.directories;
}

}  // namespace

PartitionChange::PartitionChange(Setting setting)
    : setting_(std::move(setting)),
      isr_(setting_.partition.isr),
      replicas_(setting_.partition.replicas),
      removing_(setting_.partition.removing_replicas),
      adding_(setting_.partition.adding_replicas),
      elr_(setting_.partition.elr),
      recovery_state_(setting_.partition.leader_recovery_state) {
  const PartitionRegistration& before = setting_.partition;
  for (std::size_t i = 0; i < before.replicas.size() && i < before.directories.size(); ++i) {
    directories_[before.replicas[i]] = before.directories[i];
  }
}

void PartitionChange::complete_reassignment() {
  if (removing_.empty() && adding_.empty()) return;
  ReplicaIds isr = without(isr_, removing_);
  ReplicaIds replicas = without(replicas_, removing_);
  if (!removing_.empty() && (isr.empty() || replicas.empty())) return;
  // New replicas must have shown that they keep up.
  if (!contains_all(isr, adding_)) return;
  // With fewer replicas than before, all that stay must be in sync: ending now must not shrink the ISR further.
  if (adding_.size() < removing_.size() && !contains_all(isr, replicas)) return;
  isr_ = std::move(isr);
  replicas_ = std::move(replicas);
  removing_.clear();
  adding_.clear();
}

void PartitionChange::plan_elr() {
  if (!setting_.elr_enabled) return;
  if (std::cmp_greater_equal(isr_.size(), setting_.min_isr)) {
    elr_.clear();
    return;
  }
  // Who was in sync or eligible and is no longer in sync stays eligible, but for those that lost data.
  std::set<std::int32_t> candidates(elr_.begin(), elr_.end());
  candidates.insert(setting_.partition.isr.begin(), setting_.partition.isr.end());
  elr_.clear();
  for (const std::int32_t id : candidates) {
    if (!contains(isr_, id) && id != unclean_shutdown_) elr_.push_back(id);
  }
}

bool PartitionChange::is_valid_leader(std::int32_t replica) const {
  const bool eligible = contains(isr_, replica) || (isr_.empty() && contains(elr_, replica));
  return eligible && setting_.may_lead(replica);
}

bool PartitionChange::may_elect_last_known_leader() const {
  const ReplicaIds& last = setting_.partition.last_known_elr;
  return setting_.elr_enabled && elr_.empty() && isr_.empty() && last.size() == 1 && setting_.may_lead(last.front());
}

PartitionChange::Elected PartitionChange::elect() const {
  const auto first_valid = [this](const auto& test) {
    const auto at = std::ranges::find_if(replicas_, test);
    return at == replicas_.end() ? kNoLeader : *at;
  };
  if (election_ == Election::kPreferred && !replicas_.empty() && is_valid_leader(replicas_.front())) {
    return {replicas_.front(), false};
  }
  if (is_valid_leader(setting_.partition.leader)) return {setting_.partition.leader, false};
  const std::int32_t online = first_valid([this](std::int32_t id) { return is_valid_leader(id); });
  if (online != kNoLeader) return {online, false};
  if (may_elect_last_known_leader()) return {setting_.partition.last_known_elr.front(), true};
  if (election_ == Election::kUnclean) {
    const std::int32_t any = first_valid([this](std::int32_t id) { return setting_.may_lead(id); });
    if (any != kNoLeader) return {any, true};
  }
  return {kNoLeader, false};
}

void PartitionChange::run_election(protocol::PartitionChangeRecord& record) {
  const auto [leader, unclean] = elect();
  if (leader == setting_.partition.leader) return;
  if (contains(elr_, leader)) {
    isr_ = {leader};
    elr_ = without(elr_, {leader});
  }
  record.leader = leader;
  if (!unclean) return;
  // Data may be lost: the ISR starts over with the new leader, which has to recover first.
  record.isr = ReplicaIds{leader};
  if (setting_.partition.leader_recovery_state != LeaderRecoveryState::kRecovering) {
    record.leader_recovery_state = static_cast<std::int8_t>(LeaderRecoveryState::kRecovering);
  }
}

void PartitionChange::put_elr(protocol::PartitionChangeRecord& record) {
  // An unclean election has set the ISR already; it leaves nobody eligible.
  if (record.isr || !setting_.elr_enabled) elr_.clear();
  if (elr_ != setting_.partition.elr) record.eligible_leader_replicas = elr_;
}

void PartitionChange::put_isr(protocol::PartitionChangeRecord& record) {
  // Without the ELR an ISR never becomes empty: its last member stays in it, leading or not.
  const bool allowed = !isr_.empty() || setting_.elr_enabled;
  if (!record.isr && allowed && isr_ != setting_.partition.isr) record.isr = isr_;
}

void PartitionChange::put_last_known_leader(protocol::PartitionChangeRecord& record) const {
  if (!setting_.elr_enabled) return;
  const bool none_known = setting_.partition.last_known_elr.empty();
  if (record.leader == kNoLeader && none_known) {
    record.last_known_elr = ReplicaIds{setting_.partition.leader};
  } else if (record.leader >= 0 && !none_known) {
    record.last_known_elr = ReplicaIds{};
  }
}

void PartitionChange::put_assignment(protocol::PartitionChangeRecord& record) const {
  const PartitionRegistration& before = setting_.partition;
  if (!replicas_.empty()) {
    if (setting_.version.has_directory_assignment()) {
      std::vector<Uuid> directories;
      for (const std::int32_t replica : replicas_) {
        const auto known = directories_.find(replica);
        directories.push_back(known != directories_.end() ? known->second : setting_.default_directory(replica));
      }
      if (directories != before.directories) record.directories = std::move(directories);
    }
    if (replicas_ != before.replicas) record.replicas = replicas_;
  }
  if (removing_ != before.removing_replicas) record.removing_replicas = removing_;
  if (adding_ != before.adding_replicas) record.adding_replicas = adding_;
}

std::optional<protocol::PartitionChangeRecord> PartitionChange::build() {
  const PartitionRegistration& before = setting_.partition;
  protocol::PartitionChangeRecord record;
  record.topic_id = setting_.topic.uuid;
  record.partition_id = setting_.id;

  complete_reassignment();
  plan_elr();
  run_election(record);
  // Naming the leader again makes a new leader epoch: replicas that leave must notice.
  if (record.leader == kNoLeaderChange && !contains_all(replicas_, before.replicas)) record.leader = before.leader;
  put_elr(record);
  put_isr(record);
  if (setting_.version.bumps_leader_epoch_on_isr_shrink() && record.leader == kNoLeaderChange && record.isr &&
      !contains_all(*record.isr, before.isr)) {
    record.leader = before.leader;
  }
  put_last_known_leader(record);
  put_assignment(record);
  if (recovery_state_ != before.leader_recovery_state) {
    record.leader_recovery_state = static_cast<std::int8_t>(recovery_state_);
  }
  if (is_no_op(record)) return std::nullopt;
  return record;
}

}  // namespace dohle::metadata

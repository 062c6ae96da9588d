// The leader's view of a partition's replicas: who is in sync and how far the high watermark may go (KIP-966's strict
// rule: it does not advance while fewer than min.insync.replicas are in sync). Sans-I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <base/ids.h>

namespace dohle::replication {

class InSyncSet {
 public:
  // `isr` as the controller last decided it; `self` is the leader. Other replicas' progress is unknown until they
  // fetch.
  InSyncSet(BrokerId self, std::vector<BrokerId> replicas, std::vector<BrokerId> isr);

  // The leader's own end: its flushed end where acknowledgements wait for the disk, else its log end.
  void set_leader_end(Offset end);
  // A follower asked for `fetch_offset`, hence holds everything below it. False when it is no replica.
  bool on_follower_fetch(BrokerId follower, Offset fetch_offset);
  // A new decision of the controller under the same leader epoch.
  void set_isr(std::vector<BrokerId> isr, std::vector<BrokerId> replicas);

  [[nodiscard]] const std::vector<BrokerId>& isr() const { return isr_; }
  // min.insync.replicas, capped by the number of replicas as Kafka does.
  [[nodiscard]] bool has_enough(std::int32_t min_in_sync_replicas) const;
  // The offset up to which every in-sync replica has the log; never moves back.
  [[nodiscard]] Offset advance_high_watermark(Offset current, std::int32_t min_in_sync_replicas) const;

 private:
  BrokerId self_;
  std::map<BrokerId, Offset> ends_;
  std::vector<BrokerId> isr_;
};

}  // namespace dohle::replication

// VoterHistory: the voter sets and kraft.version levels of the log by offset. What was appended last holds, committed
// or not (KIP-853).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <raft/voter_set.h>

namespace dohle::raft {

class VoterHistory {
 public:
  // `static_voters` (controller.quorum.voters) hold as long as the log has no voter set.
  explicit VoterHistory(VoterSet static_voters) : static_voters_(std::move(static_voters)) {}

  void set_voters(Offset at, VoterSet voters) { voters_.insert_or_assign(at, std::move(voters)); }
  void set_kraft_version(Offset at, std::int16_t version) { versions_.insert_or_assign(at, version); }
  void clear();
  // The log was cut: forgets what stood at `end` or later.
  void truncate_new(Offset end);
  // A snapshot took over: keeps only the last entry at or below `start`.
  void truncate_old(Offset start);

  [[nodiscard]] const VoterSet& voters() const { return voters_.empty() ? static_voters_ : voters_.rbegin()->second; }
  // Where the voter set in force stands; -1 when it came from the bootstrap snapshot, empty when it is the static one.
  [[nodiscard]] std::optional<Offset> voters_offset() const;
  [[nodiscard]] std::int16_t kraft_version() const {
    return versions_.empty() ? std::int16_t{0} : versions_.rbegin()->second;
  }
  // What holds for a snapshot of everything up to and including `offset`.
  [[nodiscard]] std::optional<VoterSet> voters_at(Offset offset) const;
  [[nodiscard]] std::int16_t kraft_version_at(Offset offset) const;

 private:
  VoterSet static_voters_;
  std::map<Offset, VoterSet> voters_;
  std::map<Offset, std::int16_t> versions_;
};

}  // namespace dohle::raft

// VoteTally: the votes of one election or pre-election.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include <raft/voter_set.h>

namespace dohle::raft {

class VoteTally {
 public:
  explicit VoteTally(const VoterSet& voters) {
    for (const auto& [id, voter] : voters.voters()) votes_.emplace(id, Vote::kOpen);
  }
  // Votes of nodes that are not voters are not counted.
  void record(std::int32_t id, bool granted) {
    if (const auto at = votes_.find(id); at != votes_.end()) at->second = granted ? Vote::kGranted : Vote::kRejected;
  }
  [[nodiscard]] bool won() const { return count(Vote::kGranted) >= majority(); }
  [[nodiscard]] bool lost() const { return count(Vote::kGranted) + count(Vote::kOpen) < majority(); }
  [[nodiscard]] std::vector<std::int32_t> granting() const { return with(Vote::kGranted); }
  [[nodiscard]] std::vector<std::int32_t> open() const { return with(Vote::kOpen); }

 private:
  enum class Vote : unsigned char { kOpen, kGranted, kRejected };
  [[nodiscard]] std::size_t majority() const { return votes_.size() / 2 + 1; }
  [[nodiscard]] std::size_t count(Vote vote) const { return with(vote).size(); }
  [[nodiscard]] std::vector<std::int32_t> with(Vote vote) const {
    std::vector<std::int32_t> out;
    for (const auto& [id, cast] : votes_) {
      if (cast == vote) out.push_back(id);
    }
    return out;
  }
  std::map<std::int32_t, Vote> votes_;
};

}  // namespace dohle::raft

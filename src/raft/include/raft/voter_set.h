// VoterSet: who votes, and where each listens. The content of a VotersRecord (KIP-853).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <raft/replica_key.h>

namespace dohle::raft {

struct VoterEndpoint {
  std::string listener;  // e.g. "CONTROLLER"
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const VoterEndpoint&, const VoterEndpoint&) = default;
};

struct Voter {
  ReplicaKey key;
  std::vector<VoterEndpoint> endpoints;
  std::int16_t min_kraft_version = 0;
  std::int16_t max_kraft_version = 0;
  friend bool operator==(const Voter&, const Voter&) = default;
};

class VoterSet {
 public:
  VoterSet() = default;
  // Voter ids must be distinct.
  explicit VoterSet(std::vector<Voter> voters);

  [[nodiscard]] bool empty() const { return voters_.empty(); }
  [[nodiscard]] std::size_t size() const { return voters_.size(); }
  [[nodiscard]] std::size_t majority() const { return voters_.size() / 2 + 1; }
  [[nodiscard]] const std::map<std::int32_t, Voter>& voters() const { return voters_; }
  [[nodiscard]] const Voter* find(std::int32_t id) const;
  // True when `key` names a voter; where the set knows the voter's directory id, it must be the same.
  [[nodiscard]] bool is_voter(const ReplicaKey& key) const;
  // True when it is a voter of this set, but with other endpoints or versions.
  [[nodiscard]] bool needs_update(const Voter& voter) const;
  // This set with `voter` added, or in place of the one with its id.
  [[nodiscard]] VoterSet with(Voter voter) const;
  [[nodiscard]] bool is_only_voter(const ReplicaKey& key) const { return size() == 1 && is_voter(key); }
  friend bool operator==(const VoterSet&, const VoterSet&) = default;

  // Body of a VotersRecord control record, version 0.
  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  [[nodiscard]] static Result<VoterSet> decode(Bytes voters_record);

 private:
  std::map<std::int32_t, Voter> voters_;
};

}  // namespace dohle::raft

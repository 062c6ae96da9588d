#include <raft/voter_set.h>

#include <algorithm>
#include <set>

#include <base/check.h>
#include <base/reader.h>
#include <protocol/messages/voters_record.h>

#include "control_records.h"

namespace dohle::raft {

VoterSet::VoterSet(std::vector<Voter> voters) {
  for (Voter& voter : voters) {
    const std::int32_t id = voter.key.id;
    DOHLE_CHECK(voters_.emplace(id, std::move(voter)).second);
  }
}

const Voter* VoterSet::find(std::int32_t id) const {
  const auto at = voters_.find(id);
  return at == voters_.end() ? nullptr : &at->second;
}

bool VoterSet::is_voter(const ReplicaKey& key) const {
  const Voter* voter = find(key.id);
  return voter != nullptr && (!voter->key.directory || voter->key.directory == key.directory);
}

bool VoterSet::needs_update(const Voter& voter) const {
  const Voter* known = find(voter.key.id);
  return known != nullptr && is_voter(voter.key) && *known != voter;
}

VoterSet VoterSet::with(Voter voter) const {
  VoterSet out = *this;
  const std::int32_t id = voter.key.id;
  out.voters_.insert_or_assign(id, std::move(voter));
  return out;
}

std::vector<std::uint8_t> VoterSet::encode() const {
  protocol::VotersRecord record;
  for (const auto& [id, voter] : voters_) {
    auto& out = record.voters.emplace_back();
    out.voter_id = id;
    out.voter_directory_id = voter.key.directory_or_zero();
    for (const VoterEndpoint& endpoint : voter.endpoints) {
      auto& at = out.endpoints.emplace_back();
      at.name = endpoint.listener;
      at.host = endpoint.host;
      at.port = endpoint.port;
    }
    out.kraft_version_feature.min_supported_version = voter.min_kraft_version;
    out.kraft_version_feature.max_supported_version = voter.max_kraft_version;
  }
  return encode_body(record, 0);
}

Result<VoterSet> VoterSet::decode(Bytes voters_record) {
  Reader reader(voters_record);
  DOHLE_ASSIGN(const protocol::VotersRecord record, protocol::VotersRecord::decode(reader, 0));
  std::vector<Voter> voters;
  std::set<std::int32_t> ids;
  for (const auto& in : record.voters) {
    if (in.voter_id < 0 || !ids.insert(in.voter_id).second) {
      return fail(Errc::kMalformed, "a voters record names a voter twice or with a negative id");
    }
    Voter& voter = voters.emplace_back();
    voter.key = ReplicaKey::of(in.voter_id, in.voter_directory_id);
    for (const auto& endpoint : in.endpoints) {
      voter.endpoints.push_back({endpoint.name.str(), endpoint.host.str(), endpoint.port});
    }
    voter.min_kraft_version = in.kraft_version_feature.min_supported_version;
    voter.max_kraft_version = in.kraft_version_feature.max_supported_version;
  }
  return VoterSet(std::move(voters));
}

}  // namespace dohle::raft

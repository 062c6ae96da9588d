// ElectionState: what a replica must remember of an epoch, and its form in the quorum-state file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <raft/replica_key.h>

namespace dohle::raft {

struct ElectionState {
  LeaderEpoch epoch{0};
  std::optional<std::int32_t> leader;
  std::optional<ReplicaKey> voted;
  std::vector<std::int32_t> voters;  // ascending; data_version 0 only
  friend bool operator==(const ElectionState&, const ElectionState&) = default;
};

// One line of JSON. data_version 0 under kraft.version 0, 1 above.
[[nodiscard]] std::string encode_quorum_state(const ElectionState& state, std::int16_t data_version);
// kMalformed when it is not such a line, kUnsupported for another data_version.
[[nodiscard]] Result<ElectionState> decode_quorum_state(std::string_view text);

}  // namespace dohle::raft

// Control records: what control batches hold. The key says the kind; values other than the transaction markers' are
// messages of the protocol module.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <base/bytes.h>
#include <base/result.h>

namespace dohle::records {

enum class ControlType : std::int16_t {
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKraftVersion = 5,
  kKraftVoters = 6,
  kUnknown = -1,  // a newer kind: to be ignored
};

[[nodiscard]] std::string_view to_string(ControlType type);  // Kafka's names: ABORT, COMMIT, LEADER_CHANGE ...

// Key: int16 version (0), int16 type.
[[nodiscard]] std::array<std::uint8_t, 4> encode_control_key(ControlType type);
// kInvalidRecord when the key is too short or its version negative. Newer versions read as the newest known.
[[nodiscard]] Result<ControlType> decode_control_key(Bytes key);

// The value of an ABORT or COMMIT marker: int16 version (0), int32 epoch of the transaction coordinator.
struct EndTransactionMarker {
  std::int32_t coordinator_epoch = 0;
};
[[nodiscard]] std::array<std::uint8_t, 6> encode_end_transaction_marker(const EndTransactionMarker& marker);
[[nodiscard]] Result<EndTransactionMarker> decode_end_transaction_marker(Bytes value);

}  // namespace dohle::records

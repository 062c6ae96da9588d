// The one place where failures below the wire become Kafka's error codes.
#pragma once

#include <base/result.h>
#include <protocol/error_code.h>

namespace dohle::protocol {

// The same failure has another name in another family of APIs: clients of a coordinator look for a new one where
// clients of a partition look for a new leader.
enum class ErrorFamily : std::uint8_t {
  kPartition,    // Produce, Fetch, ListOffsets and all else that a partition's replica answers
  kCoordinator,  // groups, offsets, transactions: the failure of the internal topic behind them
  kController,   // topics, configurations, registration: what the controller decides
};

[[nodiscard]] ErrorCode error_code_of(Errc code, ErrorFamily family);
[[nodiscard]] inline ErrorCode error_code_of(const Error& error, ErrorFamily family) {
  return error_code_of(error.code, family);
}

}  // namespace dohle::protocol

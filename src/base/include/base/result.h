// Result<T>: what a function returns when a peer, a disk or a person can make it fail.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace dohle {

// Kinds of failure below the wire. protocol/error_map.h turns them into Kafka's error codes.
enum class Errc : std::uint8_t {
  kMalformed,             // bytes that do not parse
  kCorrupt,               // parsed, but a checksum or an invariant does not hold
  kInvalidRecord,         // a record batch the validator refuses
  kInvalidTimestamp,      // record timestamp outside the allowed window
  kUnsupportedFormat,     // magic that is not accepted here
  kUnsupportedCompression,
  kUndecodable,           // a compressed stream that does not decompress; Kafka: UNKNOWN_SERVER_ERROR
  kRecordTooLarge,
  kRecordListTooLarge,    // larger than a segment
  kOffsetOutOfRange,
  kOutOfOrderSequence,
  kInvalidProducerEpoch,
  kUnknownProducerId,
  kDuplicateSequence,
  kNotLeader,
  kNotEnoughReplicas,     // fewer in sync than min.insync.replicas
  kFencedEpoch,
  kUnknownEpoch,
  kUnknownTopicOrPartition,
  kUnknownTopicId,
  kInconsistentTopicId,
  kInvalidRequest,
  kInvalidConfig,
  kStorage,               // the log directory failed or is offline
  kNoSpace,
  kIo,
  kWouldBlock,
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kLocked,                // held by another process
  kAddressInUse,
  kClosed,                // connection or component closed
  kCancelled,
  kTimedOut,
  kUnsupported,
  kInternal,
};

[[nodiscard]] std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::kInternal;
  std::string message;  // one sentence, for logs and people
};

template <typename T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message = {}) {
  return std::unexpected(Error{code, std::move(message)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace dohle

// DOHLE_TRY(expr): returns the error of a Result<> from the enclosing function; use when the value is not needed.
// DOHLE_ASSIGN(lhs, expr): the same, and binds the value. In coroutines: DOHLE_CO_TRY, DOHLE_CO_ASSIGN.
#define DOHLE_CONCAT_(a, b) a##b
#define DOHLE_CONCAT(a, b) DOHLE_CONCAT_(a, b)
#define DOHLE_TRY_(var, expr, ret)                              \
  if (auto var = (expr); !var) ret std::unexpected(std::move(var).error())
#define DOHLE_ASSIGN_(var, lhs, expr, ret)                      \
  auto var = (expr);                                            \
  if (!var) ret std::unexpected(std::move(var).error());        \
  lhs = std::move(*var)
#define DOHLE_TRY(expr) DOHLE_TRY_(DOHLE_CONCAT(try_, __LINE__), expr, return)
#define DOHLE_CO_TRY(expr) DOHLE_TRY_(DOHLE_CONCAT(try_, __LINE__), expr, co_return)
#define DOHLE_ASSIGN(lhs, expr) DOHLE_ASSIGN_(DOHLE_CONCAT(try_, __LINE__), lhs, expr, return)
#define DOHLE_CO_ASSIGN(lhs, expr) DOHLE_ASSIGN_(DOHLE_CONCAT(try_, __LINE__), lhs, expr, co_return)

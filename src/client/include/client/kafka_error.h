// How client calls fail: with one of Kafka's error codes, whether a broker gave it or the client itself did.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include <base/result.h>
#include <protocol/error_code.h>

namespace dohle::client {

struct KafkaError {
  protocol::ErrorCode code = protocol::ErrorCode::kUnknownServerError;
  std::string message;  // one sentence, for people

  // Of the client's own making: connections that fail or end are kNetworkException, deadlines kRequestTimedOut.
  [[nodiscard]] bool is_retriable() const { return protocol::is_retriable(code); }
};

template <typename T = void>
using Answer = std::expected<T, KafkaError>;

[[nodiscard]] inline std::unexpected<KafkaError> failure(protocol::ErrorCode code, std::string message = {}) {
  if (message.empty()) message = std::string(protocol::message(code));
  return std::unexpected(KafkaError{code, std::move(message)});
}
// The error of an answer's field, as it came over the wire.
[[nodiscard]] inline std::unexpected<KafkaError> failure(std::int16_t error_code, std::string message = {}) {
  return failure(protocol::error_code_from(error_code), std::move(message));
}

}  // namespace dohle::client

// Every API key of Kafka 4.4: its versions, encodings and listeners, from the schemas.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <protocol/api_key.h>

namespace dohle::protocol {

struct ApiInfo {
  std::int16_t key;
  std::string_view name;  // "Fetch"
  std::int16_t min_version;
  std::int16_t max_version;             // newest stable
  std::int16_t max_unstable_version;    // the same where the newest is stable
  std::int16_t first_flexible_request;  // 32767 where none is
  std::int16_t first_flexible_response;
  bool on_broker;
  bool on_controller;
};

// Old librdkafka gives up on a broker that does not announce Produce from version 0 (KAFKA-18659): ApiVersions says 0,
// requests below ApiInfo::min_version are refused.
inline constexpr std::int16_t kProduceAnnouncedMinVersion = 0;

// In the order of their keys.
[[nodiscard]] std::span<const ApiInfo> api_table();
// nullptr for a key that Kafka 4.4 does not have.
[[nodiscard]] const ApiInfo* find_api(std::int16_t key);

}  // namespace dohle::protocol

// The producer's settings, by Kafka's names; times in ms.
#pragma once

#include <cstdint>

#include <base/result.h>
#include <client/client_config.h>
#include <records/compression.h>

namespace dohle::client {

struct ProducerConfig {
  std::int16_t acks = -1;  // all
  records::Compression compression;
  std::size_t batch_size = 16'384;
  std::int64_t linger_ms = 5;
  std::size_t buffer_memory = 33'554'432;
  std::size_t max_request_size = 1'048'576;
  std::int64_t max_block_ms = 60'000;
  std::int64_t delivery_timeout_ms = 120'000;
  std::int64_t retries = 2'147'483'647;
  std::int32_t max_in_flight_requests_per_connection = 5;
  bool enable_idempotence = true;
  bool partitioner_ignore_keys = false;

  // Takes the keys it knows. kInvalidConfig names what is wrong, contradictions between keys too.
  [[nodiscard]] static Result<ProducerConfig> from(const Properties& properties);
};

}  // namespace dohle::client

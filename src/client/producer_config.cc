#include <client/producer_config.h>

#include <limits>

#include <fmt/core.h>

namespace dohle::client {

namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMaxInFlightWithIdempotence = 5;

Result<std::int16_t> acks_of(const Properties& properties) {
  const std::string text = property_text(properties, "acks", "all");
  if (text == "all" || text == "-1") return std::int16_t{-1};
  if (text == "0") return std::int16_t{0};
  if (text == "1") return std::int16_t{1};
  return fail(Errc::kInvalidConfig,
              fmt::format("Invalid value {} for configuration acks: String must be one of: all, -1, 0, 1", text));
}

Result<records::Compression> compression_of(const Properties& properties) {
  const std::string name = property_text(properties, "compression.type", "none");
  const auto type = records::compression_type(name);
  if (!type) {
    return fail(Errc::kInvalidConfig, fmt::format("Invalid value {} for configuration compression.type: String must be "
                                                  "one of: none, gzip, snappy, lz4, zstd",
                                                  name));
  }
  records::Compression out{*type, std::nullopt};
  const std::string key = fmt::format("compression.{}.level", name);
  if (!properties.contains(key)) return out;
  std::int64_t min = 1;
  std::int64_t max = 17;
  if (*type == records::CompressionType::kGzip) min = -1, max = 9;
  if (*type == records::CompressionType::kZstd) min = -131072, max = 22;
  DOHLE_ASSIGN(const std::int64_t level, property_number(properties, key, 0, min, max));
  out.level = static_cast<int>(level);
  return out;
}

}  // namespace

Result<ProducerConfig> ProducerConfig::from(const Properties& properties) {
  ProducerConfig config;
  DOHLE_ASSIGN(config.acks, acks_of(properties));
  DOHLE_ASSIGN(config.compression, compression_of(properties));
  const auto number = [&](std::string_view key, auto& field, std::int64_t min, std::int64_t max) -> Result<> {
    DOHLE_ASSIGN(const std::int64_t value,
                 property_number(properties, key, static_cast<std::int64_t>(field), min, max));
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
    return {};
  };
  DOHLE_TRY(number("batch.size", config.batch_size, 0, kMaxInt));
  DOHLE_TRY(number("linger.ms", config.linger_ms, 0, kMaxInt));
  DOHLE_TRY(number("buffer.memory", config.buffer_memory, 0, std::numeric_limits<std::int64_t>::max()));
  DOHLE_TRY(number("max.request.size", config.max_request_size, 0, kMaxInt));
  DOHLE_TRY(number("max.block.ms", config.max_block_ms, 0, kMaxInt));
  DOHLE_TRY(number("delivery.timeout.ms", config.delivery_timeout_ms, 0, kMaxInt));
  DOHLE_TRY(number("retries", config.retries, 0, kMaxInt));
  DOHLE_TRY(number("max.in.flight.requests.per.connection", config.max_in_flight_requests_per_connection, 1, kMaxInt));
  DOHLE_ASSIGN(config.partitioner_ignore_keys, property_bool(properties, "partitioner.ignore.keys", false));
  // Without a word about it, idempotence gives way to settings that exclude it.
  const bool excluded = config.acks != -1 || config.retries == 0 ||
                        config.max_in_flight_requests_per_connection > kMaxInFlightWithIdempotence;
  DOHLE_ASSIGN(config.enable_idempotence, property_bool(properties, "enable.idempotence", !excluded));
  if (config.enable_idempotence && excluded) {
    return fail(
        Errc::kInvalidConfig,
        "enable.idempotence needs acks=all, retries above 0 and max.in.flight.requests.per.connection of at most 5");
  }
  DOHLE_ASSIGN(const std::int64_t request_timeout_ms,
               property_number(properties, "request.timeout.ms", 30'000, 0, kMaxInt));
  if (config.delivery_timeout_ms < config.linger_ms + request_timeout_ms) {
    return fail(Errc::kInvalidConfig,
                "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms");
  }
  return config;
}

}  // namespace dohle::client

// What every client is told, by Kafka's names (`bootstrap.servers` is bootstrap_servers, and so on); times in ms.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <runtime/network.h>

namespace dohle::client {

// A client's properties, as a .properties file or --command-property gives them.
using Properties = std::map<std::string, std::string, std::less<>>;

// Reads the text of a .properties file: `key=value` lines, # and ! comments, \ escapes and continued lines.
[[nodiscard]] Properties parse_properties(std::string_view text);

// "host:port,host:port", IPv6 in brackets. kInvalidConfig names what is wrong.
[[nodiscard]] Result<std::vector<runtime::Endpoint>> parse_servers(std::string_view text);

struct ClientConfig {
  std::vector<runtime::Endpoint> bootstrap_servers;
  // KIP-919: the servers are controllers, and only controllers are spoken to (bootstrap.controllers).
  bool bootstrap_controllers = false;
  std::string client_id;
  std::string client_rack;
  std::int64_t metadata_max_age_ms = 300'000;
  std::int64_t request_timeout_ms = 30'000;
  std::int64_t default_api_timeout_ms = 60'000;
  std::int64_t socket_connection_setup_timeout_ms = 10'000;
  std::int64_t retry_backoff_ms = 100;
  std::int64_t retry_backoff_max_ms = 1'000;
  std::int64_t reconnect_backoff_ms = 50;
  std::int64_t reconnect_backoff_max_ms = 1'000;

  // Takes the keys it knows; others are left to whoever reads them. kInvalidConfig names the key, the value and what is
  // allowed.
  [[nodiscard]] static Result<ClientConfig> from(const Properties& properties);
};

// One value of `properties`; the default when it is absent. kInvalidConfig when it is not a number in [min, max].
[[nodiscard]] Result<std::int64_t> property_number(const Properties& properties, std::string_view key,
                                                   std::int64_t otherwise, std::int64_t min, std::int64_t max);
[[nodiscard]] Result<bool> property_bool(const Properties& properties, std::string_view key, bool otherwise);
[[nodiscard]] std::string property_text(const Properties& properties, std::string_view key, std::string_view otherwise);

}  // namespace dohle::client

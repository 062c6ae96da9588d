// listeners, advertised.listeners and listener.security.protocol.map, read as Kafka reads them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>

namespace dohle::broker::config {

// Numbers of the wire.
enum class SecurityProtocol : std::int16_t { kPlaintext = 0, kSsl = 1, kSaslPlaintext = 2, kSaslSsl = 3 };

[[nodiscard]] std::string_view to_string(SecurityProtocol protocol);
[[nodiscard]] std::optional<SecurityProtocol> security_protocol(std::string_view name);  // upper case only

struct Endpoint {
  std::string listener;  // upper case
  SecurityProtocol protocol = SecurityProtocol::kPlaintext;
  std::optional<std::string> host;  // none: all addresses
  std::int32_t port = 0;            // 0: any free one
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

using ProtocolMap = std::map<std::string, SecurityProtocol, std::less<>>;  // by listener name, upper case

// NAME:PROTOCOL,... The error names `key`.
[[nodiscard]] Result<ProtocolMap> parse_protocol_map(std::string_view key, std::string_view text);
// NAME://host:port, with names from `protocols`. Names must differ; ports too if asked for, except 0 and one IPv4 with
// one IPv6 address. The error names `key`.
[[nodiscard]] Result<std::vector<Endpoint>> parse_endpoints(std::string_view key, const std::vector<std::string>& items,
                                                            const ProtocolMap& protocols, bool distinct_ports);
// Endpoints without a host get `canonical_host_name` (runtime::Network::canonical_host_name), as they are registered.
[[nodiscard]] std::vector<Endpoint> with_hosts(std::vector<Endpoint> endpoints, std::string_view canonical_host_name);

[[nodiscard]] std::string upper(std::string_view text);

}  // namespace dohle::broker::config

// controller.quorum.voters and controller.quorum.bootstrap.servers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/result.h>

namespace dohle::broker::config {

struct HostPort {
  std::string host;
  std::int32_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// host:port, [v6]:port, or either behind a protocol://.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);
[[nodiscard]] Result<std::vector<HostPort>> parse_host_ports(const std::vector<std::string>& items);
// id@host:port by id; of an id that appears twice the last one counts, as in Kafka.
[[nodiscard]] Result<std::map<std::int32_t, HostPort>> parse_voters(const std::vector<std::string>& items);

}  // namespace dohle::broker::config

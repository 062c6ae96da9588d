// ConnectionLimits: how many connections there are, in all and by address, and whether one more may come. No I/O.
// Kafka's max.connections, max.connections.per.ip and max.connections.per.ip.overrides.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace dohle::transport {

struct ConnectionLimitOptions {
  std::int32_t max_connections = std::numeric_limits<std::int32_t>::max();
  std::int32_t max_per_address = std::numeric_limits<std::int32_t>::max();
  std::map<std::string, std::int32_t> max_per_address_overrides;
};

class ConnectionLimits {
 public:
  explicit ConnectionLimits(ConnectionLimitOptions options) : options_(std::move(options)) {}
  void update(ConnectionLimitOptions options) { options_ = std::move(options); }
  // Whether the total allows one more: if not, the next connection waits to be accepted.
  [[nodiscard]] bool has_room() const { return total_ < options_.max_connections; }
  // Counts a connection from `address`; false, and not counted, when that address has too many.
  [[nodiscard]] bool add(const std::string& address);
  void remove(const std::string& address);
  [[nodiscard]] std::int32_t total() const { return total_; }
  [[nodiscard]] std::int32_t limit_of(const std::string& address) const;

 private:
  ConnectionLimitOptions options_;
  std::int32_t total_ = 0;
  std::map<std::string, std::int32_t> by_address_;
};

}  // namespace dohle::transport

#include <transport/connection_limits.h>

#include <base/check.h>

namespace dohle::transport {

std::int32_t ConnectionLimits::limit_of(const std::string& address) const {
  const auto at = options_.max_per_address_overrides.find(address);
  return at == options_.max_per_address_overrides.end() ? options_.max_per_address : at->second;
}

bool ConnectionLimits::add(const std::string& address) {
  const auto at = by_address_.find(address);
  const std::int32_t have = at == by_address_.end() ? 0 : at->second;
  if (have >= limit_of(address)) return false;
  ++by_address_[address];
  ++total_;
  return true;
}

void ConnectionLimits::remove(const std::string& address) {
  const auto at = by_address_.find(address);
  DOHLE_CHECK(at != by_address_.end());
  if (--at->second == 0) by_address_.erase(at);
  --total_;
}

}  // namespace dohle::transport

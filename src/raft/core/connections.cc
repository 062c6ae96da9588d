#include "core/connections.h"

#include <algorithm>

namespace dohle::raft {

bool Connections::ready(NodeId to, TimeMs now) const {
  const auto at = peers_.find(to);
  return at == peers_.end() || now >= at->second.until;
}

bool Connections::timed_out(NodeId to, TimeMs now) const {
  const auto at = peers_.find(to);
  return at != peers_.end() && at->second.in_flight && now >= at->second.until;
}

bool Connections::backing_off(NodeId to, TimeMs now) const {
  const auto at = peers_.find(to);
  return at != peers_.end() && !at->second.in_flight && now < at->second.until;
}

bool Connections::any_in_flight(TimeMs now) const {
  return std::ranges::any_of(peers_,
                             [now](const auto& peer) { return peer.second.in_flight && now < peer.second.until; });
}

TimeMs Connections::ready_at(NodeId to, TimeMs now) const {
  const auto at = peers_.find(to);
  return at == peers_.end() ? now : std::max(now, at->second.until);
}

std::uint64_t Connections::sent(NodeId to, TimeMs now) {
  const std::uint64_t correlation = next_correlation_++;
  peers_[to] = Peer{.in_flight = true, .correlation = correlation, .until = now + request_timeout_ms_};
  return correlation;
}

bool Connections::answered(NodeId to, std::uint64_t correlation) {
  const auto at = peers_.find(to);
  if (at == peers_.end() || !at->second.in_flight || at->second.correlation != correlation) return false;
  peers_.erase(at);
  return true;
}

bool Connections::failed(NodeId to, std::uint64_t correlation, TimeMs now) {
  const auto at = peers_.find(to);
  if (at == peers_.end() || !at->second.in_flight || at->second.correlation != correlation) return false;
  at->second = Peer{.in_flight = false, .correlation = 0, .until = now + retry_backoff_ms_};
  return true;
}

}  // namespace dohle::raft

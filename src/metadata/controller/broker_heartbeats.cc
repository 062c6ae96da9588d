#include <controller/broker_heartbeats.h>

#include <algorithm>
#include <limits>

#include <base/check.h>

namespace dohle::metadata {

void BrokerHeartbeats::reset(const ClusterImage& cluster, runtime::MonotonicTime now, std::int32_t own_id) {
  contacts_.clear();
  brokers_.clear();
  for (const auto& [id, broker] : cluster.brokers) {
    register_broker(id, broker->fenced);
    if (!broker->fenced && id != own_id) contact({id, broker->epoch}, now);
  }
}

bool BrokerHeartbeats::has_valid_session(BrokerIdAndEpoch broker, runtime::MonotonicTime now) const {
  const auto at = contacts_.find(broker);
  return at != contacts_.end() && !expired(at->second, now);
}

std::optional<BrokerIdAndEpoch> BrokerHeartbeats::take_expired(runtime::MonotonicTime now) {
  const auto at = std::ranges::find_if(contacts_, [&](const auto& entry) { return expired(entry.second, now); });
  if (at == contacts_.end()) return std::nullopt;
  const BrokerIdAndEpoch broker = at->first;
  contacts_.erase(at);
  return broker;
}

void BrokerHeartbeats::register_broker(std::int32_t id, bool fenced) {
  const auto [at, fresh] = brokers_.try_emplace(id);
  // A registration that changes the fencing keeps the offset; any other starts over.
  const std::int64_t offset = !fresh && at->second.fenced != fenced ? at->second.metadata_offset : -1;
  touch(id, fenced, offset);
}

void BrokerHeartbeats::fence(std::int32_t id) {
  if (const auto at = brokers_.find(id); at != brokers_.end()) at->second.fenced = true;
}

void BrokerHeartbeats::touch(std::int32_t id, bool fenced, std::int64_t metadata_offset) {
  const auto at = brokers_.find(id);
  DOHLE_CHECK(at != brokers_.end());
  at->second.fenced = fenced;
  at->second.metadata_offset = metadata_offset;
  // A fenced broker has left controlled shutdown: its next heartbeat may end it at once.
  if (fenced) at->second.controlled_shutdown_offset = -1;
}

void BrokerHeartbeats::set_controlled_shutdown_offset(std::int32_t id, std::int64_t offset) {
  const auto at = brokers_.find(id);
  if (at == brokers_.end() || at->second.fenced) return;
  if (at->second.controlled_shutdown_offset < 0) at->second.controlled_shutdown_offset = offset;
}

bool BrokerHeartbeats::is_shutting_down(std::int32_t id) const {
  const auto at = brokers_.find(id);
  return at != brokers_.end() && at->second.shutting_down();
}

std::int64_t BrokerHeartbeats::lowest_active_offset() const {
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  for (const auto& [id, state] : brokers_) {
    if (!state.fenced && !state.shutting_down()) lowest = std::min(lowest, state.metadata_offset);
  }
  return lowest;
}

BrokerHeartbeats::Transition BrokerHeartbeats::next_state(std::int32_t id, const HeartbeatWish& wish,
                                                          std::int64_t registration_offset,
                                                          const std::function<bool()>& has_leaderships) const {
  using enum BrokerControlState;
  const auto at = brokers_.find(id);
  DOHLE_CHECK(at != brokers_.end());
  const State& broker = at->second;
  if (broker.shutting_down()) {
    const bool may_go = !has_leaderships() && broker.controlled_shutdown_offset <= lowest_active_offset();
    return {kControlledShutdown, may_go ? kShutdownNow : kControlledShutdown};
  }
  if (broker.fenced) {
    if (wish.want_shut_down) return {kFenced, kShutdownNow};
    const bool caught_up = wish.metadata_offset >= registration_offset;
    return {kFenced, !wish.want_fence && caught_up ? kUnfenced : kFenced};
  }
  if (wish.want_fence) return {kUnfenced, wish.want_shut_down ? kShutdownNow : kFenced};
  if (wish.want_shut_down) return {kUnfenced, has_leaderships() ? kControlledShutdown : kShutdownNow};
  return {kUnfenced, kUnfenced};
}

}  // namespace dohle::metadata

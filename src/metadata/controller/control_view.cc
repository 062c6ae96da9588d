#include <controller/control_view.h>

#include <fmt/format.h>

namespace dohle::metadata {

Uuid ControlView::default_directory(std::int32_t broker) const {
  if (!version().has_directory_assignment()) return kDirectoryMigrating;
  const BrokerRegistration* registration = image.cluster().broker(broker);
  if (registration == nullptr) return kDirectoryUnassigned;
  if (registration->directories.empty()) return kDirectoryMigrating;
  return registration->directories.size() == 1 ? registration->directories.front() : kDirectoryUnassigned;
}

std::vector<UsableBroker> ControlView::usable_brokers() const {
  std::vector<UsableBroker> out;
  for (const auto& [id, broker] : image.cluster().brokers) {
    if (heartbeats.is_shutting_down(id) || !broker->has_uncordoned_directory()) continue;
    out.push_back({id, broker->rack, broker->fenced});
  }
  return out;
}

ApiError ControlView::check_broker_epoch(std::int32_t broker, std::int64_t epoch) const {
  const BrokerRegistration* registration = image.cluster().broker(broker);
  if (registration == nullptr) {
    return {protocol::ErrorCode::kStaleBrokerEpoch,
            fmt::format("No broker registration found for broker id {}", broker)};
  }
  if (registration->epoch != epoch) {
    return {protocol::ErrorCode::kStaleBrokerEpoch,
            fmt::format("Expected broker epoch {}, but got broker epoch {}", registration->epoch, epoch)};
  }
  return {};
}

}  // namespace dohle::metadata

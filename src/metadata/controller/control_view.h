// What a manager sees when it decides: the newest state, uncommitted changes included, and who is alive.
#pragma once

#include <cstdint>
#include <vector>

#include <controller/broker_heartbeats.h>
#include <controller/replica_placer.h>
#include <metadata/config_validator.h>
#include <metadata/features.h>
#include <metadata/image.h>

namespace dohle::metadata {

struct ControlView {
  const MetadataImage& image;
  const BrokerHeartbeats& heartbeats;

  [[nodiscard]] MetadataVersion version() const { return MetadataVersion(image.features().metadata_version()); }
  [[nodiscard]] bool elr_enabled() const { return image.features().level(kElrFeature) > 0; }
  [[nodiscard]] bool is_active(std::int32_t broker) const { return image.cluster().is_active(broker); }
  // Where a new replica of a broker goes: its only directory, or not decided yet.
  [[nodiscard]] Uuid default_directory(std::int32_t broker) const;
  [[nodiscard]] std::vector<UsableBroker> usable_brokers() const;
  // STALE_BROKER_EPOCH unless this incarnation is registered.
  [[nodiscard]] ApiError check_broker_epoch(std::int32_t broker, std::int64_t epoch) const;
};

}  // namespace dohle::metadata

// ControllerRegistrar: the controller half of a node makes itself known in the metadata log (KIP-919), so that clients
// can find all controllers and their feature ranges. Belongs to one shard.
#pragma once

#include <cstdint>
#include <vector>

#include <metadata/controller_channel.h>
#include <metadata/image.h>
#include <metadata/publisher.h>
#include <runtime/shard.h>
#include <runtime/sync.h>

namespace dohle::metadata {

struct ControllerRegistrationConfig {
  std::int32_t controller_id = -1;
  Uuid incarnation_id;                   // new for every start of the process
  std::vector<EndpointImage> endpoints;  // of the controller listeners, as advertised
};

class ControllerRegistrar {
 public:
  // `metadata` is that of `shard`. All must outlive the registrar.
  ControllerRegistrar(ControllerRegistrationConfig config, runtime::Shard& shard, ControllerChannel& channel,
                      ShardMetadata& metadata)
      : config_(std::move(config)), shard_(shard), channel_(channel), metadata_(metadata) {}

  // Registers as soon as the cluster's metadata.version allows it, and tries until it has worked.
  void start();
  // The last call.
  [[nodiscard]] runtime::Task<void> stop();

 private:
  runtime::Task<void> run(runtime::Gate::Pass pass);
  [[nodiscard]] bool is_registered() const;

  ControllerRegistrationConfig config_;
  runtime::Shard& shard_;
  ControllerChannel& channel_;
  ShardMetadata& metadata_;
  runtime::StopSource stop_;
  runtime::Gate gate_;
};

}  // namespace dohle::metadata

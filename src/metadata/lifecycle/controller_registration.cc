#include <metadata/controller_registration.h>

#include <algorithm>
#include <chrono>

#include <base/check.h>
#include <base/log.h>
#include <metadata/features.h>
#include <protocol/error_code.h>
#include <protocol/messages/controller_registration_request.h>
#include <protocol/messages/controller_registration_response.h>

#include "registration_parts.h"

namespace dohle::metadata {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFirstRetry{5};
constexpr milliseconds kLongestRetry{1000};

protocol::ControllerRegistrationRequest registration_of(const ControllerRegistrationConfig& config) {
  protocol::ControllerRegistrationRequest request;
  request.controller_id = config.controller_id;
  request.incarnation_id = config.incarnation_id;
  add_listeners(request, config.endpoints);
  add_features(request);
  return request;
}

}  // namespace

bool ControllerRegistrar::is_registered() const {
  const auto& controllers = metadata_.image()->cluster().controllers;
  const auto at = controllers.find(config_.controller_id);
  return at != controllers.end() && at->second->incarnation_id == config_.incarnation_id;
}

void ControllerRegistrar::start() { runtime::spawn(run(gate_.enter())); }

runtime::Task<void> ControllerRegistrar::run([[maybe_unused]] runtime::Gate::Pass pass) {
  DOHLE_CHECK(shard_.executor().is_current());
  const auto request = registration_of(config_);
  milliseconds retry = kFirstRetry;
  while (!stop_.stopped() && !is_registered()) {
    if (MetadataVersion(metadata_.image()->features().metadata_version()).has_controller_registration()) {
      ControllerRequestContext context;
      auto sent = channel_.send(request, std::move(context));
      const auto response = co_await std::move(sent);
      if (response && response->error_code == 0 && is_registered()) co_return;
      log::debug("metadata", "Controller {} is not registered yet: {}.", config_.controller_id,
                 response ? protocol::name(protocol::error_code_from(response->error_code)) : response.error().message);
    }
    co_await runtime::sleep_for(retry, &stop_);
    retry = std::min(retry * 2, kLongestRetry);
  }
}

runtime::Task<void> ControllerRegistrar::stop() {
  stop_.stop();
  co_await gate_.wait_empty();
}

}  // namespace dohle::metadata

#include <metadata/broker_lifecycle.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <base/log.h>
#include <metadata/features.h>
#include <protocol/error_code.h>
#include <protocol/messages/broker_heartbeat_request.h>
#include <protocol/messages/broker_heartbeat_response.h>
#include <protocol/messages/broker_registration_request.h>
#include <protocol/messages/broker_registration_response.h>

#include "registration_parts.h"

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
using std::chrono::milliseconds;
constexpr std::string_view kModule = "metadata";
constexpr milliseconds kFirstRetry{2};
constexpr milliseconds kLongestRetry{100};

protocol::BrokerRegistrationRequest registration_of(const BrokerLifecycleConfig& config) {
  protocol::BrokerRegistrationRequest request;
  request.broker_id = config.broker_id;
  request.cluster_id = config.cluster_id;
  request.incarnation_id = config.incarnation_id;
  add_listeners(request, config.endpoints);
  add_features(request);
  request.rack.reset();
  if (config.rack) request.rack = *config.rack;
  request.log_dirs = config.directories;
  request.previous_broker_epoch = config.previous_broker_epoch;
  return request;
}

// What another try cannot mend.
bool is_final(ErrorCode error) {
  return error == ErrorCode::kInconsistentClusterId || error == ErrorCode::kUnsupportedVersion ||
         error == ErrorCode::kInvalidRegistration || error == ErrorCode::kBrokerIdNotRegistered;
}

}  // namespace

BrokerLifecycle::BrokerLifecycle(BrokerLifecycleConfig config, runtime::Shard& shard, ControllerChannel& channel,
                                 ShardMetadata& metadata)
    : config_(std::move(config)), shard_(shard), channel_(channel), metadata_(metadata) {}

BrokerLifecycle::~BrokerLifecycle() = default;

void BrokerLifecycle::start() {
  state_ = BrokerState::kStarting;
  runtime::spawn(run(gate_.enter()));
}

runtime::Task<Result<>> BrokerLifecycle::wait_caught_up() {
  co_await caught_up_.wait();
  co_return registered_;
}

void BrokerLifecycle::set_ready() {
  ready_ = true;
  send_soon();
}

runtime::Task<void> BrokerLifecycle::wait_unfenced() { co_await unfenced_.wait(); }

void BrokerLifecycle::report_offline_directory(const Uuid& directory) {
  if (std::ranges::find(offline_, directory) != offline_.end()) return;
  offline_.push_back(directory);
  send_soon();
}

void BrokerLifecycle::send_soon() {
  send_now_ = true;
  if (pausing_ != nullptr) pausing_->stop();
}

runtime::Task<void> BrokerLifecycle::pause(runtime::Duration duration) {
  if (std::exchange(send_now_, false) || stopped_) co_return;
  pausing_ = std::make_unique<runtime::StopSource>();
  co_await runtime::sleep_for(duration, pausing_.get());
  pausing_.reset();
  send_now_ = false;
}

runtime::Task<void> BrokerLifecycle::run([[maybe_unused]] runtime::Gate::Pass pass) {
  registered_ = co_await register_broker();
  while (registered_ && !stopped_) {
    send_now_ = false;
    const runtime::Duration next = co_await heartbeat();
    co_await pause(next);
  }
  if (registered_ && state_ == BrokerState::kStarting) registered_ = fail(Errc::kClosed, "The broker was stopped.");
  caught_up_.set();
  unfenced_.set();
  may_leave_.set();
}

runtime::Task<Result<>> BrokerLifecycle::register_broker() {
  const auto request = registration_of(config_);
  const runtime::MonotonicTime deadline = shard_.clock().now() + config_.registration_timeout;
  milliseconds retry = kFirstRetry;
  std::string why = "no controller answered";
  while (!stopped_ && shard_.clock().now() < deadline) {
    ControllerRequestContext context;
    context.api_version = protocol::BrokerRegistrationRequest::kMaxVersion;
    auto sent = channel_.send(request, std::move(context));
    const auto response = co_await std::move(sent);
    const ErrorCode error = response ? protocol::error_code_from(response->error_code) : ErrorCode::kNone;
    if (response && error == ErrorCode::kNone) {
      broker_epoch_ = response->broker_epoch;
      log::info(kModule, "Registered broker {} with epoch {}.", config_.broker_id, broker_epoch_);
      co_return Result<>{};
    }
    if (response) why = fmt::format("the controller answered {}", protocol::name(error));
    if (is_final(error)) break;
    if (error == ErrorCode::kDuplicateBrokerRegistration && retry < kLongestRetry) {
      log::warn(kModule, "Broker id {} is still taken; waiting for the session of the other process to end.",
                config_.broker_id);
      retry = kLongestRetry;
    }
    co_await pause(retry);
    retry = std::min(retry * 2, kLongestRetry);
  }
  co_return fail(Errc::kTimedOut, fmt::format("Broker {} could not register: {}.", config_.broker_id, why));
}

runtime::Task<runtime::Duration> BrokerLifecycle::heartbeat() {
  protocol::BrokerHeartbeatRequest request;
  request.broker_id = config_.broker_id;
  request.broker_epoch = broker_epoch_;
  request.current_metadata_offset = metadata_.image()->last_offset().value();
  request.want_fence = !ready_;
  request.want_shut_down = state_ == BrokerState::kPendingControlledShutdown;
  request.offline_log_dirs = offline_;
  // Before the broker has caught up it does not know which ones are cordoned now.
  if (state_ != BrokerState::kStarting) request.cordoned_log_dirs = config_.cordoned_directories;
  ControllerRequestContext context;
  context.api_version = protocol::BrokerHeartbeatRequest::kMaxVersion;
  auto sent = channel_.send(request, std::move(context));
  const auto response = co_await std::move(sent);
  if (!response || response->error_code != 0) {
    const auto error = response ? protocol::error_code_from(response->error_code) : ErrorCode::kNone;
    log::warn(kModule, "The heartbeat of broker {} failed: {}.", config_.broker_id,
              response ? protocol::name(error) : response.error().message);
    // A controller that is just changing is back soon; do not wait a whole interval for it.
    const bool soon = error == ErrorCode::kNotController;
    co_return soon ? std::min<runtime::Duration>(kLongestRetry, config_.heartbeat_interval)
                   : config_.heartbeat_interval;
  }
  co_return heard(response->is_caught_up, response->is_fenced, response->should_shut_down);
}

runtime::Duration BrokerLifecycle::heard(bool caught_up, bool fenced, bool should_shut_down) {
  switch (state_) {
    case BrokerState::kStarting:
      if (!caught_up) return milliseconds(10);
      state_ = BrokerState::kRecovery;
      caught_up_.set();
      return milliseconds(10);
    case BrokerState::kRecovery:
      if (!fenced) {
        log::info(kModule, "Broker {} is unfenced.", config_.broker_id);
        state_ = BrokerState::kRunning;
        unfenced_.set();
      }
      return config_.heartbeat_interval;
    case BrokerState::kPendingControlledShutdown:
      if (should_shut_down) {
        state_ = BrokerState::kShuttingDown;
        may_leave_.set();
        return config_.heartbeat_interval;
      }
      // The first answer only says that leaderships begin to move; that is mostly quick.
      return std::exchange(asked_to_leave_once_, true) ? config_.heartbeat_interval : milliseconds(50);
    default:
      return config_.heartbeat_interval;
  }
}

runtime::Task<bool> BrokerLifecycle::controlled_shutdown(runtime::Duration limit) {
  if (broker_epoch_ < 0 || stopped_ || state_ == BrokerState::kNotRunning) co_return false;
  log::info(kModule, "Broker {} asks the controller to move its leaderships.", config_.broker_id);
  state_ = BrokerState::kPendingControlledShutdown;
  send_soon();
  const runtime::TimerId timer = shard_.executor().start_timer(limit, [this] { may_leave_.set(); });
  co_await may_leave_.wait();
  shard_.executor().cancel_timer(timer);
  co_return state_ == BrokerState::kShuttingDown;
}

runtime::Task<void> BrokerLifecycle::stop() {
  stopped_ = true;
  if (pausing_ != nullptr) pausing_->stop();
  co_await gate_.wait_empty();
  state_ = BrokerState::kNotRunning;
}

}  // namespace dohle::metadata

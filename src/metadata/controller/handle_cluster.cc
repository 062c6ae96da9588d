// Controller: registrations, heartbeats, producer ids and features.
#include <fmt/format.h>

#include <controller/controller_state.h>
#include <controller/feature_control.h>
#include <controller/producer_id_control.h>
#include <protocol/messages/allocate_producer_ids_request.h>
#include <protocol/messages/allocate_producer_ids_response.h>
#include <protocol/messages/broker_registration_response.h>
#include <protocol/messages/controller_registration_response.h>
#include <protocol/messages/unregister_broker_request.h>
#include <protocol/messages/unregister_broker_response.h>
#include <protocol/messages/update_features_request.h>
#include <protocol/messages/update_features_response.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

template <typename Response>
Response failure(const ApiError& error) {
  Response response;
  response.error_code = error.number();
  if constexpr (requires { response.error_message; }) {
    response.error_message.reset();
    if (error.message) response.error_message = *error.message;
  }
  return response;
}

}  // namespace

runtime::Task<protocol::AllocateProducerIdsResponse> Controller::handle(
    const protocol::AllocateProducerIdsRequest& request, ControllerRequestContext /*context*/) {
  using Response = protocol::AllocateProducerIdsResponse;
  const auto block = co_await write<ProducerIdBlock>(
      [&request](Term& term) { return allocate_producer_ids(term.view(), request.broker_id, request.broker_epoch); });
  if (!block) co_return failure<Response>(block.error());
  Response response;
  response.producer_id_start = block->first;
  response.producer_id_len = block->size;
  co_return response;
}

runtime::Task<protocol::BrokerRegistrationResponse> Controller::handle(
    const protocol::BrokerRegistrationRequest& request, ControllerRequestContext context) {
  using Response = protocol::BrokerRegistrationResponse;
  const auto epoch = co_await write<std::int64_t>([this, &request, version = context.api_version](Term& term) {
    return managers_->cluster.register_broker(term.view(), request,
                                              {.next_write_offset = term.next_write_offset.value(),
                                               .kraft_version = raft_.kraft_version(),
                                               .request_version = version,
                                               .now = shard_.clock().now()});
  });
  if (!epoch) co_return failure<Response>(epoch.error());
  Response response;
  response.broker_epoch = *epoch;
  co_return response;
}

runtime::Task<protocol::BrokerHeartbeatResponse> Controller::handle(const protocol::BrokerHeartbeatRequest& request,
                                                                    ControllerRequestContext /*context*/) {
  using Response = protocol::BrokerHeartbeatResponse;
  const auto reply = co_await write<ClusterControl::HeartbeatReply>(
      [this, &request](Term& term) -> Decided<ClusterControl::HeartbeatReply> {
        const std::int32_t broker = request.broker_id;
        term.heartbeats.contact({broker, request.broker_epoch}, shard_.clock().now());
        const auto registered = term.registration_offsets.find(broker);
        if (registered == term.registration_offsets.end()) {
          return std::unexpected(
              ApiError(ErrorCode::kStaleBrokerEpoch,
                       fmt::format("Receive a heartbeat from broker {} before registration", broker)));
        }
        return managers_->cluster.heartbeat(term.view(), request, registered->second.value(), term.heartbeats);
      },
      [&request](Term& term, const ClusterControl::HeartbeatReply& decided, Offset end) {
        if (decided.in_controlled_shutdown)
          term.heartbeats.set_controlled_shutdown_offset(request.broker_id, end.value());
      });
  co_return reply ? reply->response : failure<Response>(reply.error());
}

runtime::Task<protocol::ControllerRegistrationResponse> Controller::handle(
    const protocol::ControllerRegistrationRequest& request, ControllerRequestContext /*context*/) {
  using Response = protocol::ControllerRegistrationResponse;
  const auto done = co_await write<bool>(
      [this, &request](Term& term) { return managers_->cluster.register_controller(term.view(), request); });
  co_return done ? Response{} : failure<Response>(done.error());
}

runtime::Task<protocol::UnregisterBrokerResponse> Controller::handle(const protocol::UnregisterBrokerRequest& request,
                                                                     ControllerRequestContext /*context*/) {
  using Response = protocol::UnregisterBrokerResponse;
  const auto done = co_await write<bool>(
      [this, &request](Term& term) { return managers_->cluster.unregister_broker(term.view(), request.broker_id); });
  co_return done ? Response{} : failure<Response>(done.error());
}

runtime::Task<protocol::UpdateFeaturesResponse> Controller::handle(const protocol::UpdateFeaturesRequest& request,
                                                                   ControllerRequestContext context) {
  using Response = protocol::UpdateFeaturesResponse;
  const auto done = co_await write<ApiError>([this, &request](Term& term) -> Decided<ApiError> {
    const ControlView view = term.view();
    QuorumSetting quorum{.node_id = config_.node_id, .voters = {}, .kraft_version = raft_.kraft_version()};
    const raft::VoterSet voters = raft_.voters();
    for (const auto& [id, voter] : voters.voters()) quorum.voters.push_back(id);
    std::vector<FeatureUpdate> updates;
    bool turns_elr_on = false;
    for (const auto& update : request.feature_updates) {
      updates.push_back(
          {update.feature.str(), update.max_version_level, static_cast<UpgradeType>(update.upgrade_type)});
      turns_elr_on |= update.feature.get() == kElrFeature && update.max_version_level > 0;
    }
    auto decision = update_features(view, quorum, updates);
    if (!decision.response.failed() && turns_elr_on) {
      RecordList records;
      managers_->configs.add_elr_safety_records(view, records);
      records.append(std::move(decision.records));
      decision.records = std::move(records);
    }
    if (request.validate_only) decision.records.clear();
    return decision;
  });
  if (!done) co_return failure<Response>(done.error());
  if (done->failed()) {
    co_return failure<Response>(
        {done->code, fmt::format("The update failed for all features since the following feature had an error: {}",
                                 done->message.value_or(""))});
  }
  Response response;
  response.error_message.reset();
  if (context.api_version > 1) co_return response;
  for (const auto& update : request.feature_updates) {
    auto& result = response.results.emplace_back();
    result.feature = update.feature.str();
    result.error_message.reset();
  }
  co_return response;
}

}  // namespace dohle::metadata

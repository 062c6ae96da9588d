#include <controller/cluster_control.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <base/log.h>
#include <protocol/messages/broker_registration_change_record.h>
#include <protocol/messages/register_broker_record.h>
#include <protocol/messages/register_controller_record.h>
#include <protocol/messages/unregister_broker_record.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;
constexpr std::string_view kModule = "metadata";

template <typename To, typename From>
To endpoint_record(const From& from) {
  To to;
  to.name = from.name.str();
  to.host = from.host.str();
  to.port = from.port;
  to.security_protocol = from.security_protocol;
  return to;
}
template <typename To, typename From>
To feature_record(const From& from) {
  To to;
  to.name = from.name.str();
  to.min_supported_version = from.min_supported_version;
  to.max_supported_version = from.max_supported_version;
  return to;
}

// BrokerRegistrationChangeRecord's values.
constexpr std::int8_t kFence = 1;
constexpr std::int8_t kUnfence = -1;
constexpr std::int8_t kEnterControlledShutdown = 1;

protocol::BrokerRegistrationChangeRecord change_of(std::int32_t broker, std::int64_t epoch) {
  protocol::BrokerRegistrationChangeRecord record;
  record.broker_id = broker;
  record.broker_epoch = epoch;
  return record;
}

}  // namespace

ApiError ClusterControl::check_directories(const ControlView& view,
                                           const protocol::BrokerRegistrationRequest& request) const {
  const auto invalid = [](std::string text) { return ApiError(ErrorCode::kInvalidRegistration, std::move(text)); };
  if (request.log_dirs.empty()) return invalid("No directories specified in request");
  if (std::ranges::any_of(request.log_dirs, is_reserved_directory)) return invalid("Reserved directory ID in request");
  const std::set<Uuid> distinct(request.log_dirs.begin(), request.log_dirs.end());
  if (distinct.size() != request.log_dirs.size()) return invalid("Duplicate directory ID in request");
  for (const auto& [id, broker] : view.image.cluster().brokers) {
    if (id == request.broker_id) continue;
    for (const Uuid& directory : broker->directories) {
      if (distinct.contains(directory)) {
        return invalid(fmt::format("Broker {} is already registered with directory {}", id, directory.to_string()));
      }
    }
  }
  return {};
}

ApiError ClusterControl::check_features(const ControlView& view, const protocol::BrokerRegistrationRequest& request,
                                        std::int16_t kraft_version) const {
  const auto check = [&](std::string_view name, std::int16_t min, std::int16_t max,
                         std::int16_t finalized) -> ApiError {
    if (min <= finalized && finalized <= max) return {};
    return {ErrorCode::kUnsupportedVersion,
            fmt::format("Unable to register because the broker does not support finalized version {} of {}. The broker "
                        "wants a version between {} and {}, inclusive.",
                        finalized, name, min, max)};
  };
  FeatureLevels unverified = view.image.features().finalized;
  unverified[std::string(kKRaftVersionFeature)] = kraft_version;
  bool names_metadata_version = false;
  for (const auto& feature : request.features) {
    const std::string name = feature.name.str();
    const auto at = unverified.find(name);
    const std::int16_t finalized = at == unverified.end() ? std::int16_t{0} : at->second;
    ApiError error = check(name, feature.min_supported_version, feature.max_supported_version, finalized);
    if (error.failed()) return error;
    names_metadata_version |= name == kMetadataVersionFeature;
    unverified.erase(name);
  }
  if (!names_metadata_version) {
    return {ErrorCode::kInvalidRegistration, "Request features do not contain 'metadata.version'"};
  }
  for (const auto& [name, level] : unverified) {
    if (ApiError error = check(name, 0, 0, level); error.failed()) return error;
  }
  return {};
}

Decided<std::int64_t> ClusterControl::register_broker(const ControlView& view,
                                                      const protocol::BrokerRegistrationRequest& request,
                                                      const Registration& registration) const {
  const auto refuse = [](ErrorCode code, std::string text) { return std::unexpected(ApiError(code, std::move(text))); };
  if (request.cluster_id.get() != cluster_id_) {
    return refuse(ErrorCode::kInconsistentClusterId,
                  fmt::format("Expected cluster ID {}, but got cluster ID {}", cluster_id_, request.cluster_id.get()));
  }
  const BrokerRegistration* existing = view.image.cluster().broker(request.broker_id);
  const bool same_incarnation = existing != nullptr && existing->incarnation_id == request.incarnation_id;
  if (existing != nullptr && !same_incarnation &&
      view.heartbeats.has_valid_session({request.broker_id, existing->epoch}, registration.now)) {
    return refuse(
        ErrorCode::kDuplicateBrokerRegistration,
        "Another broker is registered with that broker id. After a restart this ends by itself when the session "
        "of the old process has run out.");
  }
  if (request.is_migrating_zk_broker) {
    return refuse(ErrorCode::kBrokerIdNotRegistered, "Controller does not support registering ZK brokers.");
  }
  const MetadataVersion version = view.version();
  if (version.has_directory_assignment()) {
    if (ApiError error = check_directories(view, request); error.failed()) return std::unexpected(std::move(error));
  }
  if (ApiError error = check_features(view, request, registration.kraft_version); error.failed()) {
    return std::unexpected(std::move(error));
  }

  Decision<std::int64_t> decision{.records = {}, .response = registration.next_write_offset, .atomic = false};
  protocol::RegisterBrokerRecord record;
  record.broker_id = request.broker_id;
  record.incarnation_id = request.incarnation_id;
  record.rack.reset();  // the schema's default is an empty string
  if (request.rack) record.rack = request.rack->str();
  using Record = protocol::RegisterBrokerRecord;
  for (const auto& listener : request.listeners) {
    record.end_points.push_back(endpoint_record<Record::BrokerEndpoint>(listener));
  }
  for (const auto& feature : request.features)
    record.features.push_back(feature_record<Record::BrokerFeature>(feature));
  if (version.has_directory_assignment()) record.log_dirs = request.log_dirs;
  if (same_incarnation) {
    decision.response = existing->epoch;
    record.fenced = existing->fenced;
    record.in_controlled_shutdown = existing->in_controlled_shutdown;
  } else {
    // From version 3 on a broker says which epoch it stopped cleanly under; anything else may have lost data.
    const std::int64_t known_epoch = existing == nullptr ? -2 : existing->epoch;
    const bool clean = registration.request_version >= 3 && known_epoch == request.previous_broker_epoch;
    if (view.elr_enabled() && !clean) {
      partitions_.broker_lost_data(view, request.broker_id, decision.records);
    } else {
      partitions_.broker_stops_leading(view, request.broker_id, decision.records);
    }
    log::info(kModule, "Registering broker {} as incarnation {} with epoch {}, {}; {} partition(s) change.",
              request.broker_id, request.incarnation_id.to_string(), decision.response,
              clean ? "after a clean stop" : "as new or after an unclean stop", decision.records.size());
  }
  record.broker_epoch = decision.response;
  // The registration comes last: if only a part of this gets through, the broker tries again and the rest is made up
  // for.
  decision.records.add(record, version.register_broker_record());
  return decision;
}

Decided<bool> ClusterControl::unregister_broker(const ControlView& view, std::int32_t broker) const {
  const BrokerRegistration* existing = view.image.cluster().broker(broker);
  if (existing == nullptr) {
    return std::unexpected(
        ApiError(ErrorCode::kBrokerIdNotRegistered, fmt::format("Broker ID {} is not currently registered", broker)));
  }
  Decision<bool> decision{.records = {}, .response = true, .atomic = false};
  partitions_.broker_is_gone(view, broker, decision.records);
  protocol::UnregisterBrokerRecord record;
  record.broker_id = broker;
  record.broker_epoch = existing->epoch;
  decision.records.add(record, 0);
  return decision;
}

Decided<bool> ClusterControl::register_controller(const ControlView& view,
                                                  const protocol::ControllerRegistrationRequest& request) const {
  if (!view.version().has_controller_registration()) {
    return std::unexpected(ApiError(ErrorCode::kUnsupportedVersion,
                                    "The current metadata.version is too old to support controller registrations."));
  }
  using Record = protocol::RegisterControllerRecord;
  Record record;
  record.controller_id = request.controller_id;
  record.incarnation_id = request.incarnation_id;
  record.zk_migration_ready = false;
  for (const auto& listener : request.listeners) {
    record.end_points.push_back(endpoint_record<Record::ControllerEndpoint>(listener));
  }
  for (const auto& feature : request.features) {
    record.features.push_back(feature_record<Record::ControllerFeature>(feature));
  }
  Decision<bool> decision{.records = {}, .response = true};
  decision.records.add(record, 0);
  return decision;
}

void ClusterControl::fence(const ControlView& view, std::int32_t broker, RecordList& out) const {
  partitions_.broker_stops_leading(view, broker, out);
  auto record = change_of(broker, view.image.cluster().broker(broker)->epoch);
  record.fenced = kFence;
  out.add(record, 0);
}

void ClusterControl::note_directories(const ControlView& view, const protocol::BrokerHeartbeatRequest& request,
                                      RecordList& out) const {
  const BrokerRegistration& broker = *view.image.cluster().broker(request.broker_id);
  if (view.version().has_directory_assignment()) {
    std::vector<Uuid> online;
    for (const Uuid& directory : broker.directories) {
      if (std::ranges::find(request.offline_log_dirs, directory) == request.offline_log_dirs.end()) {
        online.push_back(directory);
      } else {
        partitions_.directory_goes_offline(view, broker.id, directory, out);
        log::warn(kModule, "Log directory {} of broker {} went offline.", directory.to_string(), broker.id);
      }
    }
    if (online.size() != broker.directories.size()) {
      auto record = change_of(broker.id, broker.epoch);
      record.log_dirs = std::move(online);
      out.add(record, 2);
    }
  }
  if (!view.version().has_cordoned_directories() || !request.cordoned_log_dirs) return;
  // Absent so far means not known, which is not the same as none.
  const std::set<Uuid> cordoned(request.cordoned_log_dirs->begin(), request.cordoned_log_dirs->end());
  if (broker.cordoned_directories && std::ranges::equal(*broker.cordoned_directories, cordoned)) return;
  auto record = change_of(broker.id, broker.epoch);
  record.cordoned_log_dirs = *request.cordoned_log_dirs;
  out.add(record, 3);
}

Decided<ClusterControl::HeartbeatReply> ClusterControl::heartbeat(const ControlView& view,
                                                                  const protocol::BrokerHeartbeatRequest& request,
                                                                  std::int64_t registration_offset,
                                                                  BrokerHeartbeats& heartbeats) const {
  const std::int32_t broker = request.broker_id;
  if (ApiError error = view.check_broker_epoch(broker, request.broker_epoch); error.failed()) {
    return std::unexpected(std::move(error));
  }
  const auto [current, next] =
      heartbeats.next_state(broker, {request.want_fence, request.want_shut_down, request.current_metadata_offset},
                            registration_offset, [&] { return partitions_.has_leaderships(view.image, broker); });
  Decision<HeartbeatReply> decision{.records = {}, .response = {}, .atomic = false};
  RecordList& records = decision.records;
  if (current != next) {
    log::info(kModule, "Broker {} with epoch {} becomes {}.", broker, request.broker_epoch,
              next == BrokerControlState::kUnfenced             ? "unfenced"
              : next == BrokerControlState::kFenced             ? "fenced"
              : next == BrokerControlState::kControlledShutdown ? "one in controlled shutdown"
                                                                : "free to stop");
    switch (next) {
      case BrokerControlState::kFenced:
      case BrokerControlState::kShutdownNow:
        fence(view, broker, records);
        break;
      case BrokerControlState::kUnfenced: {
        auto record = change_of(broker, request.broker_epoch);
        record.fenced = kUnfence;
        records.add(record, 0);
        partitions_.broker_may_lead(view, broker, records);
        break;
      }
      case BrokerControlState::kControlledShutdown:
        if (!view.image.cluster().broker(broker)->in_controlled_shutdown) {
          auto record = change_of(broker, request.broker_epoch);
          record.in_controlled_shutdown = kEnterControlledShutdown;
          records.add(record, 1);
        }
        partitions_.broker_stops_leading(view, broker, records);
        break;
    }
  }
  heartbeats.touch(broker, is_fenced(next), request.current_metadata_offset);
  note_directories(view, request, records);
  decision.response.response.is_caught_up = request.current_metadata_offset >= registration_offset;
  decision.response.response.is_fenced = is_fenced(next);
  decision.response.response.should_shut_down = next == BrokerControlState::kShutdownNow;
  decision.response.in_controlled_shutdown = next == BrokerControlState::kControlledShutdown;
  return decision;
}

bool ClusterControl::fence_one_stale(const ControlView& view, runtime::MonotonicTime now, BrokerHeartbeats& heartbeats,
                                     RecordList& out) const {
  const auto stale = heartbeats.take_expired(now);
  if (!stale) return false;
  const BrokerRegistration* broker = view.image.cluster().broker(stale->id);
  if (broker == nullptr) {
    heartbeats.remove(stale->id);
    return true;
  }
  if (broker->epoch != stale->epoch) return true;  // an incarnation that is over
  if (!broker->fenced) log::warn(kModule, "Fencing broker {}: its session has run out.", stale->id);
  fence(view, stale->id, out);
  heartbeats.fence(stale->id);
  return true;
}

}  // namespace dohle::metadata

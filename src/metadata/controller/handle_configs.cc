// Controller: AlterConfigs and IncrementalAlterConfigs. Each resource succeeds or fails by itself; one that is named
// twice fails.
#include <map>

#include <fmt/format.h>

#include <controller/controller_state.h>
#include <protocol/messages/alter_configs_request.h>
#include <protocol/messages/alter_configs_response.h>
#include <protocol/messages/incremental_alter_configs_request.h>
#include <protocol/messages/incremental_alter_configs_response.h>

namespace dohle::metadata {
namespace {

using protocol::ErrorCode;

template <typename Response>
void answer(Response& response, std::int8_t type, std::string_view name, const ApiError& error) {
  auto& result = response.responses.emplace_back();
  result.error_code = error.number();
  result.error_message.reset();
  if (error.message) result.error_message = *error.message;
  result.resource_type = type;
  result.resource_name = name;
}

ApiError check_type(std::int8_t type) {
  switch (static_cast<ConfigResourceType>(type)) {
    case ConfigResourceType::kTopic:
    case ConfigResourceType::kBroker:
    case ConfigResourceType::kClientMetrics:
    case ConfigResourceType::kGroup:
      return {};
    case ConfigResourceType::kBrokerLogger:
      return {ErrorCode::kInvalidRequest, "Unexpected resource type BROKER_LOGGER."};
    default:
      return {ErrorCode::kUnsupportedVersion, fmt::format("Unknown resource type {}.", type)};
  }
}

// Calls `alter` (resource of the request -> ApiError) for each resource that may be altered, and answers for all.
template <typename Response, typename Request, typename Alter>
Response alter_each(const Request& request, Alter alter) {
  std::map<ConfigResource, int> times;
  const auto resource_of = [](const auto& asked) {
    return ConfigResource{static_cast<ConfigResourceType>(asked.resource_type), asked.resource_name.str()};
  };
  for (const auto& asked : request.resources) ++times[resource_of(asked)];
  Response response;
  for (const auto& asked : request.resources) {
    const ConfigResource resource = resource_of(asked);
    ApiError error = check_type(asked.resource_type);
    if (!error.failed() && times[resource] > 1) {
      error = {ErrorCode::kInvalidRequest, "Duplicate resource."};
      times[resource] = 0;  // said once
    } else if (!error.failed() && times[resource] == 0) {
      continue;
    }
    if (!error.failed()) error = alter(resource, asked);
    answer(response, asked.resource_type, asked.resource_name.get(), error);
  }
  return response;
}

template <typename Response, typename Request>
Response failure(const Request& request, const ApiError& error) {
  Response response;
  for (const auto& asked : request.resources) answer(response, asked.resource_type, asked.resource_name.get(), error);
  return response;
}

template <typename Response>
Decided<Response> finish(Response response, RecordList records, bool validate_only) {
  if (records.size() > kMaxRecordsPerBatch) {
    return std::unexpected(
        ApiError(ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation."));
  }
  if (validate_only) records.clear();
  return Decision<Response>{std::move(records), std::move(response)};
}

}  // namespace

runtime::Task<protocol::IncrementalAlterConfigsResponse> Controller::handle(
    const protocol::IncrementalAlterConfigsRequest& request, ControllerRequestContext context) {
  using Response = protocol::IncrementalAlterConfigsResponse;
  auto done = co_await write<Response>([this, &request, forwarded = context.forwarded](Term& term) {
    RecordList records;
    const ControlView view = term.view();
    auto response = alter_each<Response>(request, [&](const ConfigResource& resource, const auto& asked) {
      ConfigChanges changes;
      for (const auto& config : asked.configs) {
        changes[config.name.str()] = {static_cast<ConfigOperation>(config.config_operation),
                                      config.value ? std::optional(config.value->str()) : std::nullopt};
      }
      return managers_->configs.alter_incrementally(view, resource, changes, false, forwarded, records);
    });
    return finish(std::move(response), std::move(records), request.validate_only);
  });
  co_return done ? std::move(*done) : failure<Response>(request, done.error());
}

runtime::Task<protocol::AlterConfigsResponse> Controller::handle(const protocol::AlterConfigsRequest& request,
                                                                 ControllerRequestContext context) {
  using Response = protocol::AlterConfigsResponse;
  auto done = co_await write<Response>([this, &request, forwarded = context.forwarded](Term& term) {
    RecordList records;
    const ControlView view = term.view();
    auto response = alter_each<Response>(request, [&](const ConfigResource& resource, const auto& asked) {
      std::map<std::string, std::optional<std::string>, std::less<>> values;
      for (const auto& config : asked.configs) {
        values[config.name.str()] = config.value ? std::optional(config.value->str()) : std::nullopt;
      }
      return managers_->configs.alter_legacy(view, resource, values, forwarded, records);
    });
    return finish(std::move(response), std::move(records), request.validate_only);
  });
  co_return done ? std::move(*done) : failure<Response>(request, done.error());
}

}  // namespace dohle::metadata

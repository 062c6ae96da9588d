// ApiVersions (18): what this listener serves, and the cluster's features (KIP-511, KIP-584, KIP-1242).
#include <algorithm>
#include <string_view>

#include <metadata/features.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>

#include "dispatch/handler_table.h"
#include "handlers/handlers.h"

namespace dohle::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

// Letters, digits, dots and dashes; the ends are letters or digits (KIP-511).
bool is_software_name(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '.' || c == '-'; });
}

ErrorCode check(RequestContext& ctx, const ApiVersionsRequest& request) {
  if (ctx.version() >= 3 &&
      !(is_software_name(request.client_software_name) && is_software_name(request.client_software_version))) {
    return ErrorCode::kInvalidRequest;
  }
  if (ctx.version() < 5 || !request.cluster_id) return ErrorCode::kNone;
  const bool meant_for_us =
      request.cluster_id->get() == ctx.broker.cluster_id() && request.node_id == ctx.broker.id().value();
  return meant_for_us ? ErrorCode::kNone : ErrorCode::kRebootstrapRequired;
}

}  // namespace

Answer<ApiVersionsResponse> handle_api_versions(RequestContext& ctx, const ApiVersionsRequest& request) {
  ApiVersionsResponse out;
  if (const ErrorCode error = check(ctx, request); error != ErrorCode::kNone) {
    out.error_code = number(error);
    co_return out;
  }
  for (const auto& row : handler_table()) {
    auto& api = out.api_keys.emplace_back();
    api.api_key = row.api_key;
    api.min_version = row.announced_min_version;
    api.max_version = row.max_version;
  }
  const auto image = ctx.here.image();
  const auto announce = [&](std::string_view name) {
    const auto range = metadata::supported_range(name);
    if (!range || (ctx.version() < 4 && range->min == 0)) return;  // older clients refuse a minimum of 0
    auto& row = out.supported_features.emplace_back();
    row.name = Text(name);
    row.min_version = range->min;
    row.max_version = range->max;
  };
  announce(metadata::kMetadataVersionFeature);
  for (const auto& feature : metadata::features()) announce(feature.name);
  for (const auto& [name, level] : image->features().finalized) {
    auto& row = out.finalized_features.emplace_back();
    row.name = Text(name);
    row.min_version_level = level;
    row.max_version_level = level;
  }
  out.finalized_features_epoch = image->last_offset().value();
  co_return out;
}

}  // namespace dohle::broker

#include "dispatch/api_versions.h"

#include <algorithm>
#include <string_view>

#include <metadata/features.h>
#include <protocol/error_code.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>
#include <protocol/writer.h>

namespace dohle::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

constexpr std::int32_t kNoNode = -1;

// Letters, digits, dots and dashes; the ends are letters or digits (KIP-511).
bool is_software_name(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '.' || c == '-'; });
}

ErrorCode check(const ApiVersionsRequest& request, std::int16_t version, const ApiVersionsSource& source) {
  if (version >= 3 &&
      !(is_software_name(request.client_software_name) && is_software_name(request.client_software_version))) {
    return ErrorCode::kInvalidRequest;
  }
  if (version < 5) return ErrorCode::kNone;
  // KIP-1242: both or neither.
  if (request.cluster_id.has_value() != (request.node_id != kNoNode)) return ErrorCode::kInvalidRequest;
  if (!request.cluster_id) return ErrorCode::kNone;
  const bool meant_for_us = request.cluster_id->get() == source.cluster_id && request.node_id == source.node_id;
  return meant_for_us ? ErrorCode::kNone : ErrorCode::kRebootstrapRequired;
}

void add_api(ApiVersionsResponse& out, AnnouncedApi api) {
  auto& row = out.api_keys.emplace_back();
  row.api_key = api.key;
  row.min_version = api.min_version;
  row.max_version = api.max_version;
}

void add_supported(ApiVersionsResponse& out, std::string_view feature, std::int16_t version) {
  const auto range = metadata::supported_range(feature);
  if (!range || (version < 4 && range->min == 0)) return;  // older clients refuse a minimum of 0
  auto& row = out.supported_features.emplace_back();
  row.name = Text(feature);
  row.min_version = range->min;
  row.max_version = range->max;
}

void add_finalized(ApiVersionsResponse& out, std::string_view feature, std::int16_t level) {
  auto& row = out.finalized_features.emplace_back();
  row.name = Text(feature);
  row.min_version_level = level;
  row.max_version_level = level;
}

}  // namespace

ApiVersionsResponse describe_api_versions(const ApiVersionsRequest& request, std::int16_t version,
                                          const ApiVersionsSource& source, const std::vector<AnnouncedApi>& apis) {
  ApiVersionsResponse out;
  if (const ErrorCode error = check(request, version, source); error != ErrorCode::kNone) {
    out.error_code = number(error);
    return out;
  }
  for (const auto& api : apis) add_api(out, api);
  add_supported(out, metadata::kMetadataVersionFeature, version);
  for (const auto& feature : metadata::features()) add_supported(out, feature.name, version);
  for (const auto& [name, level] : source.image.features().finalized) add_finalized(out, name, level);
  const std::int16_t kraft_version = source.image.provenance().kraft_version;
  if (kraft_version > 0) add_finalized(out, metadata::kKRaftVersionFeature, kraft_version);
  out.finalized_features_epoch = source.image.last_offset().value();
  return out;
}

runtime::Fragments refuse_api_versions(const protocol::RequestHeader& header, AnnouncedApi api_versions) {
  ApiVersionsResponse response;
  response.error_code = number(ErrorCode::kUnsupportedVersion);
  add_api(response, api_versions);
  protocol::Writer writer;
  protocol::ResponseHeader{.correlation_id = header.correlation_id}.encode(writer, header.api_key, 0);
  response.encode(writer, 0);
  return writer.finish_frame();
}

}  // namespace dohle::broker

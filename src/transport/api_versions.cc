#include <transport/api_versions.h>

#include <algorithm>

#include <fmt/format.h>
#include <protocol/api_table.h>
#include <protocol/error_code.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>

namespace dohle::transport {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

Result<std::int16_t> ApiVersions::usable(std::int16_t api_key, std::int16_t min, std::int16_t max) const {
  const auto* info = protocol::find_api(api_key);
  const std::string name = info != nullptr ? std::string(info->name) : std::to_string(api_key);
  const auto at = ranges_.find(api_key);
  if (at == ranges_.end()) return fail(Errc::kUnsupported, "the peer does not serve " + name);
  const auto newest = std::min(max, at->second.max);
  if (newest < std::max(min, at->second.min)) {
    return fail(Errc::kUnsupported, fmt::format("{}: the peer serves versions {} to {}, and we speak {} to {}", name,
                                                at->second.min, at->second.max, min, max));
  }
  return newest;
}

namespace {

constexpr auto kUnsupportedVersion = static_cast<std::int16_t>(protocol::ErrorCode::kUnsupportedVersion);

// An answer in `version`, or one in version 0 that says the version is not served.
Result<ApiVersionsResponse> decode_answer(const Slice& body, std::int16_t version) {
  Reader first(body.bytes());
  const bool refused = first.read<std::int16_t>() == kUnsupportedVersion;
  Reader reader(body.bytes());
  return ApiVersionsResponse::decode(reader, refused ? std::int16_t{0} : version);
}

}  // namespace

runtime::Task<Result<ApiVersions>> ask_api_versions(ClientConnection& connection, ClientSoftware software,
                                                    runtime::Duration timeout) {
  ApiVersionsRequest request;
  request.client_software_name = software.name;
  request.client_software_version = software.version;
  std::int16_t version = ApiVersionsRequest::kMaxVersion;
  for (;;) {
    // Versions below 3 say nothing of the software.
    const ApiVersionsRequest& sent = version >= 3 ? request : ApiVersionsRequest{};
    DOHLE_CO_ASSIGN(const Slice body, co_await connection.call_undecoded(sent, version, timeout));
    DOHLE_CO_ASSIGN(const auto answer, decode_answer(body, version));
    ApiVersions versions;
    for (const auto& api : answer.api_keys) versions.add(api.api_key, {api.min_version, api.max_version});
    if (answer.error_code == 0) co_return versions;
    if (answer.error_code != kUnsupportedVersion || version == 0) {
      const auto code = static_cast<protocol::ErrorCode>(answer.error_code);
      co_return fail(Errc::kUnsupported, fmt::format("the peer answered ApiVersions with {}", protocol::name(code)));
    }
    const auto older = versions.usable(ApiVersionsRequest::kApiKey, 0, static_cast<std::int16_t>(version - 1));
    version = older.value_or(0);
  }
}

}  // namespace dohle::transport

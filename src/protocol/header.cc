#include <protocol/header.h>

#include <protocol/api_table.h>
#include <protocol/messages/request_header_data.h>
#include <protocol/messages/response_header_data.h>

namespace dohle::protocol {

std::int16_t request_header_version(std::int16_t api_key, std::int16_t api_version) {
  const ApiInfo* api = find_api(api_key);
  return api != nullptr && api_version >= api->first_flexible_request ? 2 : 1;
}

std::int16_t response_header_version(std::int16_t api_key, std::int16_t api_version) {
  if (api_key == static_cast<std::int16_t>(ApiKey::kApiVersions)) return 0;
  const ApiInfo* api = find_api(api_key);
  return api != nullptr && api_version >= api->first_flexible_response ? 1 : 0;
}

Result<RequestHeader> RequestHeader::decode(Reader& reader) {
  Reader ahead = reader;
  const auto key = ahead.read<std::int16_t>();
  const auto version = ahead.read<std::int16_t>();
  if (!ahead.ok()) return fail(Errc::kMalformed, "frame too short for a request header");
  const ApiInfo* api = find_api(key);
  if (api == nullptr) return fail(Errc::kUnsupported, "unknown API key " + std::to_string(key));
  const bool any_version = key == static_cast<std::int16_t>(ApiKey::kApiVersions);
  if (!any_version && (version < api->min_version || version > api->max_unstable_version)) {
    return fail(Errc::kUnsupported, std::string(api->name) + " has no version " + std::to_string(version));
  }
  DOHLE_ASSIGN(auto data, RequestHeaderData::decode(reader, request_header_version(key, version)));
  return RequestHeader{key, version, data.correlation_id, std::move(data.client_id), std::move(data.unknown_tags)};
}

void RequestHeader::encode(Writer& writer) const {
  RequestHeaderData data;
  data.request_api_key = api_key;
  data.request_api_version = api_version;
  data.correlation_id = correlation_id;
  data.client_id = client_id;
  data.unknown_tags = unknown_tags;
  data.encode(writer, request_header_version(api_key, api_version));
}

Result<ResponseHeader> ResponseHeader::decode(Reader& reader, std::int16_t api_key, std::int16_t api_version) {
  DOHLE_ASSIGN(auto data, ResponseHeaderData::decode(reader, response_header_version(api_key, api_version)));
  return ResponseHeader{data.correlation_id, std::move(data.unknown_tags)};
}

void ResponseHeader::encode(Writer& writer, std::int16_t api_key, std::int16_t api_version) const {
  ResponseHeaderData data;
  data.correlation_id = correlation_id;
  data.unknown_tags = unknown_tags;
  data.encode(writer, response_header_version(api_key, api_version));
}

}  // namespace dohle::protocol

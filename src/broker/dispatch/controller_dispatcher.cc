#include "dispatch/controller_dispatcher.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include <protocol/api_table.h>
#include <protocol/messages/api_versions_request.h>
#include <protocol/messages/api_versions_response.h>

#include "dispatch/api_versions.h"
#include "fetch/transit.h"

namespace dohle::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

// What goes over to shard 0, and what comes back; nothing: close the connection.
struct Passed {
  ForeignSlice frame;
  std::string listener;
  std::string principal;
};
using Answered = std::optional<std::vector<TransitFragment>>;

bool is_served(const protocol::RequestHeader& header) {
  const auto* api = protocol::find_api(header.api_key);
  const bool served = header.api_key == ApiVersionsRequest::kApiKey || metadata::ControllerApis::serves(header.api_key);
  return api != nullptr && served && header.api_version >= api->min_version && header.api_version <= api->max_version;
}

std::vector<AnnouncedApi> announced_apis() {
  std::vector<AnnouncedApi> out;
  for (const auto& api : protocol::api_table()) {
    if (api.key == ApiVersionsRequest::kApiKey || metadata::ControllerApis::serves(api.key)) {
      out.push_back({api.key, api.min_version, api.max_version});
    }
  }
  return out;
}

std::optional<protocol::Writer> answer_api_versions(const ControllerDispatcher::Home& home,
                                                    const protocol::RequestHeader& header, Reader& reader) {
  const auto request = ApiVersionsRequest::decode(reader, header.api_version);
  if (!request) return std::nullopt;
  const ApiVersionsResponse response = describe_api_versions(
      *request, header.api_version,
      {.cluster_id = home.cluster_id, .node_id = home.node_id, .image = *home.metadata.image()}, announced_apis());
  protocol::Writer writer;
  protocol::ResponseHeader{.correlation_id = header.correlation_id}.encode(writer, header.api_key, header.api_version);
  response.encode(writer, header.api_version);
  return writer;
}

runtime::Task<Answered> serve_at_home(ControllerDispatcher::Home& home, Passed passed) {
  const Slice frame = Slice::adopt(std::move(passed.frame));
  Reader reader(frame.bytes());
  auto header = protocol::RequestHeader::decode(reader);
  if (!header) co_return std::nullopt;
  std::optional<protocol::Writer> answer;
  if (header->api_key == ApiVersionsRequest::kApiKey) {
    answer = answer_api_versions(home, *header, reader);
  } else {
    answer = co_await home.apis.handle({.header = std::move(*header),
                                        .body = reader.rest(),
                                        .principal = std::move(passed.principal),
                                        .listener = std::move(passed.listener)});
  }
  if (!answer) co_return std::nullopt;
  co_return share_fragments(answer->finish_frame());
}

}  // namespace

runtime::Task<void> ControllerDispatcher::handle(std::unique_ptr<transport::Request> request) {
  const auto& header = request->header();
  if (!is_served(header)) {
    if (header.api_key == ApiVersionsRequest::kApiKey) {
      const auto* api = protocol::find_api(header.api_key);
      request->respond(refuse_api_versions(header, {api->key, api->min_version, api->max_version}));
    } else {
      request->close_connection(
          fmt::format("version {} of API key {} is not served on this listener", header.api_version, header.api_key));
    }
    co_return;
  }
  Passed passed{request->frame().share(), request->connection().listener(), request->connection().principal};
  auto answered = co_await runtime::submit_to(
      home_.shard, [this, passed = std::move(passed)]() mutable { return serve_at_home(home_, std::move(passed)); });
  if (!answered) {
    request->close_connection("a request that does not parse");
    co_return;
  }
  request->respond(take_fragments(std::move(*answered)));
}

}  // namespace dohle::broker

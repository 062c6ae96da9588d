#include "dispatch/dispatcher.h"

#include <utility>

#include <fmt/format.h>

#include <protocol/header.h>
#include <protocol/messages/api_versions_response.h>

#include "dispatch/api_versions.h"
#include "dispatch/handler_table.h"
#include "dispatch/request_context.h"
#include "shard/broker.h"
#include "shard/broker_shard.h"

namespace dohle::broker {
namespace {
// Beside the bytes of its frame, a client's request takes no more memory than this.
constexpr std::size_t kMostDecodedBytes = 8U << 20U;

runtime::Task<void> refuse(std::unique_ptr<transport::Request> request, const HandlerRow* row) {
  const auto& header = request->header();
  if (row == nullptr) {
    request->close_connection(fmt::format("API key {} is not served on this listener", header.api_key));
  } else if (header.api_key == protocol::ApiVersionsResponse::kApiKey) {
    request->respond(refuse_api_versions(header, {row->api_key, row->announced_min_version, row->max_version}));
  } else {
    request->close_connection(fmt::format("version {} of API key {} is not served", header.api_version, header.api_key));
  }
  co_return;
}

}  // namespace

runtime::Task<void> Dispatcher::handle(std::unique_ptr<transport::Request> request) {
  if (!open_.is_set()) return handle_once_open(std::move(request));
  const auto& header = request->header();
  const HandlerRow* row = find_handler(header.api_key);
  const bool served =
      row != nullptr && header.api_version >= row->min_version && header.api_version <= row->max_version;
  if (!served) return refuse(std::move(request), row);
  return row->serve(here_, std::move(request), static_cast<std::size_t>(row - handler_table().data()));
}

runtime::Task<void> Dispatcher::handle_once_open(std::unique_ptr<transport::Request> request) {
  co_await open_.wait();
  co_await handle(std::move(request));
}

namespace detail {

RequestContext begin_serving(BrokerShard& here, transport::Request& request, std::size_t handler) {
  return {here, here.broker(), request, handler};
}

Reader open_body(const transport::Request& request) {
  Reader reader(request.body());
  reader.limit_claims(request.body().size() + kMostDecodedBytes);
  return reader;
}

void count_served(const RequestContext& ctx) {
  ctx.here.metrics().served(ctx.handler, ctx.here.shard().clock().now() - ctx.request.received_at());
}

}  // namespace detail

protocol::Writer begin_answer(const RequestContext& ctx) {
  const auto& header = ctx.request.header();
  protocol::Writer writer;
  protocol::ResponseHeader{.correlation_id = header.correlation_id}.encode(writer, header.api_key, header.api_version);
  return writer;
}

void send_answer(RequestContext& ctx, protocol::Writer writer) { ctx.request.respond(writer.finish_frame()); }

void count_error(RequestContext& ctx, std::int16_t code) {
  ctx.here.metrics().failed(ctx.handler, protocol::error_code_from(code));
}

void close_malformed(RequestContext& ctx, const Error& error) { ctx.request.close_connection(error.message); }

}  // namespace dohle::broker

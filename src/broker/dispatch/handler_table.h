// The table of APIs this broker serves: one row per handler file. ApiVersions announces exactly these rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <base/reader.h>
#include <base/result.h>
#include <protocol/writer.h>
#include <runtime/task.h>

#include "dispatch/request_context.h"

namespace dohle::broker {

struct HandlerRow {
  std::int16_t api_key = 0;
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
  std::int16_t announced_min_version = 0;
  // From a request whose key and version fit to its answer. `handler`: the row's place in the table.
  runtime::Task<void> (*serve)(BrokerShard&, std::unique_ptr<transport::Request>, std::size_t handler) = nullptr;

  [[nodiscard]] constexpr HandlerRow announced_from(std::int16_t version) const {
    HandlerRow out = *this;
    out.announced_min_version = version;
    return out;
  }
};

// Sorted by API key.
[[nodiscard]] std::span<const HandlerRow> handler_table();
// Null when the key is not served here.
[[nodiscard]] const HandlerRow* find_handler(std::int16_t api_key);

// Starts the answer to the context's request with its header; send it with send_answer.
[[nodiscard]] protocol::Writer begin_answer(const RequestContext& ctx);
void send_answer(RequestContext& ctx, protocol::Writer writer);
// For the metrics: an answer carries this error code.
void count_error(RequestContext& ctx, std::int16_t code);
// Logs why and closes the connection: what Kafka does with bytes that do not parse.
void close_malformed(RequestContext& ctx, const Error& error);

namespace detail {

[[nodiscard]] RequestContext begin_serving(BrokerShard& here, transport::Request& request, std::size_t handler);
// The body, as a reader that allots no more than a request may take.
[[nodiscard]] Reader open_body(const transport::Request& request);
// For the metrics: its time is over.
void count_served(const RequestContext& ctx);

// Decodes, calls, encodes. A handler that returns no response has seen to the connection itself.
template <typename Request, auto kHandle>
runtime::Task<void> serve(BrokerShard& here, std::unique_ptr<transport::Request> held, std::size_t handler) {
  RequestContext ctx = begin_serving(here, *held, handler);
  Reader reader = open_body(*held);
  if (const auto request = Request::decode(reader, ctx.version()); !request) {
    close_malformed(ctx, request.error());
  } else if (const auto response = co_await kHandle(ctx, *request)) {
    if constexpr (requires { response->error_code; }) {
      if (response->error_code != 0) count_error(ctx, response->error_code);
    }
    auto writer = begin_answer(ctx);
    response->encode(writer, ctx.version());
    send_answer(ctx, std::move(writer));
  }
  count_served(ctx);
}

}  // namespace detail

template <typename Request, auto kHandle>
constexpr HandlerRow row() {
  return {Request::kApiKey, Request::kMinVersion, Request::kMaxVersion, Request::kMinVersion,
          &detail::serve<Request, kHandle>};
}

}  // namespace dohle::broker

#include "node/metrics_endpoint.h"

#include <utility>

namespace dohle::broker {
namespace {

// Whoever scrapes has one connection or two. A request has no body.
constexpr http::ServerOptions kOptions{.limits = {.head_bytes = 8U << 10U, .body_bytes = 0}, .max_connections = 16};

}  // namespace

MetricsEndpoint::MetricsEndpoint(ScrapeSources sources)
    : sources_(std::move(sources)), server_(sources_.shards.at(0), routes(), kOptions) {}

http::Routes MetricsEndpoint::routes() {
  http::Routes out;
  out.add("GET", "/metrics", [this](const http::Request& /*request*/) { return answer(this); });
  return out;
}

runtime::Task<http::Response> MetricsEndpoint::answer(MetricsEndpoint* self) {
  const auto hold = co_await self->one_at_a_time_.lock();
  http::Response out{.content_type = "text/plain; version=0.0.4; charset=utf-8"};
  out.body = (co_await scrape(self->sources_)).text();
  co_return out;
}

}  // namespace dohle::broker

// metrics.listener: GET /metrics over HTTP, on shard 0.
#pragma once

#include <cstdint>

#include <base/result.h>
#include <http/server.h>
#include <runtime/network.h>
#include <runtime/sync.h>

#include "metrics/scrape.h"

namespace dohle::broker {

class MetricsEndpoint {
 public:
  explicit MetricsEndpoint(ScrapeSources sources);

  // Returns the port.
  [[nodiscard]] Result<std::uint16_t> listen(const runtime::Endpoint& endpoint) { return server_.listen(endpoint); }
  // Waits for the scrape that runs. Before anything it reads from is stopped.
  [[nodiscard]] runtime::Task<void> stop() { return server_.stop(); }

 private:
  [[nodiscard]] http::Routes routes();
  [[nodiscard]] static runtime::Task<http::Response> answer(MetricsEndpoint* self);

  ScrapeSources sources_;
  runtime::Mutex one_at_a_time_;
  http::Server server_;
};

}  // namespace dohle::broker

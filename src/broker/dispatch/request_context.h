// What a handler is given besides the decoded request.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <transport/request.h>

namespace dohle::broker {

class BrokerShard;
class Broker;

// Lives in the frame of the dispatching coroutine, on the shard of the connection.
struct RequestContext {
  BrokerShard& here;
  Broker& broker;
  transport::Request& request;
  std::size_t handler = 0;  // index of its row in handler_table()

  [[nodiscard]] std::int16_t version() const { return request.header().api_version; }
  [[nodiscard]] std::string_view client_id() const {
    const auto& id = request.header().client_id;
    return id ? id->get() : std::string_view();
  }
  [[nodiscard]] const std::string& listener() const { return request.connection().listener(); }
  [[nodiscard]] const runtime::Endpoint& peer() const { return request.connection().peer(); }
  // The address by which the client reached us.
  [[nodiscard]] const runtime::Endpoint& local() const { return request.connection().local(); }
};

}  // namespace dohle::broker

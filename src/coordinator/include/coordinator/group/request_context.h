// Who sent a group request, and in which version.
#pragma once

#include <cstdint>
#include <string>

namespace dohle::coordinator {

struct RequestContext {
  std::string client_id;    // empty when the client gave none
  std::string client_host;  // as Kafka shows it: "/192.0.2.1"
  std::int16_t api_version = 0;
};

}  // namespace dohle::coordinator

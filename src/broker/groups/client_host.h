// How a group shows the address of a member's client.
#pragma once

#include <string>
#include <string_view>

namespace dohle::broker {

// As Java's InetAddress prints it, a slash first: "/192.0.2.1", "/2001:db8:0:0:0:0:0:1". IPv6 addresses come in their
// short form; mapped IPv4 ones are IPv4.
[[nodiscard]] std::string client_host(std::string_view address);

}  // namespace dohle::broker

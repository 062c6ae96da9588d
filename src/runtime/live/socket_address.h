// Socket addresses: text to address, address to text.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include <base/result.h>
#include <runtime/network.h>

namespace dohle::runtime {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
  // An IPv4 address that came mapped into IPv6 is shown as IPv4.
  [[nodiscard]] Endpoint endpoint() const;
};

// Addresses to listen on or connect to. Blocks when `endpoint.host` is a name.
[[nodiscard]] Result<std::vector<SocketAddress>> resolve(const Endpoint& endpoint);
[[nodiscard]] bool is_numeric(const std::string& host);

}  // namespace dohle::runtime

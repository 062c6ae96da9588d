#include <broker/config/listeners.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include <broker/config/value.h>

namespace dohle::broker::config {
namespace {

bool host_character(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '%' || c == '.' || c == '_' || c == ':';
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (part.empty() || part.size() > 3 || error != std::errc{} || end != part.data() + part.size()) return false;
    if (value < 0 || value > 255 || (part.size() > 1 && part.front() == '0')) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

// Groups of hexadecimal digits, one "::" at most, perhaps an IPv4 address at the end.
bool is_ipv6(std::string_view text) {
  text = text.substr(0, text.find('%'));
  if (text.find(':') == std::string_view::npos) return false;
  const auto gap = text.find("::");
  if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos) return false;
  int groups = 0;
  std::size_t at = 0;
  while (at <= text.size()) {
    const auto end = std::min(text.find(':', at), text.size());
    const auto group = text.substr(at, end - at);
    if (group.find('.') != std::string_view::npos) {
      if (end != text.size() || !is_ipv4(group)) return false;
      groups += 2;
    } else if (!group.empty()) {
      if (group.size() > 4 || !std::ranges::all_of(group, [](unsigned char c) { return std::isxdigit(c) != 0; }))
        return false;
      ++groups;
    } else if (gap == std::string_view::npos || (at != gap && at != gap + 1 && at != gap + 2)) {
      return false;
    }
    at = end + 1;
  }
  return gap == std::string_view::npos ? groups == 8 : groups < 8;
}

bool is_address(const Endpoint& e) { return e.host && (is_ipv4(*e.host) || is_ipv6(*e.host)); }

// Endpoints that share a port: allowed only for exactly one IPv4 and one IPv6 address.
bool may_share(const std::vector<const Endpoint*>& same_port) {
  if (same_port.size() == 1) return true;
  if (same_port.size() != 2 || !is_address(*same_port[0]) || !is_address(*same_port[1])) return false;
  return is_ipv4(*same_port[0]->host) != is_ipv4(*same_port[1]->host);
}

std::unexpected<Error> bad(std::string_view key, std::string_view item, std::string_view why) {
  return fail(Errc::kInvalidConfig, fmt::format("'{}' in configuration {} is not allowed: {}", item, key, why));
}

Result<Endpoint> parse_endpoint(std::string_view key, std::string_view item, const ProtocolMap& protocols) {
  constexpr std::string_view kForm = "the form is NAME://host:port";
  const auto scheme = item.rfind("://");
  const auto colon = item.rfind(':');
  if (scheme == std::string_view::npos || colon == scheme) return bad(key, item, kForm);
  Endpoint out;
  out.listener = upper(item.substr(0, scheme));
  if (trim(out.listener).empty()) return bad(key, item, "the listener has no name");
  std::string_view host = item.substr(scheme + 3, colon - scheme - 3);
  if (host.starts_with('[')) host.remove_prefix(1);
  if (host.ends_with(']')) host.remove_suffix(1);
  if (!std::ranges::all_of(host, host_character)) return bad(key, item, kForm);
  if (!host.empty()) out.host = std::string(host);
  const auto port = item.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) return bad(key, item, kForm);
  if (out.port < 0 || out.port > 65535) return bad(key, item, "a port is a number from 0 to 65535");
  const auto protocol = protocols.find(out.listener);
  if (protocol == protocols.end()) {
    return bad(key, item, fmt::format("listener.security.protocol.map has no protocol for {}", out.listener));
  }
  out.protocol = protocol->second;
  return out;
}

Result<> check_distinct(std::string_view key, const std::vector<Endpoint>& endpoints, bool distinct_ports) {
  std::set<std::string> names;
  std::map<std::int32_t, std::vector<const Endpoint*>> by_port;
  for (const auto& endpoint : endpoints) {
    if (!names.insert(endpoint.listener).second) {
      return bad(key, endpoint.listener, "each listener must have a different name");
    }
    if (endpoint.port != 0) by_port[endpoint.port].push_back(&endpoint);
  }
  for (const auto& [port, same] : by_port) {
    if (distinct_ports && !may_share(same)) {
      return bad(key, std::to_string(port),
                 "each listener must have a different port, unless one has an IPv4 and the other an IPv6 address");
    }
  }
  return {};
}

}  // namespace

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string_view to_string(SecurityProtocol protocol) {
  switch (protocol) {
    case SecurityProtocol::kPlaintext:
      return "PLAINTEXT";
    case SecurityProtocol::kSsl:
      return "SSL";
    case SecurityProtocol::kSaslPlaintext:
      return "SASL_PLAINTEXT";
    case SecurityProtocol::kSaslSsl:
      return "SASL_SSL";
  }
  return "UNKNOWN";
}

std::optional<SecurityProtocol> security_protocol(std::string_view name) {
  for (const auto protocol : {SecurityProtocol::kPlaintext, SecurityProtocol::kSsl, SecurityProtocol::kSaslPlaintext,
                              SecurityProtocol::kSaslSsl}) {
    if (name == to_string(protocol)) return protocol;
  }
  return std::nullopt;
}

Result<ProtocolMap> parse_protocol_map(std::string_view key, std::string_view text) {
  ProtocolMap out;
  for (const auto& item : split_list(text)) {
    const auto colon = item.rfind(':');
    if (colon == std::string::npos) return bad(key, item, "the form is NAME:PROTOCOL");
    const std::string name = upper(trim(std::string_view(item).substr(0, colon)));
    const auto protocol = security_protocol(upper(trim(std::string_view(item).substr(colon + 1))));
    if (name.empty()) return bad(key, item, "the listener has no name");
    if (!protocol) return bad(key, item, "a protocol is one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL");
    out.insert_or_assign(name, *protocol);
  }
  return out;
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view key, const std::vector<std::string>& items,
                                              const ProtocolMap& protocols, bool distinct_ports) {
  std::vector<Endpoint> out;
  for (const auto& item : items) {
    DOHLE_ASSIGN(auto endpoint, parse_endpoint(key, item, protocols));
    out.push_back(std::move(endpoint));
  }
  DOHLE_TRY(check_distinct(key, out, distinct_ports));
  return out;
}

std::vector<Endpoint> with_hosts(std::vector<Endpoint> endpoints, std::string_view canonical_host_name) {
  for (auto& endpoint : endpoints) {
    if (!endpoint.host || trim(*endpoint.host).empty()) endpoint.host = std::string(canonical_host_name);
  }
  return endpoints;
}

}  // namespace dohle::broker::config

#include <broker/config/quorum.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

namespace dohle::broker::config {
namespace {

bool host_character(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '%' || c == '.' || c == '_' || c == ':';
}

template <typename T>
std::optional<T> integer(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  std::string_view rest = text;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
  const auto colon = rest.rfind(':');
  const auto bad = [&] { return fail(Errc::kInvalidConfig, fmt::format("'{}' is not of the form host:port", text)); };
  if (colon == std::string_view::npos) return bad();
  const auto port_text = rest.substr(colon + 1);
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[')) host.remove_prefix(1);
  if (host.ends_with(']')) host.remove_suffix(1);
  if (!std::ranges::all_of(host, host_character) || port_text.starts_with('-')) return bad();
  const auto port = integer<std::int32_t>(port_text);
  if (!port || *port > 65535) return bad();
  return HostPort{std::string(host), *port};
}

Result<std::vector<HostPort>> parse_host_ports(const std::vector<std::string>& items) {
  std::vector<HostPort> out;
  for (const auto& item : items) {
    DOHLE_ASSIGN(auto parsed, parse_host_port(item));
    out.push_back(std::move(parsed));
  }
  return out;
}

Result<std::map<std::int32_t, HostPort>> parse_voters(const std::vector<std::string>& items) {
  std::map<std::int32_t, HostPort> out;
  for (const auto& item : items) {
    const auto at = item.find('@');
    const auto id =
        at == std::string::npos ? std::nullopt : integer<std::int32_t>(std::string_view(item).substr(0, at));
    if (!id || item.find('@', at + 1) != std::string::npos) {
      return fail(Errc::kInvalidConfig, fmt::format("'{}' is not of the form id@host:port", item));
    }
    DOHLE_ASSIGN(auto address, parse_host_port(std::string_view(item).substr(at + 1)));
    out.insert_or_assign(*id, std::move(address));
  }
  return out;
}

}  // namespace dohle::broker::config

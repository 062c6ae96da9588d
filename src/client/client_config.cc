#include <client/client_config.h>

#include <charconv>
#include <limits>

#include <fmt/core.h>

namespace dohle::client {

namespace {

constexpr std::int64_t kMaxMs = std::numeric_limits<std::int32_t>::max();

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n\f");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n\f") - first + 1);
}

// A logical line: lines that end in an odd number of backslashes go on.
std::string take_line(std::string_view& rest) {
  std::string out;
  for (;;) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const auto start = line.find_first_not_of(" \t\f");
    line = start == std::string_view::npos ? std::string_view{} : line.substr(start);
    if (out.empty() && !line.empty() && (line[0] == '#' || line[0] == '!')) return out;
    const auto tail = line.find_last_not_of('\\');
    const std::size_t slashes = line.size() - (tail == std::string_view::npos ? 0 : tail + 1);
    if (slashes % 2 == 0 || rest.empty()) return out += line;
    out += line.substr(0, line.size() - 1);
  }
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

// Where the key ends: at the first =, : or blank that is not escaped.
std::size_t end_of_key(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '=' || line[i] == ':' || line[i] == ' ' || line[i] == '\t')
      return i;
  }
  return line.size();
}

Result<runtime::Endpoint> parse_server(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto bad = [&] {
    return fail(Errc::kInvalidConfig, fmt::format("Invalid url in bootstrap.servers: {}", text));
  };
  if (colon == std::string_view::npos || colon == 0) return bad();
  std::string_view host = text.substr(0, colon);
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos) host.remove_prefix(scheme + 3);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string_view port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc{} || end != port_text.data() + port_text.size() || host.empty()) return bad();
  return runtime::Endpoint{std::string(host), port};
}

}  // namespace

Properties parse_properties(std::string_view text) {
  Properties out;
  while (!text.empty()) {
    const std::string line = take_line(text);
    const std::size_t end = end_of_key(line);
    if (end == 0) continue;
    std::string_view value = std::string_view(line).substr(end);
    const auto start = value.find_first_not_of(" \t");
    value = start == std::string_view::npos ? std::string_view{} : value.substr(start);
    if (!value.empty() && (value[0] == '=' || value[0] == ':')) value.remove_prefix(1);
    const auto first = value.find_first_not_of(" \t");
    value = first == std::string_view::npos ? std::string_view{} : value.substr(first);
    out[unescape(std::string_view(line).substr(0, end))] = unescape(value);
  }
  return out;
}

Result<std::vector<runtime::Endpoint>> parse_servers(std::string_view text) {
  std::vector<runtime::Endpoint> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view one = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    if (one.empty()) continue;
    DOHLE_ASSIGN(auto endpoint, parse_server(one));
    out.push_back(std::move(endpoint));
  }
  if (out.empty()) return fail(Errc::kInvalidConfig, "No resolvable bootstrap urls given in bootstrap.servers");
  return out;
}

Result<std::int64_t> property_number(const Properties& properties, std::string_view key, std::int64_t otherwise,
                                     std::int64_t min, std::int64_t max) {
  const auto found = properties.find(key);
  if (found == properties.end()) return otherwise;
  const std::string_view text = trim(found->second);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::kInvalidConfig, fmt::format("Invalid value {} for configuration {}: Not a number", text, key));
  }
  if (value < min || value > max) {
    return fail(Errc::kInvalidConfig, fmt::format("Invalid value {} for configuration {}: Value must be in [{},...,{}]",
                                                  text, key, min, max));
  }
  return value;
}

Result<bool> property_bool(const Properties& properties, std::string_view key, bool otherwise) {
  const auto found = properties.find(key);
  if (found == properties.end()) return otherwise;
  std::string text(trim(found->second));
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(Errc::kInvalidConfig,
              fmt::format("Invalid value {} for configuration {}: Expected value to be either true or false",
                          found->second, key));
}

std::string property_text(const Properties& properties, std::string_view key, std::string_view otherwise) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string(otherwise) : std::string(trim(found->second));
}

Result<ClientConfig> ClientConfig::from(const Properties& properties) {
  ClientConfig config;
  const std::string servers = property_text(properties, "bootstrap.servers", "");
  const std::string controllers = property_text(properties, "bootstrap.controllers", "");
  if (!servers.empty() && !controllers.empty()) {
    return fail(Errc::kInvalidConfig, "bootstrap.servers and bootstrap.controllers cannot both be set");
  }
  config.bootstrap_controllers = !controllers.empty();
  DOHLE_ASSIGN(config.bootstrap_servers, parse_servers(config.bootstrap_controllers ? controllers : servers));
  config.client_id = property_text(properties, "client.id", "");
  config.client_rack = property_text(properties, "client.rack", "");
  const std::string protocol = property_text(properties, "security.protocol", "PLAINTEXT");
  if (protocol != "PLAINTEXT") {
    return fail(Errc::kInvalidConfig, fmt::format("security.protocol {} is not supported yet", protocol));
  }
  const std::pair<std::string_view, std::int64_t*> times[] = {
      {"metadata.max.age.ms", &config.metadata_max_age_ms},
      {"request.timeout.ms", &config.request_timeout_ms},
      {"default.api.timeout.ms", &config.default_api_timeout_ms},
      {"socket.connection.setup.timeout.ms", &config.socket_connection_setup_timeout_ms},
      {"retry.backoff.ms", &config.retry_backoff_ms},
      {"retry.backoff.max.ms", &config.retry_backoff_max_ms},
      {"reconnect.backoff.ms", &config.reconnect_backoff_ms},
      {"reconnect.backoff.max.ms", &config.reconnect_backoff_max_ms},
  };
  for (const auto& [key, value] : times) {
    DOHLE_ASSIGN(*value, property_number(properties, key, *value, 0, kMaxMs));
  }
  return config;
}

}  // namespace dohle::client

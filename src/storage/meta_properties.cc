#include <storage/meta_properties.h>

#include <charconv>

#include <fmt/format.h>

namespace dohle::storage {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

// One logical line of a Java properties file: comments skipped, continuation lines joined, escapes still in place.
std::optional<std::string> take_logical_line(std::string_view& text) {
  std::string line;
  bool continued = false;
  while (!text.empty()) {
    const auto end = text.find_first_of("\r\n");
    std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    while (!part.empty() && is_blank(part.front())) part.remove_prefix(1);
    if (!continued && (part.empty() || part.front() == '#' || part.front() == '!')) continue;
    std::size_t backslashes = 0;
    while (backslashes < part.size() && part[part.size() - 1 - backslashes] == '\\') ++backslashes;
    continued = backslashes % 2 == 1;
    if (continued) part.remove_suffix(1);
    line.append(part);
    if (!continued) return line;
  }
  if (line.empty()) return std::nullopt;
  return line;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char c = text[++i];
    switch (c) {
      case 't':
        out.push_back('\t');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'f':
        out.push_back('\f');
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::pair<std::string, std::string> split(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && line[end] != '=' && line[end] != ':' && !is_blank(line[end])) {
    end += line[end] == '\\' ? 2U : 1U;
  }
  end = std::min(end, line.size());
  std::size_t value = end;
  while (value < line.size() && is_blank(line[value])) ++value;
  if (value < line.size() && (line[value] == '=' || line[value] == ':')) ++value;
  while (value < line.size() && is_blank(line[value])) ++value;
  return {unescaped(line.substr(0, end)), unescaped(line.substr(value))};
}

Result<std::int32_t> parse_int(std::string_view key, std::string_view value) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) {
    return fail(Errc::kMalformed, fmt::format("{} is '{}', which is no integer", key, value));
  }
  return number;
}

}  // namespace

Result<MetaProperties> parse_meta_properties(std::string_view text) {
  MetaProperties meta;
  std::optional<std::int32_t> version;
  std::optional<std::int32_t> broker_id;
  while (const auto line = take_logical_line(text)) {
    const auto [key, value] = split(*line);
    if (key == "version") {
      DOHLE_ASSIGN(version, parse_int(key, value));
    } else if (key == "cluster.id") {
      meta.cluster_id = value;
    } else if (key == "node.id") {
      DOHLE_ASSIGN(meta.node_id, parse_int(key, value));
    } else if (key == "broker.id") {
      DOHLE_ASSIGN(broker_id, parse_int(key, value));
    } else if (key == "directory.id") {
      auto id = Uuid::parse(value);
      if (!id) return fail(Errc::kMalformed, fmt::format("directory.id is '{}', which is no Kafka UUID", value));
      meta.directory_id = *id;
    }
  }
  meta.version = version.value_or(0);
  if (meta.version != 0 && meta.version != 1) {
    return fail(Errc::kMalformed, fmt::format("version is {}, this release knows 0 and 1", meta.version));
  }
  if (!meta.node_id) meta.node_id = broker_id;
  if (meta.version == 1 && (!meta.node_id || !meta.cluster_id)) {
    return fail(Errc::kMalformed, "version 1 needs cluster.id and node.id");
  }
  return meta;
}

std::string format_meta_properties(const MetaProperties& meta) {
  std::string out = "#\n";
  if (meta.cluster_id) fmt::format_to(std::back_inserter(out), "cluster.id={}\n", *meta.cluster_id);
  if (meta.directory_id) fmt::format_to(std::back_inserter(out), "directory.id={}\n", meta.directory_id->to_string());
  if (meta.node_id) {
    fmt::format_to(std::back_inserter(out), "{}={}\n", meta.version == 0 ? "broker.id" : "node.id", *meta.node_id);
  }
  fmt::format_to(std::back_inserter(out), "version={}\n", meta.version);
  return out;
}

Result<MetaProperties> read_meta_properties(runtime::FileSystem& fs, const std::string& directory) {
  const std::string path = runtime::join_path(directory, kMetaPropertiesFile);
  DOHLE_ASSIGN(const std::string text, runtime::read_file(fs, path, 1U << 20U));
  auto meta = parse_meta_properties(text);
  if (!meta) return fail(Errc::kMalformed, fmt::format("{}: {}", path, meta.error().message));
  return meta;
}

Result<> write_meta_properties(runtime::FileSystem& fs, const std::string& directory, const MetaProperties& meta) {
  return runtime::write_file_atomically(fs, runtime::join_path(directory, kMetaPropertiesFile),
                                        format_meta_properties(meta));
}

}  // namespace dohle::storage

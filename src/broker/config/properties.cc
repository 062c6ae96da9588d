#include <broker/config/properties.h>

#include <charconv>

#include <fmt/format.h>

namespace dohle::broker::config {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

// Lines as Java's reader joins them: comments and blank lines gone, continuations glued.
class LogicalLines {
 public:
  explicit LogicalLines(std::string_view text) : rest_(text) {}

  // False at the end.
  bool next(std::string& line) {
    while (!rest_.empty()) {
      std::string_view natural = take_natural();
      if (natural.empty() || natural.front() == '#' || natural.front() == '!') continue;
      line.assign(natural);
      while (continues(line) && !rest_.empty()) {
        line.pop_back();
        line += take_natural();
      }
      if (continues(line)) line.pop_back();
      return true;
    }
    return false;
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  // The next line without its end and its leading blanks.
  std::string_view take_natural() {
    ++number_;
    const auto end = rest_.find_first_of("\r\n");
    std::string_view line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      rest_.remove_prefix(end + (rest_.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    while (!line.empty() && blank(line.front())) line.remove_prefix(1);
    return line;
  }
  static bool continues(std::string_view line) {
    const auto last = line.find_last_not_of('\\');
    return (line.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
  }

  std::string_view rest_;
  int number_ = 0;
};

// Escapes resolved. None when a \u is not followed by four hexadecimal digits.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  char32_t high = 0;  // a high surrogate that waits for its low one
  const auto put = [&](char32_t unit) {
    if (high != 0 && unit >= 0xDC00 && unit < 0xE000) {
      append_utf8(out, 0x10000 + ((high - 0xD800) << 10U) + (unit - 0xDC00));
      high = 0;
      return;
    }
    if (high != 0) append_utf8(out, 0xFFFD);
    high = unit >= 0xD800 && unit < 0xDC00 ? unit : 0;
    if (high == 0) append_utf8(out, unit >= 0xDC00 && unit < 0xE000 ? 0xFFFD : unit);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      if (text[i] != '\\') put(static_cast<unsigned char>(text[i]));
      continue;
    }
    const char c = text[++i];
    if (c == 'u') {
      unsigned unit = 0;
      const auto hex = text.substr(i + 1, 4);
      const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), unit, 16);
      if (hex.size() != 4 || error != std::errc{} || end != hex.data() + 4) return std::nullopt;
      put(unit);
      i += 4;
      continue;
    }
    put(static_cast<unsigned char>(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c));
  }
  if (high != 0) append_utf8(out, 0xFFFD);
  return out;
}

struct Split {
  std::string_view key;
  std::string_view value;
};

// The key ends at the first bare `=`, `:` or blank; blanks around one separator belong to nobody.
Split split(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && line[end] != '=' && line[end] != ':' && !blank(line[end]))
    end += line[end] == '\\' ? 2 : 1;
  end = std::min(end, line.size());
  std::size_t start = end;
  bool separator = false;
  while (start < line.size()) {
    const bool sign = line[start] == '=' || line[start] == ':';
    if (!blank(line[start]) && (!sign || separator)) break;
    separator = separator || sign;
    ++start;
  }
  return {line.substr(0, end), line.substr(start)};
}

}  // namespace

Result<TextMap> parse_properties(std::string_view text) {
  TextMap out;
  LogicalLines lines(text);
  std::string line;
  while (lines.next(line)) {
    const Split parts = split(line);
    auto key = unescape(parts.key);
    auto value = unescape(parts.value);
    if (!key || !value) {
      return fail(Errc::kInvalidConfig,
                  fmt::format("line {}: \\u must be followed by four hexadecimal digits", lines.number()));
    }
    out.insert_or_assign(std::move(*key), std::move(*value));
  }
  return out;
}

Result<> apply_override(TextMap& properties, std::string_view override_text) {
  const auto equals = override_text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == override_text.size()) {
    return fail(Errc::kInvalidConfig, fmt::format("--override {} is not of the form key=value", override_text));
  }
  properties.insert_or_assign(std::string(override_text.substr(0, equals)),
                              std::string(override_text.substr(equals + 1)));
  return {};
}

}  // namespace dohle::broker::config

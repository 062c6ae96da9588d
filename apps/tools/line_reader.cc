#include "line_reader.h"

#include <array>

#include <fmt/core.h>

#include "options.h"
#include "property_values.h"

namespace dohle::app {

std::optional<std::string> LineSplitter::next() {
  const auto end = pending_.find_first_of("\r\n", at_);
  // A \r at the very end may be half of a \r\n.
  const bool undecided = end != std::string::npos && pending_[end] == '\r' && end + 1 == pending_.size();
  if (end == std::string::npos || (undecided && !finished_)) {
    if (finished_ && at_ < pending_.size()) {
      std::string last = pending_.substr(at_);
      pending_.clear();
      at_ = 0;
      return last;
    }
    pending_.erase(0, at_);
    at_ = 0;
    return std::nullopt;
  }
  std::string line = pending_.substr(at_, end - at_);
  at_ = end + (pending_.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  return line;
}

std::expected<LineReader, std::string> LineReader::from(const client::Properties& properties) {
  LineReader out;
  read_bool(properties, "parse.key", out.parse_key_);
  read_bool(properties, "parse.headers", out.parse_headers_);
  read_bool(properties, "ignore.error", out.ignore_error_);
  read_text(properties, "key.separator", out.key_separator_);
  read_text(properties, "headers.delimiter", out.headers_delimiter_);
  read_text(properties, "headers.separator", out.headers_separator_);
  read_text(properties, "headers.key.separator", out.headers_key_separator_);
  if (const auto marker = properties.find("null.marker"); marker != properties.end()) out.null_marker_ = marker->second;

  struct Named {
    std::string_view name;
    const std::string* value;
  };
  const std::array<Named, 3> headers = {{{"headers.delimiter", &out.headers_delimiter_},
                                         {"headers.separator", &out.headers_separator_},
                                         {"headers.key.separator", &out.headers_key_separator_}}};
  for (std::size_t i = 0; i < headers.size(); ++i) {
    for (std::size_t j = i + 1; j < headers.size(); ++j) {
      if (*headers[i].value != *headers[j].value) continue;
      return std::unexpected(fmt::format("{} and {} may not be equal", headers[i].name, headers[j].name));
    }
  }
  for (const Named& one : {Named{"key.separator", &out.key_separator_}, headers[1], headers[0], headers[2]}) {
    if (!out.is_null(*one.value)) continue;
    return std::unexpected(fmt::format("null.marker and {} may not be equal", one.name));
  }
  return out;
}

std::expected<std::optional<std::string>, std::string> LineReader::take(std::string_view line, std::string_view& rest,
                                                                        std::string_view separator,
                                                                        std::string_view what) const {
  const auto end = rest.find(separator);
  if (end == std::string_view::npos) {
    if (ignore_error_) return std::nullopt;
    return std::unexpected(fmt::format("No {} found on line number {}: '{}'", what, line_number_, line));
  }
  std::string out(rest.substr(0, end));
  rest.remove_prefix(end + separator.size());
  return out;
}

std::expected<void, std::string> LineReader::read_headers(std::string_view text, LineRecord& out) const {
  while (!text.empty()) {
    const auto end = headers_separator_.empty() ? std::string_view::npos : text.find(headers_separator_);
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + headers_separator_.size());
    const auto colon = pair.find(headers_key_separator_);
    if (colon == std::string_view::npos) {
      if (!ignore_error_) {
        return std::unexpected(
            fmt::format("No header key separator found in pair '{}' on line number {}", pair, line_number_));
      }
      out.headers.emplace_back(pair, std::nullopt);
      continue;
    }
    const std::string_view key = pair.substr(0, colon);
    if (is_null(key)) {
      return std::unexpected(
          fmt::format("Header keys should not be equal to the null marker '{}' as they can't be null", *null_marker_));
    }
    const std::string_view value = pair.substr(colon + headers_key_separator_.size());
    out.headers.emplace_back(key, is_null(value) ? std::nullopt : std::optional<std::string>(value));
  }
  return {};
}

std::expected<LineRecord, std::string> LineReader::read(std::string_view line) {
  ++line_number_;
  LineRecord out;
  std::string_view rest = line;
  if (parse_headers_) {
    const auto headers = take(line, rest, headers_delimiter_, "headers delimiter");
    if (!headers) return std::unexpected(headers.error());
    if (*headers && !is_null(**headers)) {
      if (auto read = read_headers(**headers, out); !read) return std::unexpected(read.error());
    }
  }
  if (parse_key_) {
    auto key = take(line, rest, key_separator_, "key separator");
    if (!key) return std::unexpected(key.error());
    if (*key && !is_null(**key)) out.key = std::move(**key);
  }
  if (!is_null(rest)) out.value = std::string(rest);
  return out;
}

}  // namespace dohle::app

// How kafka-console-producer turns lines into records: the properties of Kafka's LineMessageReader.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <client/client_config.h>

namespace dohle::app {

// Cuts a stream of bytes into lines that end with \n, \r or \r\n.
class LineSplitter {
 public:
  void add(std::string_view bytes) { pending_ += bytes; }
  // What is left is the last line, if anything is.
  void finish() { finished_ = true; }
  // The next whole line, without its end.
  [[nodiscard]] std::optional<std::string> next();

 private:
  std::string pending_;
  std::size_t at_ = 0;
  bool finished_ = false;
};

struct LineRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  friend bool operator==(const LineRecord&, const LineRecord&) = default;
};

class LineReader {
 public:
  // parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator,
  // ignore.error, null.marker. The error is a sentence.
  [[nodiscard]] static std::expected<LineReader, std::string> from(const client::Properties& properties);

  [[nodiscard]] std::expected<LineRecord, std::string> read(std::string_view line);

 private:
  // The part up to `separator`, taken off `rest`; nothing where there is none and that is no error.
  [[nodiscard]] std::expected<std::optional<std::string>, std::string> take(std::string_view line,
                                                                            std::string_view& rest,
                                                                            std::string_view separator,
                                                                            std::string_view what) const;
  [[nodiscard]] std::expected<void, std::string> read_headers(std::string_view text, LineRecord& out) const;
  [[nodiscard]] bool is_null(std::string_view text) const { return null_marker_ && text == *null_marker_; }

  bool parse_key_ = false;
  bool parse_headers_ = false;
  bool ignore_error_ = false;
  std::string key_separator_ = "\t";
  std::string headers_delimiter_ = "\t";
  std::string headers_separator_ = ",";
  std::string headers_key_separator_ = ":";
  std::optional<std::string> null_marker_;
  std::size_t line_number_ = 0;
};

}  // namespace dohle::app

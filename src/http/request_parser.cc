#include <http/request_parser.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <base/check.h>

#include "text.h"

namespace dohle::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kTooLarge = "the request line and the headers are larger than is allowed";

bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || kMarks.find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_character); }
bool is_visible(char c) { return c > ' ' && c <= '~'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
// No end of a line, and nothing that a terminal obeys. Above ASCII anything goes.
bool is_field_text(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return is_blank(c) || is_visible(c) || static_cast<signed char>(c) < 0; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Digits and nothing else; what is too large for the type is its largest value.
std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (text.empty() || end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc() ? out : UINT64_MAX;
}

bool is_version(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

}  // namespace

bool RequestParser::refuse(int status, std::string_view why) {
  status_ = status;
  why_ = why;
  return false;
}

RequestParser::Step RequestParser::step() {
  while (status_ == 0 && advance()) {
  }
  if (status_ != 0) return Step::kRefused;
  if (at_ == At::kDone) return Step::kRequest;
  const bool in_body = at_ != At::kHead;
  if (in_body && std::exchange(framing_.expects_continue, false)) return Step::kContinue;
  return Step::kNeedBytes;
}

bool RequestParser::advance() {
  switch (at_) {
    case At::kHead:
      return read_head();
    case At::kBody:
      return read_body(At::kDone);
    case At::kChunkSize:
      return read_chunk_size();
    case At::kChunk:
      return read_body(At::kChunkEnd);
    case At::kChunkEnd:
      return read_chunk_end();
    case At::kTrailer:
      return read_trailer();
    case At::kDone:
      return false;
  }
  return false;
}

Request RequestParser::take_request() {
  DOHLE_CHECK(at_ == At::kDone);
  at_ = At::kHead;
  framing_ = {};
  return std::exchange(request_, {});
}

bool RequestParser::read_head() {
  // Some send an empty line after the request before.
  while (input_.starts_with(kLineEnd)) input_.erase(0, kLineEnd.size());
  if (!input_.empty() && !is_token_character(input_.front()) && input_.front() != '\r') {
    return refuse(400, "this is no HTTP");
  }
  const auto end = input_.find(kHeadEnd, searched_);
  if (end == std::string::npos) searched_ = std::max(input_.size(), kHeadEnd.size() - 1) - (kHeadEnd.size() - 1);
  // Where it ends, or may end at the earliest: so it does not matter in what pieces it comes.
  if ((end == std::string::npos ? searched_ : end) > limits_.head_bytes) return refuse(431, kTooLarge);
  if (end == std::string::npos) return false;
  std::string_view rest(input_.data(), end + kLineEnd.size());
  for (bool first = true; !rest.empty(); first = false) {
    const auto line_end = rest.find(kLineEnd);
    const auto line = rest.substr(0, line_end);
    if (!(first ? read_request_line(line) : read_field(line))) return false;
    rest.remove_prefix(line_end + kLineEnd.size());
  }
  input_.erase(0, end + kHeadEnd.size());
  searched_ = 0;
  return begin_body();
}

bool RequestParser::read_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400, "this is no request line of HTTP/1.1");
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(line.substr(0, first)) || target.empty() || !std::ranges::all_of(target, is_visible) ||
      !is_version(version)) {
    return refuse(400, "this is no request line of HTTP/1.1");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  old_version_ = version == "HTTP/1.0";
  const auto question = target.find('?');
  request_.method = line.substr(0, first);
  request_.path = target.substr(0, question);
  if (question != std::string_view::npos) request_.query = target.substr(question + 1);
  return true;
}

bool RequestParser::read_field(std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) return refuse(400, "a header is not of the form name: value");
  const auto value = trimmed(line.substr(colon + 1));
  if (!is_field_text(value)) return refuse(400, "a header holds a control character");
  if (at_ == At::kTrailer) return true;  // what comes after a body is of no use here
  request_.headers.push_back({std::string(name), std::string(value)});
  return read_framing(name, value);
}

bool RequestParser::read_framing(std::string_view name, std::string_view value) {
  if (is_same_name(name, "Host")) ++framing_.hosts;
  if (is_same_name(name, "Expect") && is_same_name(value, "100-continue")) framing_.expects_continue = !old_version_;
  if (is_same_name(name, "Content-Length")) {
    const auto length = number(value, 10);
    if (!length || framing_.length) return refuse(400, "a body has one Content-Length, in digits");
    framing_.length = length;
  }
  if (is_same_name(name, "Transfer-Encoding")) {
    if (!is_same_name(value, "chunked")) return refuse(501, "no Transfer-Encoding but chunked is understood");
    if (framing_.chunked || old_version_) return refuse(400, "a Transfer-Encoding that cannot be");
    framing_.chunked = true;
  }
  if (!is_same_name(name, "Connection")) return true;
  for (std::string_view rest = value; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto option = trimmed(rest.substr(0, comma));
    framing_.close = framing_.close || is_same_name(option, "close");
    framing_.keep_alive = framing_.keep_alive || is_same_name(option, "keep-alive");
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return true;
}

bool RequestParser::begin_body() {
  if (framing_.hosts > 1 || (framing_.hosts == 0 && !old_version_)) return refuse(400, "a request has one Host header");
  if (framing_.chunked && framing_.length) return refuse(400, "a body has one length");
  if (framing_.length.value_or(0) > limits_.body_bytes) return refuse(413, "the body is larger than is allowed");
  request_.keep_alive = !framing_.close && (!old_version_ || framing_.keep_alive);
  left_ = framing_.length.value_or(0);
  lines_left_ = limits_.head_bytes;
  at_ = framing_.chunked ? At::kChunkSize : At::kBody;
  return true;
}

bool RequestParser::read_body(At then) {
  const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.size()));
  request_.body.append(input_, 0, part);
  input_.erase(0, part);
  left_ -= part;
  if (left_ > 0) return false;
  at_ = then;
  return true;
}

std::optional<std::string> RequestParser::take_line() {
  const auto end = input_.find(kLineEnd);
  const auto earliest = end == std::string::npos ? std::max<std::size_t>(input_.size(), 1) - 1 : end;
  if (earliest + kLineEnd.size() > lines_left_) {
    refuse(431, kTooLarge);
    return std::nullopt;
  }
  if (end == std::string::npos) return std::nullopt;
  std::string line = input_.substr(0, end);
  input_.erase(0, end + kLineEnd.size());
  lines_left_ -= end + kLineEnd.size();
  return line;
}

bool RequestParser::read_chunk_size() {
  const auto line = take_line();
  if (!line) return false;
  const std::string_view text = *line;
  const auto end = std::min(text.find(';'), text.size());  // extensions are of no use here
  const auto size = number(trimmed(text.substr(0, end)), 16);
  if (!size || !is_field_text(text.substr(end))) return refuse(400, "a chunk does not begin with its size");
  if (*size > limits_.body_bytes - request_.body.size()) return refuse(413, "the body is larger than is allowed");
  left_ = *size;
  at_ = left_ == 0 ? At::kTrailer : At::kChunk;
  return true;
}

bool RequestParser::read_chunk_end() {
  if (input_.size() < kLineEnd.size()) return false;
  if (!input_.starts_with(kLineEnd)) return refuse(400, "a chunk is longer than its size");
  input_.erase(0, kLineEnd.size());
  at_ = At::kChunkSize;
  return true;
}

bool RequestParser::read_trailer() {
  const auto line = take_line();
  if (!line) return false;
  if (!line->empty()) return read_field(*line);
  at_ = At::kDone;
  return true;
}

}  // namespace dohle::http

#include <sim/history.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace dohle::sim {

namespace {

bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c - 0x20) < 0x7f - 0x20; }

void append_text(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    const char c = text[plain];
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    }
    text.remove_prefix(plain + 1);
  }
  out.push_back('"');
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out;
  append_text(out, text);
  return out;
}

void Json::name(std::string_view name) {
  if (!text_.empty()) text_.push_back(',');
  text_.push_back('"');
  text_.append(name).append("\":");
}

Json& Json::field(std::string_view name, std::string_view text) {
  this->name(name);
  append_text(text_, text);
  return *this;
}

Json& Json::field(std::string_view name, std::int64_t number) {
  this->name(name);
  text_ += std::to_string(number);
  return *this;
}

Json& Json::raw(std::string_view name, std::string_view json) {
  this->name(name);
  text_ += json;
  return *this;
}

std::int64_t History::now_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock_->now() - start_).count();
}

void History::add(std::string_view who, std::string_view event, const Json& fields) {
  text_.append("{\"t\":").append(std::to_string(now_us())).append(",\"w\":\"").append(who);
  text_.append("\",\"e\":\"").append(event).push_back('"');
  if (!fields.fields().empty()) text_.append(",").append(fields.fields());
  text_ += "}\n";
}

}  // namespace dohle::sim

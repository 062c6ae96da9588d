#include <sim/history.h>

#include <fmt/format.h>

namespace dohle::sim {

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

void Json::name(std::string_view name) {
  if (!text_.empty()) text_.push_back(',');
  text_.push_back('"');
  text_.append(name).append("\":");
}

Json& Json::field(std::string_view name, std::string_view text) {
  this->name(name);
  text_ += json_text(text);
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
  text_ += fmt::format("{{\"t\":{},\"w\":\"{}\",\"e\":\"{}\"", now_us(), who, event);
  if (!fields.fields().empty()) text_.append(",").append(fields.fields());
  text_ += "}\n";
}

}  // namespace dohle::sim

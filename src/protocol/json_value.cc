#include <protocol/json_value.h>

#include <charconv>
#include <cmath>

namespace dohle::protocol {
namespace {

constexpr int kMaxDepth = 64;

void print_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr std::string_view kDigits = "0123456789ABCDEF";
          out += "\\u00";
          out += kDigits[static_cast<unsigned char>(c) >> 4];
          out += kDigits[static_cast<unsigned char>(c) & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// As Java prints a double: always with a fraction, with an exponent below 1e-3 and from 1e7 on.
void print_double(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof(text), value, plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string digits(text, end.ptr);
  const auto exponent = digits.find('e');
  std::string mantissa = digits.substr(0, exponent);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  out += mantissa;
  if (exponent == std::string::npos) return;
  int power = 0;
  std::string_view raw = std::string_view(digits).substr(exponent + 1);
  if (raw.starts_with('+')) raw.remove_prefix(1);
  std::from_chars(raw.data(), raw.data() + raw.size(), power);
  out += 'E' + std::to_string(power);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> parse() {
    Json out;
    if (!value(out, 0)) return problem();
    skip_space();
    if (at_ != text_.size()) return problem();
    return out;
  }

 private:
  std::unexpected<Error> problem() const {
    return fail(Errc::kMalformed, "JSON does not parse at character " + std::to_string(at_));
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool value(Json& out, int depth) {
    skip_space();
    if (at_ >= text_.size() || depth > kMaxDepth) return false;
    switch (text_[at_]) {
      case '{':
        return object(out, depth);
      case '[':
        return array(out, depth);
      case '"': {
        std::string text;
        if (!string(text)) return false;
        out = Json(std::move(text));
        return true;
      }
      case 't':
        out = Json(true);
        return take("true");
      case 'f':
        out = Json(false);
        return take("false");
      case 'n':
        out = Json();
        return take("null");
      default:
        return number(out);
    }
  }

  bool object(Json& out, int depth) {
    Json::Object members;
    take('{');
    if (take('}')) {
      out = Json(std::move(members));
      return true;
    }
    do {
      skip_space();
      auto& member = members.emplace_back();
      if (!string(member.first) || !take(':') || !value(member.second, depth + 1)) return false;
    } while (take(','));
    out = Json(std::move(members));
    return take('}');
  }

  bool array(Json& out, int depth) {
    Json::Array elements;
    take('[');
    if (take(']')) {
      out = Json(std::move(elements));
      return true;
    }
    do {
      if (!value(elements.emplace_back(), depth + 1)) return false;
    } while (take(','));
    out = Json(std::move(elements));
    return take(']');
  }

  bool number(Json& out) {
    const auto end = std::min(text_.find_first_not_of("+-0123456789.eE", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    std::int64_t whole = 0;
    const auto as_whole = std::from_chars(word.data(), word.data() + word.size(), whole);
    if (as_whole.ec == std::errc() && as_whole.ptr == word.data() + word.size()) {
      out = Json(whole);
    } else {
      double real = 0;
      const auto as_real = std::from_chars(word.data(), word.data() + word.size(), real);
      if (as_real.ec != std::errc() || as_real.ptr != word.data() + word.size()) return false;
      out = Json(real);
    }
    at_ = end;
    return true;
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
      } else if (!escape(out)) {
        return false;
      }
    }
    return take('"');
  }

  bool escape(std::string& out) {
    if (++at_ >= text_.size()) return false;
    const char c = text_[at_++];
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const auto found = kFrom.find(c); found != std::string_view::npos) {
      out += kTo[found];
      return true;
    }
    if (c != 'u') return false;
    std::uint32_t unit = 0;
    if (!hex4(unit)) return false;
    if (unit >= 0xd800 && unit < 0xdc00) {
      std::uint32_t low = 0;
      if (!take("\\u") || !hex4(low) || low < 0xdc00 || low > 0xdfff) return false;
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(unit, out);
    return true;
  }

  bool hex4(std::uint32_t& unit) {
    const std::string_view word = text_.substr(at_, 4);
    const auto end = std::from_chars(word.data(), word.data() + word.size(), unit, 16);
    if (word.size() != 4 || end.ptr != word.data() + 4) return false;
    at_ += 4;
    return true;
  }

  static void append_utf8(std::uint32_t code, std::string& out) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | (code >> 6));
      out += static_cast<char>(0x80 | (code & 63));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | (code >> 12));
      out += static_cast<char>(0x80 | ((code >> 6) & 63));
      out += static_cast<char>(0x80 | (code & 63));
    } else {
      out += static_cast<char>(0xf0 | (code >> 18));
      out += static_cast<char>(0x80 | ((code >> 12) & 63));
      out += static_cast<char>(0x80 | ((code >> 6) & 63));
      out += static_cast<char>(0x80 | (code & 63));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void print_to(const Json& value, std::string& out) {
  if (value.is_null()) {
    out += "null";
  } else if (const bool* boolean = value.as_bool()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* whole = value.as_int()) {
    out += std::to_string(*whole);
  } else if (const double* real = value.as_double()) {
    print_double(*real, out);
  } else if (const auto* text = value.as_string()) {
    print_string(*text, out);
  } else if (const auto* elements = value.as_array()) {
    out += '[';
    for (std::size_t i = 0; i < elements->size(); ++i) {
      if (i > 0) out += ',';
      print_to((*elements)[i], out);
    }
    out += ']';
  } else {
    out += '{';
    const auto& members = *value.as_object();
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      print_string(members[i].first, out);
      out += ':';
      print_to(members[i].second, out);
    }
    out += '}';
  }
}

}  // namespace

const Json* Json::find(std::string_view name) const {
  const auto* members = as_object();
  if (members == nullptr) return nullptr;
  for (const auto& [key, value] : *members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string Json::print() const {
  std::string out;
  print_to(*this, out);
  return out;
}

Result<Json> Json::parse(std::string_view text) { return Parser(text).parse(); }

}  // namespace dohle::protocol

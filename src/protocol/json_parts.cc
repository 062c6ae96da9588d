#include <protocol/json_parts.h>

#include <algorithm>

#include <base/base64.h>

namespace dohle::protocol {
namespace json {

Json of(const Text& value) { return Json(value.get()); }
Json of(const Uuid& value) { return Json(value.to_string()); }
Json of(const Blob& value) { return Json(base64_encode(value.get())); }
Json of(const Records& value) { return Json(value.is_view() ? base64_encode(value.bytes()) : std::string()); }

const Json* member(const Json& object, std::string_view name, bool mandatory, Problem& problem) {
  const Json* found = object.find(name);
  if (found == nullptr && mandatory) problem.say(name, "is missing");
  return found;
}

void read_whole(const Json& node, std::string_view name, std::int64_t low, std::int64_t high, std::int64_t& out,
                Problem& problem) {
  const auto* whole = node.as_int();
  if (whole == nullptr) return problem.say(name, "expected a whole number");
  if (*whole < low || *whole > high) return problem.say(name, "number out of range");
  out = *whole;
}

void read(const Json& node, std::string_view name, bool& out, Problem& problem) {
  const auto* value = node.as_bool();
  if (value == nullptr) return problem.say(name, "expected true or false");
  out = *value;
}

void read(const Json& node, std::string_view name, double& out, Problem& problem) {
  if (const auto* real = node.as_double()) {
    out = *real;
  } else if (const auto* whole = node.as_int()) {
    out = static_cast<double>(*whole);
  } else {
    problem.say(name, "expected a number");
  }
}

void read(const Json& node, std::string_view name, Text& out, Problem& problem) {
  const auto* text = node.as_string();
  if (text == nullptr) return problem.say(name, "expected a string");
  out = Text(*text);
}

void read(const Json& node, std::string_view name, Uuid& out, Problem& problem) {
  const auto* text = node.as_string();
  auto parsed = text != nullptr ? Uuid::parse(*text) : fail(Errc::kMalformed);
  if (!parsed) return problem.say(name, "expected a uuid");
  out = *parsed;
}

void read(const Json& node, std::string_view name, Blob& out, Problem& problem) {
  const auto* text = node.as_string();
  auto raw = text != nullptr ? base64_decode(*text) : fail(Errc::kMalformed);
  if (!raw) return problem.say(name, "expected base64");
  out = Blob(std::move(*raw));
}

void read(const Json& node, std::string_view name, Records& out, Problem& problem) {
  Blob raw;
  read(node, name, raw, problem);
  out = Records(runtime::Fragments{Slice::copy_of(raw.get())});
}

}  // namespace json

}  // namespace dohle::protocol

// The pieces that the generated JSON forms are made of. Nobody else needs this header.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <base/reader.h>
#include <protocol/json.h>
#include <protocol/wire.h>

namespace dohle::protocol::json {

// --- writing

template <typename T>
  requires std::is_integral_v<T>
[[nodiscard]] Json of(T value) {
  if constexpr (std::is_same_v<T, bool>) return Json(value);
  return Json(static_cast<std::int64_t>(value));
}
[[nodiscard]] inline Json of(double value) { return Json(value); }
[[nodiscard]] Json of(const Text& value);
[[nodiscard]] Json of(const Uuid& value);
[[nodiscard]] Json of(const Blob& value);
[[nodiscard]] Json of(const Records& value);
template <typename T>
[[nodiscard]] Json of(const std::vector<T>& values) {
  Json::Array out;
  out.reserve(values.size());
  for (const auto& value : values) out.push_back(of(value));
  return Json(std::move(out));
}
template <typename T>
[[nodiscard]] Json of(const std::optional<T>& value) {
  return value ? of(*value) : Json();
}
template <typename T>
[[nodiscard]] Json of(const std::vector<T>& values, std::int16_t version,
                      std::type_identity_t<Json (*)(const T&, std::int16_t)> form) {
  Json::Array out;
  out.reserve(values.size());
  for (const auto& value : values) out.push_back(form(value, version));
  return Json(std::move(out));
}
template <typename T>
[[nodiscard]] Json of(const std::optional<std::vector<T>>& values, std::int16_t version,
                      std::type_identity_t<Json (*)(const T&, std::int16_t)> form) {
  return values ? of(*values, version, form) : Json();
}

// --- reading

// What is wrong with a piece of JSON; the first problem stays.
struct Problem {
  std::string text;
  void say(std::string_view field, std::string_view what) {
    if (text.empty()) text = std::string(field) + ": " + std::string(what);
  }
};

// The member to read, or nullptr; says so when it has to be there.
[[nodiscard]] const Json* member(const Json& object, std::string_view name, bool mandatory, Problem& problem);

void read_whole(const Json& node, std::string_view name, std::int64_t low, std::int64_t high, std::int64_t& out,
                Problem& problem);
template <typename T>
  requires std::is_integral_v<T>
void read(const Json& node, std::string_view name, T& out, Problem& problem) {
  std::int64_t whole = 0;
  read_whole(node, name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), whole, problem);
  out = static_cast<T>(whole);
}
void read(const Json& node, std::string_view name, bool& out, Problem& problem);
void read(const Json& node, std::string_view name, double& out, Problem& problem);
void read(const Json& node, std::string_view name, Text& out, Problem& problem);
void read(const Json& node, std::string_view name, Uuid& out, Problem& problem);
void read(const Json& node, std::string_view name, Blob& out, Problem& problem);
void read(const Json& node, std::string_view name, Records& out, Problem& problem);
template <typename T>
void read(const Json& node, std::string_view name, std::vector<T>& out, Problem& problem) {
  const auto* elements = node.as_array();
  if (elements == nullptr) return problem.say(name, "expected an array");
  out.clear();
  for (const auto& element : *elements) read(element, name, out.emplace_back(), problem);
}
template <typename T>
void read(const Json& node, std::string_view name, std::optional<T>& out, Problem& problem) {
  if (node.is_null()) return out.reset();
  read(node, name, out.emplace(), problem);
}
template <typename T>
void read(const Json& node, std::string_view name, std::int16_t version, std::vector<T>& out, Problem& problem,
          std::type_identity_t<void (*)(const Json&, std::int16_t, T&, Problem&)> form) {
  const auto* elements = node.as_array();
  if (elements == nullptr) return problem.say(name, "expected an array");
  out.clear();
  for (const auto& element : *elements) form(element, version, out.emplace_back(), problem);
}
template <typename T>
void read(const Json& node, std::string_view name, std::int16_t version, std::optional<std::vector<T>>& out,
          Problem& problem, std::type_identity_t<void (*)(const Json&, std::int16_t, T&, Problem&)> form) {
  if (node.is_null()) return out.reset();
  read(node, name, version, out.emplace(), problem, form);
}

// --- a message as a whole; Form<Message> is generated

template <typename Message>
struct Form;

template <typename Message>
Result<Json> json_of(Reader& reader, std::int16_t version) {
  DOHLE_ASSIGN(const auto message, Message::decode(reader, version));
  return Form<Message>::write(message, version);
}
template <typename Message>
Result<Message> message_of(const Json& json, std::int16_t version) {
  if (version < Message::kMinVersion || version > Message::kMaxUnstableVersion) {
    return wire::unsupported_version(Message::kName, version);
  }
  Message message;
  Problem problem;
  Form<Message>::read(json, version, message, problem);
  if (!problem.text.empty()) return fail(Errc::kMalformed, std::string(Message::kName) + ": " + problem.text);
  return message;
}
template <typename Message>
Slice encoded(const Message& message, std::int16_t version) {
  Writer writer;
  message.encode(writer, version);
  Slice out = Slice::allocate(writer.size()).first;
  std::size_t at = 0;
  for (const auto& fragment : writer.finish()) {
    const Bytes piece = std::get<Slice>(fragment).bytes();
    std::memcpy(out.mutable_bytes().data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  return out;
}
template <typename Message>
Result<Slice> bytes_of(const Json& json, std::int16_t version) {
  DOHLE_ASSIGN(const auto message, message_of<Message>(json, version));
  return encoded(message, version);
}
template <typename Message>
Result<Slice> decode_and_encode(Reader& reader, std::int16_t version) {
  DOHLE_ASSIGN(const auto message, Message::decode(reader, version));
  return encoded(message, version);
}
template <typename Message>
constexpr MessageForms forms(std::int16_t key) {
  return {Message::kName,          key,
          Message::kMinVersion,    Message::kMaxUnstableVersion,
          Message::kFirstFlexible, json_of<Message>,
          bytes_of<Message>,       decode_and_encode<Message>};
}

}  // namespace dohle::protocol::json

namespace dohle::protocol {

template <typename Message>
Json to_json(const Message& message, std::int16_t version) {
  return json::Form<Message>::write(message, version);
}
template <typename Message>
Result<Message> from_json(const Json& json, std::int16_t version) {
  return json::message_of<Message>(json, version);
}

}  // namespace dohle::protocol

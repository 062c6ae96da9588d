// The pieces that generated messages are made of. Nobody else needs this header.
//
// `flexible` chooses between the compact encodings (KIP-482) and the older ones. Every read is bounded: a count is
// checked against the bytes that are left and Kafka's own caps, and claimed from the reader before room is made.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <base/check.h>
#include <base/reader.h>
#include <protocol/message.h>
#include <protocol/writer.h>

namespace dohle::protocol::wire {

inline constexpr std::uint32_t kMaxArrayElements = 1'000'000;
inline constexpr std::uint32_t kMaxTaggedFields = 10'000;

[[nodiscard]] std::unexpected<Error> unsupported_version(std::string_view message, std::int16_t version);
[[nodiscard]] std::unexpected<Error> malformed(std::string_view message, std::int16_t version);
[[nodiscard]] std::unexpected<Error> unknown_type(std::string_view family, std::int16_t type);

// --- reading

void read_string(Reader& reader, bool flexible, Text& out);
void read_string(Reader& reader, bool flexible, bool nullable, std::optional<Text>& out);
void read_bytes(Reader& reader, bool flexible, Blob& out);
void read_bytes(Reader& reader, bool flexible, bool nullable, std::optional<Blob>& out);
void read_records(Reader& reader, bool flexible, Records& out);
void read_records(Reader& reader, bool flexible, bool nullable, std::optional<Records>& out);

// An array's element count, or nothing when it is null or cannot be; then the reader has failed if null is not allowed.
[[nodiscard]] std::optional<std::size_t> read_count(Reader& reader, bool flexible, bool nullable,
                                                    std::size_t min_bytes);

template <typename T>
bool read_elements(Reader& reader, bool flexible, bool nullable, std::vector<T>& out) {
  const auto count = read_count(reader, flexible, nullable, sizeof(T));
  if (!count) return false;
  Bytes raw = reader.read_bytes(*count * sizeof(T));
  out.resize(raw.size() / sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = load_be<T>(raw.data() + i * sizeof(T));
  return true;
}
bool read_elements(Reader& reader, bool flexible, bool nullable, std::vector<Uuid>& out);
bool read_elements(Reader& reader, bool flexible, bool nullable, std::vector<Text>& out);

template <typename T>
void read_array(Reader& reader, bool flexible, std::vector<T>& out) {
  read_elements(reader, flexible, false, out);
}
template <typename T>
void read_array(Reader& reader, bool flexible, bool nullable, std::optional<std::vector<T>>& out) {
  if (!read_elements(reader, flexible, nullable, out.emplace())) out.reset();
}

template <typename T>
using ReadElement = void (*)(Reader&, std::int16_t, T&);

template <typename T>
bool read_structs(Reader& reader, std::int16_t version, bool flexible, bool nullable, std::size_t min_bytes,
                  std::vector<T>& out, ReadElement<T> read) {
  const auto count = read_count(reader, flexible, nullable, min_bytes);
  if (!count) return false;
  if (!reader.claim(*count * sizeof(T))) return true;
  out.reserve(*count);
  for (std::size_t i = 0; i < *count && reader.ok(); ++i) read(reader, version, out.emplace_back());
  return true;
}
template <typename T>
void read_array(Reader& reader, std::int16_t version, bool flexible, std::size_t min_bytes, std::vector<T>& out,
                std::type_identity_t<ReadElement<T>> read) {
  read_structs(reader, version, flexible, false, min_bytes, out, read);
}
template <typename T>
void read_array(Reader& reader, std::int16_t version, bool flexible, std::size_t min_bytes, bool nullable,
                std::optional<std::vector<T>>& out, std::type_identity_t<ReadElement<T>> read) {
  if (!read_structs(reader, version, flexible, nullable, min_bytes, out.emplace(), read)) out.reset();
}

[[nodiscard]] std::uint32_t read_tag_count(Reader& reader);
// The next tagged field: its number, and a reader of its content alone.
[[nodiscard]] Reader read_tag(Reader& reader, std::uint32_t& tag);
// A known field must have been read to its end.
void finish_tag(Reader& reader, const Reader& field);
// The tags of a struct that knows none.
void read_unknown_tags(Reader& reader, UnknownTags& out);

// --- writing

void write_string(Writer& writer, bool flexible, std::string_view value);
void write_string(Writer& writer, bool flexible, bool nullable, const std::optional<Text>& value);
void write_bytes(Writer& writer, bool flexible, const Blob& value);
void write_bytes(Writer& writer, bool flexible, bool nullable, const std::optional<Blob>& value);
void write_records(Writer& writer, bool flexible, const Records& value);
void write_records(Writer& writer, bool flexible, bool nullable, const std::optional<Records>& value);
void write_count(Writer& writer, bool flexible, std::size_t count);
void write_null_array(Writer& writer, bool flexible, bool nullable);
// The byte before a nullable struct; true when the struct follows.
[[nodiscard]] bool write_presence(Writer& writer, bool nullable, bool present);

inline void write_element(Writer& writer, bool, const Uuid& value) { writer.write_uuid(value); }
inline void write_element(Writer& writer, bool flexible, const Text& value) { write_string(writer, flexible, value); }
template <typename T>
  requires std::is_integral_v<T>
void write_element(Writer& writer, bool, T value) {
  writer.write(value);
}

template <typename T>
void write_array(Writer& writer, bool flexible, const std::vector<T>& values) {
  write_count(writer, flexible, values.size());
  for (const T& value : values) write_element(writer, flexible, value);
}
template <typename T>
void write_array(Writer& writer, bool flexible, bool nullable, const std::optional<std::vector<T>>& values) {
  if (values) return write_array(writer, flexible, *values);
  write_null_array(writer, flexible, nullable);
}

template <typename T>
using WriteElement = void (*)(Writer&, std::int16_t, const T&);

template <typename T>
void write_array(Writer& writer, std::int16_t version, bool flexible, const std::vector<T>& values,
                 std::type_identity_t<WriteElement<T>> write) {
  write_count(writer, flexible, values.size());
  for (const T& value : values) write(writer, version, value);
}
template <typename T>
void write_array(Writer& writer, std::int16_t version, bool flexible, bool nullable,
                 const std::optional<std::vector<T>>& values, std::type_identity_t<WriteElement<T>> write) {
  if (values) return write_array(writer, version, flexible, *values, write);
  write_null_array(writer, flexible, nullable);
}

void write_unknown_tags(Writer& writer, const UnknownTags& tags);
// Those from `from` to below `to`, without the count.
void write_tags_between(Writer& writer, const UnknownTags& tags, std::uint32_t from, std::uint64_t to = UINT64_MAX);

}  // namespace dohle::protocol::wire

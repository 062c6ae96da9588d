#include <protocol/wire.h>

#include <string>

namespace dohle::protocol::wire {
namespace {

// A length as it stands before strings, bytes, records and arrays; -1 for null.
std::int64_t read_compact_length(Reader& reader) { return static_cast<std::int64_t>(reader.read_uvarint()) - 1; }

std::int64_t read_length(Reader& reader, bool flexible) {
  return flexible ? read_compact_length(reader) : reader.read<std::int32_t>();
}

// The bytes behind a length. Nothing when they are null; the reader has failed where null or the length is not allowed.
std::optional<Bytes> read_counted(Reader& reader, std::int64_t length, bool nullable) {
  if (length < 0) {
    if (!nullable) reader.set_failed();
    return std::nullopt;
  }
  Bytes raw = reader.read_bytes(static_cast<std::size_t>(length));
  if (!reader.ok()) return std::nullopt;
  return raw;
}

std::optional<Bytes> read_string_bytes(Reader& reader, bool flexible, bool nullable) {
  const std::int64_t length = flexible ? read_compact_length(reader) : reader.read<std::int16_t>();
  if (length > static_cast<std::int64_t>(kMaxStringBytes)) {
    reader.set_failed();
    return std::nullopt;
  }
  return read_counted(reader, length, nullable);
}

}  // namespace

std::unexpected<Error> unsupported_version(std::string_view message, std::int16_t version) {
  return fail(Errc::kUnsupported, std::string(message) + " has no version " + std::to_string(version));
}

std::unexpected<Error> malformed(std::string_view message, std::int16_t version) {
  return fail(Errc::kMalformed,
              "bytes do not parse as " + std::string(message) + " version " + std::to_string(version));
}

std::unexpected<Error> unknown_type(std::string_view family, std::int16_t type) {
  return fail(Errc::kUnsupported, std::string(family) + " has no type " + std::to_string(type));
}

void read_string(Reader& reader, bool flexible, Text& out) {
  if (const auto raw = read_string_bytes(reader, flexible, false)) out = Text::view(as_text(*raw));
}
void read_string(Reader& reader, bool flexible, bool nullable, std::optional<Text>& out) {
  out.reset();
  if (const auto raw = read_string_bytes(reader, flexible, nullable)) out = Text::view(as_text(*raw));
}
void read_bytes(Reader& reader, bool flexible, Blob& out) {
  if (const auto raw = read_counted(reader, read_length(reader, flexible), false)) out = Blob::view(*raw);
}
void read_bytes(Reader& reader, bool flexible, bool nullable, std::optional<Blob>& out) {
  out.reset();
  if (const auto raw = read_counted(reader, read_length(reader, flexible), nullable)) out = Blob::view(*raw);
}
void read_records(Reader& reader, bool flexible, Records& out) {
  if (const auto raw = read_counted(reader, read_length(reader, flexible), false)) out = Records::view(*raw);
}
void read_records(Reader& reader, bool flexible, bool nullable, std::optional<Records>& out) {
  out.reset();
  if (const auto raw = read_counted(reader, read_length(reader, flexible), nullable)) out = Records::view(*raw);
}

std::optional<std::size_t> read_count(Reader& reader, bool flexible, bool nullable, std::size_t min_bytes) {
  const std::int64_t count = read_length(reader, flexible);
  if (count < 0) {
    if (!nullable) reader.set_failed();
    return std::nullopt;
  }
  if (count > kMaxArrayElements || static_cast<std::size_t>(count) > reader.remaining() / min_bytes) {
    reader.set_failed();
    return std::nullopt;
  }
  return static_cast<std::size_t>(count);
}

bool read_elements(Reader& reader, bool flexible, bool nullable, std::vector<Uuid>& out) {
  const auto count = read_count(reader, flexible, nullable, 16);
  if (!count) return false;
  out.reserve(*count);
  for (std::size_t i = 0; i < *count; ++i) out.push_back(reader.read_uuid());
  return true;
}

bool read_elements(Reader& reader, bool flexible, bool nullable, std::vector<Text>& out) {
  const auto count = read_count(reader, flexible, nullable, flexible ? 1 : 2);
  if (!count) return false;
  if (!reader.claim(*count * sizeof(Text))) return true;
  out.reserve(*count);
  for (std::size_t i = 0; i < *count && reader.ok(); ++i) read_string(reader, flexible, out.emplace_back());
  return true;
}

std::uint32_t read_tag_count(Reader& reader) {
  const std::uint32_t count = reader.read_uvarint();
  if (count > kMaxTaggedFields || count > reader.remaining() / 2) reader.set_failed();
  return reader.ok() ? count : 0;
}

Reader read_tag(Reader& reader, std::uint32_t& tag) {
  tag = reader.read_uvarint();
  const std::uint32_t size = reader.read_uvarint();
  return Reader(reader.read_bytes(size));
}

void finish_tag(Reader& reader, const Reader& field) {
  if (!field.ok() || field.remaining() != 0) reader.set_failed();
}

void read_unknown_tags(Reader& reader, UnknownTags& out) {
  for (std::uint32_t left = read_tag_count(reader); left > 0 && reader.ok(); --left) {
    std::uint32_t tag = 0;
    if (!reader.claim(sizeof(out.front()))) return;
    const Reader field = read_tag(reader, tag);
    out.push_back({tag, Blob::view(field.rest())});
  }
}

void write_count(Writer& writer, bool flexible, std::size_t count) {
  if (flexible) {
    writer.write_uvarint(static_cast<std::uint32_t>(count + 1));
  } else {
    writer.write(static_cast<std::int32_t>(count));
  }
}

void write_null_array(Writer& writer, bool flexible, bool nullable) {
  if (!nullable) {
    writer.drop("null");
    return write_count(writer, flexible, 0);
  }
  if (flexible) {
    writer.write_uvarint(0);
  } else {
    writer.write(std::int32_t{-1});
  }
}

void write_string(Writer& writer, bool flexible, std::string_view value) {
  if (value.size() > kMaxStringBytes) {
    writer.drop("the end of a long string");
    value = value.substr(0, kMaxStringBytes);
  }
  if (flexible) {
    writer.write_uvarint(static_cast<std::uint32_t>(value.size() + 1));
  } else {
    writer.write(static_cast<std::int16_t>(value.size()));
  }
  writer.write_raw(as_bytes(value));
}

void write_string(Writer& writer, bool flexible, bool nullable, const std::optional<Text>& value) {
  if (value) return write_string(writer, flexible, value->get());
  if (!nullable) {
    writer.drop("null");
    return write_string(writer, flexible, std::string_view());
  }
  if (flexible) {
    writer.write_uvarint(0);
  } else {
    writer.write(std::int16_t{-1});
  }
}

void write_bytes(Writer& writer, bool flexible, const Blob& value) {
  write_count(writer, flexible, value.size());
  writer.write_raw(value.get());
}

void write_bytes(Writer& writer, bool flexible, bool nullable, const std::optional<Blob>& value) {
  if (value) return write_bytes(writer, flexible, *value);
  write_null_array(writer, flexible, nullable);
}

void write_records(Writer& writer, bool flexible, const Records& value) {
  write_count(writer, flexible, value.size());
  if (value.is_view()) {
    writer.write_raw(value.bytes());
  } else {
    writer.insert(value.fragments());
  }
}

void write_records(Writer& writer, bool flexible, bool nullable, const std::optional<Records>& value) {
  if (value) return write_records(writer, flexible, *value);
  write_null_array(writer, flexible, nullable);
}

bool write_presence(Writer& writer, bool nullable, bool present) {
  if (nullable) {
    writer.write(std::int8_t{present ? std::int8_t{1} : std::int8_t{-1}});
  } else {
    DOHLE_CHECK(present);
  }
  return present;
}

void write_tags_between(Writer& writer, const UnknownTags& tags, std::uint32_t from, std::uint64_t to) {
  for (const auto& tag : tags) {
    if (tag.tag < from || tag.tag >= to) continue;
    writer.write_uvarint(tag.tag);
    writer.write_uvarint(static_cast<std::uint32_t>(tag.data.size()));
    writer.write_raw(tag.data.get());
  }
}

void write_unknown_tags(Writer& writer, const UnknownTags& tags) {
  writer.write_uvarint(static_cast<std::uint32_t>(tags.size()));
  if (!tags.empty()) write_tags_between(writer, tags, 0);
}

}  // namespace dohle::protocol::wire

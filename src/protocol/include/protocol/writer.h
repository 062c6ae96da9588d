// Writer: builds a frame. Bytes go into one growing buffer of the current shard; records are inserted between them as
// fragments and never copied. Not for use across shards.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <base/bytes.h>
#include <base/uuid.h>
#include <base/varint.h>
#include <runtime/fragment.h>

namespace dohle::protocol {

inline constexpr std::size_t kMaxStringBytes = 0x7fff;

class Writer {
 public:
  explicit Writer(std::size_t expected_bytes = 256);
  Writer(Writer&&) = default;
  Writer& operator=(Writer&&) = default;

  template <typename T>
    requires std::is_integral_v<T>
  void write(T value) {
    store_be(claim(sizeof(T)), value);
  }
  void write_bool(bool value) { *claim(1) = value ? 1 : 0; }
  void write_double(double value) { write(std::bit_cast<std::uint64_t>(value)); }
  void write_uuid(const Uuid& value) {
    write(value.high);
    write(value.low);
  }
  void write_raw(Bytes bytes) {
    if (!bytes.empty()) std::memcpy(claim(bytes.size()), bytes.data(), bytes.size());
  }
  void write_uvarint(std::uint32_t value) { write_leb(value); }
  void write_uvarlong(std::uint64_t value) { write_leb(value); }
  void write_varint(std::int32_t value) { write_leb(static_cast<std::uint32_t>(zigzag(value))); }
  void write_varlong(std::int64_t value) { write_leb(zigzag(value)); }
  // Inserts bytes that live elsewhere; the writer keeps the fragments, not copies.
  void insert(const runtime::Fragments& fragments);

  // A tagged field: begin_tag, write its content, end_tag puts the length before it. Content must not be inserted.
  struct TagMark {
    std::size_t length_at;
  };
  [[nodiscard]] TagMark begin_tag(std::uint32_t tag);
  void end_tag(TagMark mark);

  // Bytes so far, inserted fragments included, the frame's length prefix not.
  [[nodiscard]] std::uint64_t size() const { return used_ - kPrefix + inserted_bytes_; }
  // What was written, as long as nothing was inserted.
  [[nodiscard]] Bytes bytes() const;

  // Ends the writer: the content; with the 4-byte length before it; and as one slice, when nothing was inserted.
  [[nodiscard]] runtime::Fragments finish();
  [[nodiscard]] runtime::Fragments finish_frame();
  [[nodiscard]] Slice finish_slice();

  // A value that the chosen version cannot carry was left out. Kafka's own classes throw here; we write the rest, and
  // who must not lose it asks `dropped()` afterwards. Returns the first such field, or nullptr.
  void drop(const char* field) {
    if (dropped_ == nullptr) dropped_ = field;
  }
  [[nodiscard]] const char* dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kPrefix = 4;
  struct Insertion {
    std::size_t at;
    runtime::Fragment fragment;
  };

  std::uint8_t* claim(std::size_t n) {
    if (used_ + n > buffer_.size()) grow(n);
    std::uint8_t* at = buffer_.mutable_bytes().data() + used_;
    used_ += n;
    return at;
  }
  void write_leb(std::uint64_t value) {
    std::uint8_t raw[kMaxVarlongBytes];
    const auto n = static_cast<std::size_t>(put_uvarint(raw, value));
    std::memcpy(claim(n), raw, n);
  }
  void grow(std::size_t n);
  [[nodiscard]] runtime::Fragments cut_from(std::size_t begin);

  Slice buffer_;
  std::size_t used_ = kPrefix;
  std::vector<Insertion> insertions_;
  std::uint64_t inserted_bytes_ = 0;
  const char* dropped_ = nullptr;
};

}  // namespace dohle::protocol

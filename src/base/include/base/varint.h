// Variable-length integers: unsigned LEB128 (flexible versions) and zig-zag (records), at most 5 or 10 bytes.
#pragma once

#include <cstdint>

namespace dohle {

inline constexpr int kMaxVarintBytes = 5;
inline constexpr int kMaxVarlongBytes = 10;

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t raw) {
  return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
}

[[nodiscard]] constexpr int uvarint_size(std::uint64_t value) {
  int size = 1;
  while (value >= 0x80) { value >>= 7; ++size; }
  return size;
}
[[nodiscard]] constexpr int varint_size(std::int32_t value) {
  return uvarint_size(static_cast<std::uint32_t>((static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31)));
}
[[nodiscard]] constexpr int varlong_size(std::int64_t value) { return uvarint_size(zigzag(value)); }

// Writes at most kMaxVarlongBytes; returns the bytes written.
constexpr int put_uvarint(std::uint8_t* to, std::uint64_t value) {
  int n = 0;
  while (value >= 0x80) { to[n++] = static_cast<std::uint8_t>(value | 0x80); value >>= 7; }
  to[n++] = static_cast<std::uint8_t>(value);
  return n;
}

// Reads from [at, end). Returns the bytes consumed, 0 when cut short or longer than max_bytes allows.
constexpr int get_uvarint(const std::uint8_t* at, const std::uint8_t* end, std::uint64_t& value, int max_bytes = kMaxVarlongBytes) {
  value = 0;
  for (int n = 0; n < max_bytes && at + n < end; ++n) {
    const std::uint64_t byte = at[n];
    value |= (byte & 0x7f) << (7 * n);
    if (byte < 0x80) {
      if (max_bytes == kMaxVarintBytes && n == 4 && byte > 0x0f) return 0;
      return n + 1;
    }
  }
  return 0;
}

}  // namespace dohle

// Views of memory, and big-endian loads and stores.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace dohle {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename T>
[[nodiscard]] inline T load_be(const std::uint8_t* from) {
  static_assert(std::is_integral_v<T>);
  std::make_unsigned_t<T> value;
  std::memcpy(&value, from, sizeof(value));
  if constexpr (sizeof(T) > 1) value = std::byteswap(value);
  return static_cast<T>(value);
}

template <typename T>
inline void store_be(std::uint8_t* to, T value) {
  static_assert(std::is_integral_v<T>);
  auto raw = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (sizeof(T) > 1) raw = std::byteswap(raw);
  std::memcpy(to, &raw, sizeof(raw));
}

}  // namespace dohle

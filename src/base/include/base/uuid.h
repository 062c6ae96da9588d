// Kafka's 16-byte ids; their text form is unpadded base64url, 22 characters.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <base/result.h>

namespace dohle {

struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  [[nodiscard]] constexpr bool is_zero() const { return high == 0 && low == 0; }
  [[nodiscard]] std::array<std::uint8_t, 16> bytes() const;
  [[nodiscard]] static Uuid from_bytes(const std::uint8_t* sixteen);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] static Result<Uuid> parse(std::string_view text);
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const Uuid& uuid) { return H::combine(std::move(hash), uuid.high, uuid.low); }
};

inline constexpr Uuid kZeroUuid{};
inline constexpr Uuid kMetadataTopicUuid{0, 1};  // __cluster_metadata

}  // namespace dohle

// Base64: in the URL alphabet without padding, as Kafka writes its ids, and in the plain one with padding, as in JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>

namespace dohle {
[[nodiscard]] std::string base64url_encode(Bytes bytes);
// Accepts padding; refuses any other character outside the alphabet.
[[nodiscard]] Result<std::vector<std::uint8_t>> base64url_decode(std::string_view text);
[[nodiscard]] std::string base64_encode(Bytes bytes);
[[nodiscard]] Result<std::vector<std::uint8_t>> base64_decode(std::string_view text);
}  // namespace dohle

#include <base/uuid.h>

#include <base/base64.h>
#include <base/bytes.h>

namespace dohle {

std::array<std::uint8_t, 16> Uuid::bytes() const {
  std::array<std::uint8_t, 16> out;
  store_be(out.data(), high);
  store_be(out.data() + 8, low);
  return out;
}

Uuid Uuid::from_bytes(const std::uint8_t* sixteen) {
  return {load_be<std::uint64_t>(sixteen), load_be<std::uint64_t>(sixteen + 8)};
}

std::string Uuid::to_string() const { return base64url_encode(bytes()); }

Result<Uuid> Uuid::parse(std::string_view text) {
  auto raw = base64url_decode(text);
  if (!raw || raw->size() != 16) {
    return fail(Errc::kMalformed, "'" + std::string(text) + "' is not an id: 22 characters of base64url are expected");
  }
  return from_bytes(raw->data());
}

}  // namespace dohle

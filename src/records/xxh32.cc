#include "xxh32.h"

#include <bit>
#include <cstring>

namespace dohle::records {

namespace {

constexpr std::uint32_t kPrime1 = 0x9E3779B1U;
constexpr std::uint32_t kPrime2 = 0x85EBCA77U;
constexpr std::uint32_t kPrime3 = 0xC2B2AE3DU;
constexpr std::uint32_t kPrime4 = 0x27D4EB2FU;
constexpr std::uint32_t kPrime5 = 0x165667B1U;

std::uint32_t load_le32(const std::uint8_t* at) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

std::uint32_t lane(std::uint32_t accumulator, std::uint32_t input) {
  return std::rotl(accumulator + input * kPrime2, 13) * kPrime1;
}

}  // namespace

std::uint32_t xxh32(Bytes data, std::uint32_t seed) {
  const std::uint8_t* at = data.data();
  const std::uint8_t* const end = at + data.size();
  std::uint32_t hash = seed + kPrime5;
  if (data.size() >= 16) {
    std::uint32_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
    for (; end - at >= 16; at += 16) {
      for (int i = 0; i < 4; ++i) lanes[i] = lane(lanes[i], load_le32(at + 4 * i));
    }
    hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  }
  hash += static_cast<std::uint32_t>(data.size());
  for (; end - at >= 4; at += 4) hash = std::rotl(hash + load_le32(at) * kPrime3, 17) * kPrime4;
  for (; at != end; ++at) hash = std::rotl(hash + *at * kPrime5, 11) * kPrime1;
  hash = (hash ^ (hash >> 15)) * kPrime2;
  hash = (hash ^ (hash >> 13)) * kPrime3;
  return hash ^ (hash >> 16);
}

}  // namespace dohle::records

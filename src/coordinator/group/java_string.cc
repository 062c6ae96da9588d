#include <coordinator/group/java_string.h>

#include <limits>

namespace dohle::coordinator {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

// The code point at `at`, which moves past it.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
  if (more == 0 || lead >= 0xf5) return kReplacement;
  std::uint32_t point = lead & (0x3fU >> static_cast<unsigned>(more));
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || (byte(at) & 0xc0U) != 0x80) return kReplacement;
    const bool second = i == 0;
    const std::uint8_t next = byte(at);
    if (second && ((lead == 0xe0 && next < 0xa0) || (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next > 0x8f))) {
      return kReplacement;
    }
    point = (point << 6U) | (next & 0x3fU);
    ++at;
  }
  return point >= 0xd800 && point <= 0xdfff ? kReplacement : point;
}

template <typename Visit>
void for_each_unit(std::string_view utf8, Visit visit) {
  for (std::size_t at = 0; at < utf8.size();) {
    const std::uint32_t point = next_code_point(utf8, at);
    if (point < 0x10000) {
      visit(point);
    } else {
      visit(0xd800 + ((point - 0x10000) >> 10U));
      visit(0xdc00 + ((point - 0x10000) & 0x3ffU));
    }
  }
}

}  // namespace

std::int32_t java_hash_code(std::string_view utf8) {
  std::uint32_t hash = 0;
  for_each_unit(utf8, [&](std::uint32_t unit) { hash = 31 * hash + unit; });
  return static_cast<std::int32_t>(hash);
}

std::size_t utf16_length(std::string_view utf8) {
  std::size_t length = 0;
  for_each_unit(utf8, [&](std::uint32_t) { ++length; });
  return length;
}

std::int32_t partition_for_group(std::string_view group_id, std::int32_t partitions) {
  const std::int32_t hash = java_hash_code(group_id);
  // Kafka's abs gives 0 for the smallest integer.
  const std::int32_t positive = hash == std::numeric_limits<std::int32_t>::min() ? 0 : (hash < 0 ? -hash : hash);
  return positive % partitions;
}

}  // namespace dohle::coordinator

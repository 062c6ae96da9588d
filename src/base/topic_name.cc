#include <base/topic_name.h>

#include <algorithm>

#include <fmt/format.h>

namespace dohle {
namespace {

constexpr std::size_t kMaxTopicNameLength = 249;

constexpr bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

Result<> validate_topic_name(std::string_view name) {
  if (name.empty()) return fail(Errc::kInvalidRequest, "Topic name is invalid: the empty string is not allowed");
  if (name == "." || name == "..") {
    return fail(Errc::kInvalidRequest, fmt::format("Topic name is invalid: '{}' is not allowed", name));
  }
  if (name.size() > kMaxTopicNameLength) {
    return fail(Errc::kInvalidRequest, fmt::format("Topic name is invalid: the length of '{}' is longer than the max allowed length {}",
                                                   name, kMaxTopicNameLength));
  }
  if (!std::ranges::all_of(name, is_legal)) {
    return fail(Errc::kInvalidRequest, fmt::format("Topic name is invalid: '{}' contains one or more characters other than "
                                                   "ASCII alphanumerics, '.', '_' and '-'", name));
  }
  return {};
}

std::string collision_key(std::string_view name) {
  std::string key(name);
  std::ranges::replace(key, '.', '_');
  return key;
}

}  // namespace dohle

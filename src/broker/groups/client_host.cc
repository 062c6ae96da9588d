#include "groups/client_host.h"

#include <algorithm>

namespace dohle::broker {
namespace {

constexpr std::string_view kMapped = "::ffff:";
constexpr std::ptrdiff_t kGroups = 8;

}  // namespace

std::string client_host(std::string_view address) {
  if (address.starts_with(kMapped) && address.find('.') != std::string_view::npos) {
    return "/" + std::string(address.substr(kMapped.size()));
  }
  const std::size_t gap = address.find("::");
  if (gap == std::string_view::npos) return "/" + std::string(address);
  // "::" stands for as many zero groups as are missing from eight.
  const std::string_view before = address.substr(0, gap);
  const std::string_view after = address.substr(gap + 2);
  const auto groups_in = [](std::string_view part) { return part.empty() ? 0 : std::ranges::count(part, ':') + 1; };
  std::string out = "/" + std::string(before);
  for (auto missing = kGroups - groups_in(before) - groups_in(after); missing > 0; --missing) {
    if (out.size() > 1) out += ':';
    out += '0';
  }
  if (!after.empty()) out.append(1, ':').append(after);
  return out;
}

}  // namespace dohle::broker

// Fragments: bytes to send, some in memory, some still in files.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include <base/buffer.h>
#include <runtime/file_system.h>

namespace dohle::runtime {

using Fragment = std::variant<Slice, FileRange>;
using Fragments = std::vector<Fragment>;

[[nodiscard]] inline std::uint64_t size_of(const Fragment& fragment) {
  if (const auto* slice = std::get_if<Slice>(&fragment)) return slice->size();
  return std::get<FileRange>(fragment).length;
}
[[nodiscard]] inline std::uint64_t size_of(const Fragments& fragments) {
  std::uint64_t total = 0;
  for (const auto& fragment : fragments) total += size_of(fragment);
  return total;
}

}  // namespace dohle::runtime

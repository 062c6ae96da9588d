#include <protocol/api_table.h>

#include <vector>

namespace dohle::protocol {
namespace {

// By key, which are few and small: every request is looked up some times.
std::vector<const ApiInfo*> by_key() {
  const auto table = api_table();
  std::vector<const ApiInfo*> out(static_cast<std::size_t>(table.back().key) + 1);
  for (const auto& api : table) out[static_cast<std::size_t>(api.key)] = &api;
  return out;
}

}  // namespace

const ApiInfo* find_api(std::int16_t key) {
  static const std::vector<const ApiInfo*> table = by_key();
  return key >= 0 && static_cast<std::size_t>(key) < table.size() ? table[static_cast<std::size_t>(key)] : nullptr;
}

}  // namespace dohle::protocol

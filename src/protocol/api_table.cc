#include <protocol/api_table.h>

#include <algorithm>

namespace dohle::protocol {

const ApiInfo* find_api(std::int16_t key) {
  const auto table = api_table();
  const auto found = std::ranges::lower_bound(table, key, {}, &ApiInfo::key);
  return found != table.end() && found->key == key ? &*found : nullptr;
}

}  // namespace dohle::protocol

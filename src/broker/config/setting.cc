#include <broker/config/setting.h>

#include <algorithm>

namespace dohle::broker::config {

const Setting* find_setting(Table table, std::string_view name) {
  const auto all = settings(table);
  const auto at = std::ranges::lower_bound(all, name, {}, &Setting::name);
  return at != all.end() && at->name == name ? &*at : nullptr;
}

}  // namespace dohle::broker::config

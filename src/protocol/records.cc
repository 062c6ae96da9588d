#include <protocol/records.h>

#include <algorithm>

namespace dohle::protocol {

bool operator==(const Records& a, const Records& b) {
  if (a.is_view() && b.is_view()) return std::ranges::equal(a.bytes(), b.bytes());
  return &a == &b;
}

}  // namespace dohle::protocol

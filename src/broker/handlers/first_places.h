// FirstPlaces: finds what a request names twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include <absl/container/inlined_vector.h>

namespace dohle::broker {

// Where a key came first. Looks through a few, as nearly all requests have, before it makes a map.
template <typename Key>
class FirstPlaces {
 public:
  // The place of `key`, which is `place` when it is new; and whether it is.
  std::pair<std::size_t, bool> add(const Key& key, std::size_t place) {
    const auto known = std::ranges::find(few_, key, &std::pair<Key, std::size_t>::first);
    if (known != few_.end()) return {known->second, false};
    if (few_.size() < kFew) {
      few_.emplace_back(key, place);
      return {place, true};
    }
    const auto [at, fresh] = many_.try_emplace(key, place);
    return {at->second, fresh};
  }

 private:
  static constexpr std::size_t kFew = 32;
  absl::InlinedVector<std::pair<Key, std::size_t>, 2> few_;
  std::map<Key, std::size_t> many_;
};

}  // namespace dohle::broker

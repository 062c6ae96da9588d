// FirstPlaces: finds what a request names twice.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <utility>

namespace dohle::broker {

// Where a key came first. Looks through a few, as nearly all requests have, and needs no memory for that.
template <typename Key>
class FirstPlaces {
 public:
  // The place of `key`, which is `place` when it is new; and whether it is.
  std::pair<std::size_t, bool> add(const Key& key, std::size_t place) {
    const auto known = std::ranges::find(few_.begin(), few_.begin() + count_, key, &std::pair<Key, std::size_t>::first);
    if (known != few_.begin() + count_) return {known->second, false};
    if (count_ < few_.size()) {
      few_[count_++] = {key, place};
      return {place, true};
    }
    const auto [at, fresh] = many_.try_emplace(key, place);
    return {at->second, fresh};
  }

 private:
  std::array<std::pair<Key, std::size_t>, 32> few_;
  std::size_t count_ = 0;
  std::map<Key, std::size_t> many_;
};

}  // namespace dohle::broker

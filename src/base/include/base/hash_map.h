// Hash containers with a fixed hash and no iteration: the same seed must give the same bytes in two processes.
// What must be iterated belongs into std::map, a vector or an intrusive list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <base/ids.h>

namespace dohle {

[[nodiscard]] std::uint64_t fixed_hash(std::string_view bytes);
[[nodiscard]] constexpr std::uint64_t mix_hash(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32);
}

struct FixedHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return fixed_hash(text); }
  template <typename T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  std::size_t operator()(T value) const { return mix_hash(static_cast<std::uint64_t>(value)); }
  std::size_t operator()(const Uuid& u) const { return mix_hash(u.high ^ mix_hash(u.low)); }
  std::size_t operator()(const TopicId& id) const { return (*this)(id.uuid); }
  std::size_t operator()(const TopicPartition& tp) const { return mix_hash(fixed_hash(tp.topic) + static_cast<std::uint64_t>(tp.partition)); }
  std::size_t operator()(const TopicIdPartition& tp) const { return mix_hash((*this)(tp.topic) + static_cast<std::uint64_t>(tp.partition)); }
  template <typename Tag, typename T>
  std::size_t operator()(Strong<Tag, T> id) const { return mix_hash(static_cast<std::uint64_t>(id.value())); }
};

template <typename K, typename V>
class HashMap {
 public:
  // The value under `key`, or null. Pointers stay valid until the next insertion or removal.
  template <typename Q>
  [[nodiscard]] V* find(const Q& key) {
    auto at = map_.find(key);
    return at == map_.end() ? nullptr : &at->second;
  }
  template <typename Q>
  [[nodiscard]] const V* find(const Q& key) const {
    auto at = map_.find(key);
    return at == map_.end() ? nullptr : &at->second;
  }
  template <typename Q>
  [[nodiscard]] bool contains(const Q& key) const { return map_.contains(key); }
  template <typename... Args>
  std::pair<V*, bool> try_emplace(const K& key, Args&&... args) {
    auto [at, fresh] = map_.try_emplace(key, std::forward<Args>(args)...);
    return {&at->second, fresh};
  }
  V& operator[](const K& key) { return map_[key]; }
  template <typename Q>
  bool erase(const Q& key) { return map_.erase(key) > 0; }
  [[nodiscard]] std::size_t size() const { return map_.size(); }
  [[nodiscard]] bool empty() const { return map_.empty(); }
  void clear() { map_.clear(); }

 private:
  absl::flat_hash_map<K, V, FixedHash, std::equal_to<>> map_;
};

template <typename K>
class HashSet {
 public:
  template <typename Q>
  [[nodiscard]] bool contains(const Q& key) const { return set_.contains(key); }
  bool insert(const K& key) { return set_.insert(key).second; }
  template <typename Q>
  bool erase(const Q& key) { return set_.erase(key) > 0; }
  [[nodiscard]] std::size_t size() const { return set_.size(); }
  [[nodiscard]] bool empty() const { return set_.empty(); }
  void clear() { set_.clear(); }

 private:
  absl::flat_hash_set<K, FixedHash, std::equal_to<>> set_;
};

}  // namespace dohle

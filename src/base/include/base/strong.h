// Strong<Tag, T>: an integer that cannot be mistaken for another kind of integer.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace dohle {

template <typename Tag, typename T>
class Strong {
 public:
  using Value = T;
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(value) {}
  [[nodiscard]] constexpr T value() const { return value_; }
  friend constexpr auto operator<=>(Strong, Strong) = default;
  template <typename H>
  friend H AbslHashValue(H hash, Strong strong) { return H::combine(std::move(hash), strong.value_); }

 private:
  T value_{};
};

}  // namespace dohle

template <typename Tag, typename T>
struct std::hash<dohle::Strong<Tag, T>> {
  std::size_t operator()(dohle::Strong<Tag, T> strong) const noexcept { return std::hash<T>{}(strong.value()); }
};

// Rare branches, for simulation. A mark counts that a place was reached; a report lists those that never were. An odd
// is a place where a simulation may make the rare thing happen (FoundationDB's BUGGIFY). A breach is a rule of ours
// that was broken where nothing would show it. In the product nobody installs an observer, and each costs one load and
// a branch that is never taken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace dohle {

// Names are dotted paths: module.what_happened.
template <std::size_t N>
struct MarkName {
  char text[N];
  // NOLINTNEXTLINE(google-explicit-constructor): so that a literal can be a template argument
  constexpr MarkName(const char (&literal)[N]) { std::copy_n(literal, N, text); }
};

class MarkObserver {
 public:
  virtual ~MarkObserver() = default;
  virtual void reached(std::string_view mark) = 0;
  // Whether the rare thing is to happen here and now.
  virtual bool make_it_so(std::string_view odd) = 0;
  virtual void breached(std::string_view rule) = 0;
};

// Set before any shard starts, by single-threaded programs only.
inline MarkObserver* mark_observer = nullptr;

inline void note_breach(std::string_view rule) {
  if (mark_observer != nullptr) [[unlikely]]
    mark_observer->breached(rule);
}

// Every mark and odd that is compiled in, in no order.
inline std::vector<std::string_view>& all_marks() {
  static std::vector<std::string_view> marks;
  return marks;
}

template <MarkName Name>
struct Mark {
  static bool enter() {
    all_marks().push_back(Name.text);
    return true;
  }
  static inline const bool kEntered = enter();
  static void hit() {
    if (mark_observer != nullptr && kEntered) [[unlikely]]
      mark_observer->reached(Name.text);
  }
  static bool odd() {
    if (mark_observer == nullptr || !kEntered) [[likely]]
      return false;
    if (!mark_observer->make_it_so(Name.text)) return false;
    mark_observer->reached(Name.text);
    return true;
  }
};

}  // namespace dohle

#define DOHLE_MARK(name) ::dohle::Mark<name>::hit()
#define DOHLE_ODD(name) ::dohle::Mark<name>::odd()
#define DOHLE_BREACH(rule) ::dohle::note_breach(rule)

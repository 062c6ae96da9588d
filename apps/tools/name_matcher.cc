#include "name_matcher.h"

#include <regex>

namespace dohle::app {
namespace {

bool is_quantifier(char c) { return c == '*' || c == '+' || c == '?'; }

// After x* comes at most one more sign, which makes it lazy or possessive: x*? x*+; nothing is repeated twice.
bool has_dangling_quantifier(std::string_view pattern) {
  bool in_class = false;
  int signs = 0;  // of a quantifier, right before this character
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      ++i;
      signs = 0;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '}' || (is_quantifier(c) && signs == 0)) {
      signs = 1;
    } else if (is_quantifier(c)) {
      if (c == '*' || ++signs > 2) return true;
    } else if (c == '{' && signs > 0) {
      return true;
    } else {
      in_class = c == '[';
      signs = 0;
    }
  }
  return false;
}

}  // namespace

bool has_huge_number(std::string_view pattern) {
  constexpr int kMostDigits = 9;
  bool counts = false;  // these digits are a number: of a group, or of repetitions
  int digits = 0;
  for (const char c : pattern) {
    if (c >= '0' && c <= '9') {
      if (counts && ++digits > kMostDigits) return true;
    } else {
      counts = c == '\\' || c == '{' || (counts && c == ',');
      digits = 0;
    }
  }
  return false;
}

Checked<NameMatcher> name_matcher(const std::string& pattern) {
  if (!has_dangling_quantifier(pattern) && !has_huge_number(pattern)) {
    try {
      return [expression = std::regex(pattern)](std::string_view name) {
        return std::regex_match(name.begin(), name.end(), expression);
      };
    } catch (const std::regex_error&) {
    }
  }
  return complain(pattern + " is an invalid regex.");
}

}  // namespace dohle::app

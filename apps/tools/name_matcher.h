// Names of topics by a regular expression, as the tools' options have them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tool.h"

namespace dohle::app {

using NameMatcher = std::function<bool(std::string_view name)>;

// The whole name has to match. What Java's regular expressions refuse is refused here too: a quantifier on a
// quantifier, which our library takes, and then works on for longer than anybody lives.
[[nodiscard]] bool has_huge_number(std::string_view pattern);  // that our library would overflow on
[[nodiscard]] Checked<NameMatcher> name_matcher(const std::string& pattern);

}  // namespace dohle::app

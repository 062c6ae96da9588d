// Java's .properties files.
#pragma once

#include <string_view>

#include <base/result.h>
#include <broker/config/value.h>

namespace dohle::broker::config {

// The text of a file by Java's rules: `=`, `:` or blanks between key and value, `#` and `!` comments, lines continued
// by a backslash, \t \n \r \f \uXXXX escapes, bytes above 0x7f are Latin-1. A later line wins over an earlier one. Keys
// and values come out as UTF-8. The error names the line.
[[nodiscard]] Result<TextMap> parse_properties(std::string_view text);

// One `--override key=value`; key and value must not be empty.
[[nodiscard]] Result<> apply_override(TextMap& properties, std::string_view override_text);

}  // namespace dohle::broker::config

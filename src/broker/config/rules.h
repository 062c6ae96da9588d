// The rules a value must meet, one function a kind.
#pragma once

#include <string>
#include <string_view>

#include <broker/config/setting.h>
#include <broker/config/value.h>

namespace dohle::broker::config {

[[nodiscard]] bool meets(const Rule& rule, const Value& value);
// "at least 1", "one of a, b"; completes "allowed is ...".
[[nodiscard]] std::string rule_text(const Rule& rule, ValueType type);

}  // namespace dohle::broker::config

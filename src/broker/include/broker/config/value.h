// A setting's value: from text to a type and back, by Kafka's rules (org.apache.kafka.common.config.ConfigDef).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <base/result.h>
#include <broker/config/setting.h>

namespace dohle::broker::config {

// Keys and values as text, as in a .properties file or in the metadata log.
using TextMap = std::map<std::string, std::string, std::less<>>;

// std::monostate is null. Short values are held as int32; class names and passwords as strings.
using Value =
    std::variant<std::monostate, bool, std::int32_t, std::int64_t, double, std::string, std::vector<std::string>>;

// kInvalidConfig with one sentence naming key, value and what is allowed. Null text stands for null.
[[nodiscard]] Result<Value> parse_value(const Setting& setting, std::optional<std::string_view> text);
[[nodiscard]] Result<Value> default_value(const Setting& setting);
// Only the type, without the rules.
[[nodiscard]] Result<Value> parse_type(const Setting& setting, std::string_view text);
// Checks the rules of the setting.
[[nodiscard]] Result<> check_rules(const Setting& setting, const Value& value);
// As Kafka prints it; none for null.
[[nodiscard]] std::optional<std::string> to_text(const Value& value);
// What the rules allow, in words: "an integer of at least 1". Empty when everything is.
[[nodiscard]] std::string allowed_text(const Setting& setting);

// `item` without blanks at both ends, as Java's String.trim().
[[nodiscard]] std::string_view trim(std::string_view text);
// Kafka's LIST split: at commas with the blanks around them; the empty text is the empty list.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);
[[nodiscard]] bool contains(const std::vector<std::string>& items, std::string_view item);

// All values of one table.
class Values {
 public:
  // `texts` may hold keys the table does not know; they are ignored. The first bad value is the error.
  [[nodiscard]] static Result<Values> parse(Table table, const TextMap& texts);
  // The defaults alone; required settings are null.
  [[nodiscard]] static Values defaults(Table table);

  [[nodiscard]] Table table() const { return table_; }
  // The name must be in the table.
  [[nodiscard]] const Value& get(std::string_view name) const;
  [[nodiscard]] bool is_null(std::string_view name) const { return std::holds_alternative<std::monostate>(get(name)); }
  [[nodiscard]] bool get_bool(std::string_view name) const { return std::get<bool>(get(name)); }
  [[nodiscard]] std::int32_t get_int(std::string_view name) const { return std::get<std::int32_t>(get(name)); }
  [[nodiscard]] std::int64_t get_long(std::string_view name) const { return std::get<std::int64_t>(get(name)); }
  [[nodiscard]] double get_double(std::string_view name) const { return std::get<double>(get(name)); }
  [[nodiscard]] const std::string& get_string(std::string_view name) const { return std::get<std::string>(get(name)); }
  [[nodiscard]] const std::vector<std::string>& get_list(std::string_view name) const {
    return std::get<std::vector<std::string>>(get(name));
  }
  // None for null.
  [[nodiscard]] std::optional<std::string> find_string(std::string_view name) const;
  // Integers of any width; none for null.
  [[nodiscard]] std::optional<std::int64_t> find_integer(std::string_view name) const;
  void set(std::string_view name, Value value);

 private:
  explicit Values(Table table) : table_(table) {}
  [[nodiscard]] std::size_t index(std::string_view name) const;

  Table table_;
  std::vector<Value> values_;  // in the order of settings(table_)
};

}  // namespace dohle::broker::config

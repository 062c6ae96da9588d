// Command lines as Kafka's tools take them: `--name value`, `--name=value`, flags, repeated options.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dohle/command.h"

namespace dohle::app {

// kTexts takes all arguments up to the next option.
enum class Takes : std::uint8_t { kNothing, kText, kOptionalText, kTexts, kInt, kLong };

struct Option {
  std::string_view name;
  Takes takes = Takes::kNothing;
  std::string_view argument;  // what it is called in the usage
  std::string help;
  bool repeated = false;
};

// The options of one command line. Asking for a name that the parser does not know is a bug.
class ParsedOptions {
 public:
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  // The argument; nothing when the option is absent.
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t otherwise) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  // How many of these are given.
  [[nodiscard]] std::size_t count(const std::vector<std::string_view>& names) const;

 private:
  friend class OptionParser;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

class OptionParser {
 public:
  // `about` is the sentence above the usage. --help and --version are there already.
  OptionParser(std::string about, std::vector<Option> options);

  // Kafka's performance tools parse with argparse: other words for what is wrong, behind the name of the program.
  OptionParser& in_argparse_words(std::string_view program);
  // What stands before a sentence about a wrong command line.
  OptionParser& with_error_prefix(std::string_view prefix);

  // The error is one sentence in the words of Kafka's parser.
  [[nodiscard]] std::expected<ParsedOptions, std::string> parse(const Arguments& arguments) const;
  [[nodiscard]] const std::string& about() const { return about_; }
  // The table of all options, sorted, 80 columns wide.
  [[nodiscard]] std::string usage() const;
  // A wrong command line, told: `message`, and the usage in one form or the other.
  [[nodiscard]] std::string usage_error(std::string_view message) const;
  [[nodiscard]] bool is_argparse() const { return !program_.empty(); }

 private:
  [[nodiscard]] std::string not_an_option(std::string_view name) const;
  [[nodiscard]] std::string without_argument(std::string_view name) const;
  [[nodiscard]] std::string not_a_number(const Option& option, std::string_view value) const;
  [[nodiscard]] const Option* find(std::string_view name) const;

  std::string about_;
  std::vector<Option> options_;
  std::string program_;  // empty: jopt's words
  std::string error_prefix_;
};

// "a,b,,c" without the empty ones.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string_view trim(std::string_view text);
// The whole text as a decimal number.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);

}  // namespace dohle::app

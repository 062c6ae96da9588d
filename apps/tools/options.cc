#include "options.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <base/check.h>
#include <fmt/core.h>

namespace dohle::app {

namespace {

constexpr std::size_t kOptionColumn = 39;
constexpr std::size_t kHelpColumn = 40;

bool looks_like_option(std::string_view text) { return text.size() > 1 && text[0] == '-'; }

bool is_a(Takes kind, std::string_view text) {
  if (kind != Takes::kInt && kind != Takes::kLong) return true;
  const auto value = parse_number(text);
  return value && (kind == Takes::kLong || (*value >= std::numeric_limits<std::int32_t>::min() &&
                                            *value <= std::numeric_limits<std::int32_t>::max()));
}

// Words in lines of at most `width`; all but the first are indented by two.
std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines{""};
  for (const std::string& word : split(text, ' ')) {
    std::string& line = lines.back();
    const bool fresh = line.find_first_not_of(' ') == std::string::npos;
    if (!fresh && line.size() + 1 + word.size() > width) {
      lines.push_back("  " + word);
    } else {
      line += (fresh ? "" : " ") + word;
    }
  }
  return lines;
}

std::string title(const Option& option) {
  const std::string name = fmt::format("--{}", option.name);
  const auto described = [&](std::string_view kind) {
    return option.argument.empty() ? std::string(kind) : fmt::format("{}: {}", kind, option.argument);
  };
  switch (option.takes) {
    case Takes::kNothing:
      return name;
    case Takes::kText:
      return fmt::format("{} <{}>", name, described("String"));
    case Takes::kOptionalText:
      return fmt::format("{} [{}]", name, described("String"));
    case Takes::kTexts:
      return fmt::format("{} <{}>...", name, described("String"));
    case Takes::kInt:
      return fmt::format("{} <{}>", name, described("Integer"));
    case Takes::kLong:
      return fmt::format("{} <{}>", name, described("Long"));
  }
  return name;
}

void add_row(std::string& out, std::string_view left, std::string_view right) {
  const auto a = wrap(left, kOptionColumn);
  const auto b = wrap(right, kHelpColumn);
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    out += fmt::format("{:<{}}  {:<{}}\n", i < a.size() ? a[i] : "", kOptionColumn, i < b.size() ? b[i] : "",
                       kHelpColumn - 1);
  }
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (end != 0) out.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> ParsedOptions::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::string ParsedOptions::text(std::string_view name, std::string_view otherwise) const {
  return text(name).value_or(std::string(otherwise));
}

std::optional<std::int64_t> ParsedOptions::number(std::string_view name) const {
  const auto value = text(name);
  return value ? parse_number(*value) : std::nullopt;
}

std::int64_t ParsedOptions::number(std::string_view name, std::int64_t otherwise) const {
  return number(name).value_or(otherwise);
}

std::vector<std::string> ParsedOptions::all(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::size_t ParsedOptions::count(const std::vector<std::string_view>& names) const {
  return static_cast<std::size_t>(std::ranges::count_if(names, [&](auto name) { return has(name); }));
}

OptionParser::OptionParser(std::string about, std::vector<Option> options)
    : about_(std::move(about)), options_(std::move(options)) {
  options_.push_back({.name = "help", .argument = "", .help = "Print usage information."});
  options_.push_back({.name = "version", .argument = "", .help = "Display Kafka version."});
  std::ranges::sort(options_, {}, &Option::name);
}

const Option* OptionParser::find(std::string_view name) const {
  const auto found = std::ranges::find(options_, name, &Option::name);
  return found == options_.end() ? nullptr : &*found;
}

// What does not look like an option and belongs to none is passed over, as Kafka's tools do.
std::expected<ParsedOptions, std::string> OptionParser::parse(const Arguments& arguments) const {
  ParsedOptions out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view token = arguments[i];
    if (token == "--") break;
    if (!looks_like_option(token)) continue;
    token.remove_prefix(token.starts_with("--") ? 2 : 1);
    const auto equals = token.find('=');
    const std::string_view name = token.substr(0, equals);
    std::string value(equals == std::string_view::npos ? std::string_view{} : token.substr(equals + 1));
    const Option* option = find(name);
    if (option == nullptr) return std::unexpected(not_an_option(name));
    auto& values = out.values_[std::string(name)];
    if (option->takes == Takes::kNothing) continue;
    const bool more = i + 1 < arguments.size();
    if (value.empty() && option->takes == Takes::kOptionalText) {
      if (!more || looks_like_option(arguments[i + 1])) continue;
      value = arguments[++i];
    } else if (value.empty()) {
      if (!more) return std::unexpected(without_argument(name));
      value = arguments[++i];
    }
    if (!is_a(option->takes, value)) return std::unexpected(not_a_number(*option, value));
    if (!option->repeated && !values.empty()) {
      return std::unexpected(fmt::format("Found multiple arguments for option {}, but you asked for only one", name));
    }
    values.push_back(std::move(value));
    while (option->takes == Takes::kTexts && i + 1 < arguments.size() && !looks_like_option(arguments[i + 1])) {
      values.push_back(arguments[++i]);
    }
  }
  return out;
}

OptionParser& OptionParser::in_argparse_words(std::string_view program) {
  program_ = program;
  return *this;
}

OptionParser& OptionParser::with_error_prefix(std::string_view prefix) {
  error_prefix_ = prefix;
  return *this;
}

std::string OptionParser::not_an_option(std::string_view name) const {
  if (is_argparse()) return fmt::format("unrecognized arguments: '--{}'", name);
  return fmt::format("{}{} is not a recognized option", error_prefix_, name);
}

std::string OptionParser::without_argument(std::string_view name) const {
  if (is_argparse()) return fmt::format("argument --{}: expected one argument", name);
  return fmt::format("{}Option {} requires an argument", error_prefix_, name);
}

std::string OptionParser::not_a_number(const Option& option, std::string_view value) const {
  if (is_argparse()) {
    return fmt::format("argument --{}: could not convert '{}' to {} (For input string: \"{}\")", option.name, value,
                       option.takes == Takes::kLong ? "Long" : "Integer", value);
  }
  return fmt::format("{}Cannot parse argument '{}' of option {}", error_prefix_, value, option.name);
}

std::string OptionParser::usage_error(std::string_view message) const {
  if (!is_argparse()) return fmt::format("{}\n{}", message, usage());
  return fmt::format("usage: {} [-h] [OPTION]...\n{}: error: {}\n", program_, program_, message);
}

std::string OptionParser::usage() const {
  std::string out;
  add_row(out, "Option", "Description");
  add_row(out, "------", "-----------");
  for (const Option& option : options_) add_row(out, title(option), option.help);
  return out;
}

}  // namespace dohle::app

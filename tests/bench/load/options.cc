#include "options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace dohle::load {

void give_up(const std::string& why) {
  std::fprintf(stderr, "load: %s\n", why.c_str());
  std::exit(1);
}

Options::Options(const std::vector<std::string>& arguments) {
  for (const auto& argument : arguments) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) give_up("not key=value: " + argument);
    values_[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
}

std::string Options::text(const std::string& key, const std::string& otherwise) const {
  used_.insert(key);
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}

std::string Options::required(const std::string& key) const {
  const auto value = text(key);
  if (value.empty()) give_up("needs " + key + "=");
  return value;
}

std::int64_t Options::number(const std::string& key, std::int64_t otherwise) const {
  const auto value = text(key);
  if (value.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < 0)
    give_up(key + " is no number: " + value);
  return number;
}

std::chrono::nanoseconds Options::duration(const std::string& key, double otherwise_s) const {
  const auto value = text(key);
  char* end = nullptr;
  const double seconds = value.empty() ? otherwise_s : std::strtod(value.c_str(), &end);
  if ((end != nullptr && *end != '\0') || !(seconds >= 0)) give_up(key + " is no time: " + value);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

Endpoint Options::broker() const {
  const auto text = required("broker");
  const auto colon = text.find_last_of(':');
  if (colon == std::string::npos) give_up("not HOST:PORT: " + text);
  return {text.substr(0, colon), static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1))};
}

std::vector<std::pair<std::string, std::string>> Options::topic_configs() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : values_) {
    if (key.find('.') == std::string::npos) continue;
    used_.insert(key);
    out.emplace_back(key, value);
  }
  return out;
}

void Options::check_all_used() const {
  for (const auto& [key, value] : values_) {
    if (!used_.contains(key)) give_up("nobody wants " + key + "=");
  }
}

}  // namespace dohle::load

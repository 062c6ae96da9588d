#include "clean_marker.h"

#include <charconv>

#include <fmt/format.h>

namespace dohle::storage {

std::int64_t parse_clean_marker(std::string_view text) {
  constexpr std::string_view kKey = "\"brokerEpoch\"";
  const auto at = text.find(kKey);
  if (at == std::string_view::npos) return -1;
  text.remove_prefix(at + kKey.size());
  const auto number = text.find_first_of("-0123456789");
  if (number == std::string_view::npos ||
      text.substr(0, number).find_first_not_of(" \t\r\n:") != std::string_view::npos) {
    return -1;
  }
  std::int64_t epoch = -1;
  const auto [end, error] = std::from_chars(text.data() + number, text.data() + text.size(), epoch);
  return error == std::errc{} ? epoch : -1;
}

std::string format_clean_marker(std::int64_t broker_epoch) {
  return fmt::format(R"({{"version":0,"brokerEpoch":{}}})", broker_epoch);
}

}  // namespace dohle::storage

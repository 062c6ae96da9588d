// Properties of readers and formatters, by Kafka's rules: a value that is set replaces the default.
#pragma once

#include <string>
#include <string_view>

#include <client/client_config.h>

namespace dohle::app {

inline void read_text(const client::Properties& properties, std::string_view key, std::string& into) {
  if (const auto found = properties.find(key); found != properties.end()) into = found->second;
}

// Anything but "true" in whatever case is false.
inline void read_bool(const client::Properties& properties, std::string_view key, bool& into) {
  const auto found = properties.find(key);
  if (found == properties.end()) return;
  std::string text = client::property_text(properties, key, "");
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  into = text == "true";
}

}  // namespace dohle::app

// .kafka_cleanshutdown: there after a clean stop; holds the broker epoch of that life (KIP-966).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dohle::storage {

inline constexpr std::string_view kCleanMarkerFile = ".kafka_cleanshutdown";

// -1 when the text holds none: older releases wrote an empty file.
[[nodiscard]] std::int64_t parse_clean_marker(std::string_view text);
[[nodiscard]] std::string format_clean_marker(std::int64_t broker_epoch);

}  // namespace dohle::storage

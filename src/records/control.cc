#include <records/control.h>

#include <fmt/core.h>

namespace dohle::records {

namespace {
constexpr std::string_view kNames[] = {"ABORT",           "COMMIT",        "LEADER_CHANGE", "SNAPSHOT_HEADER",
                                       "SNAPSHOT_FOOTER", "KRAFT_VERSION", "KRAFT_VOTERS"};
}

std::string_view to_string(ControlType type) {
  return type == ControlType::kUnknown ? "UNKNOWN" : kNames[static_cast<std::int16_t>(type)];
}

std::array<std::uint8_t, 4> encode_control_key(ControlType type) {
  std::array<std::uint8_t, 4> key{};
  store_be<std::int16_t>(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

Result<ControlType> decode_control_key(Bytes key) {
  if (key.size() < 4) return fail(Errc::kInvalidRecord, fmt::format("a control record key of {} bytes", key.size()));
  const auto version = load_be<std::int16_t>(key.data());
  if (version < 0) return fail(Errc::kInvalidRecord, fmt::format("control record key of version {}", version));
  const auto type = load_be<std::int16_t>(key.data() + 2);
  if (type < 0 || type > static_cast<std::int16_t>(ControlType::kKraftVoters)) return ControlType::kUnknown;
  return static_cast<ControlType>(type);
}

std::array<std::uint8_t, 6> encode_end_transaction_marker(const EndTransactionMarker& marker) {
  std::array<std::uint8_t, 6> value{};
  store_be<std::int32_t>(value.data() + 2, marker.coordinator_epoch);
  return value;
}

Result<EndTransactionMarker> decode_end_transaction_marker(Bytes value) {
  if (value.size() < 6) {
    return fail(Errc::kInvalidRecord, fmt::format("an end transaction marker of {} bytes", value.size()));
  }
  const auto version = load_be<std::int16_t>(value.data());
  if (version < 0) return fail(Errc::kInvalidRecord, fmt::format("end transaction marker of version {}", version));
  return EndTransactionMarker{load_be<std::int32_t>(value.data() + 2)};
}

}  // namespace dohle::records

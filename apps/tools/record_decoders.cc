#include "record_decoders.h"

#include <array>

#include <base/base64.h>
#include <base/reader.h>
#include <fmt/core.h>
#include <protocol/coordinator_record.h>
#include <protocol/json.h>
#include <protocol/messages/consumer_protocol_assignment.h>
#include <protocol/messages/consumer_protocol_subscription.h>
#include <protocol/messages/kraft_version_record.h>
#include <protocol/messages/leader_change_message.h>
#include <protocol/messages/snapshot_footer_record.h>
#include <protocol/messages/snapshot_header_record.h>
#include <protocol/messages/voters_record.h>
#include <protocol/metadata_record.h>
#include <records/control.h>

namespace dohle::app {

using protocol::Json;

namespace {

constexpr std::string_view kDecoderPackage = "org.apache.kafka.tools.api.";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

using ValueDecoder = std::optional<std::string> (*)(Bytes);

template <typename T>
std::optional<std::string> leading_number(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  return std::to_string(load_be<T>(bytes.data()));
}

ValueDecoder value_decoder(std::string_view class_name) {
  static constexpr std::array<std::pair<std::string_view, ValueDecoder>, 4> kDecoders = {
      {{"StringDecoder", [](Bytes bytes) { return std::optional(java_text(bytes)); }},
       {"IntegerDecoder", leading_number<std::int32_t>},
       {"LongDecoder", leading_number<std::int64_t>},
       {"DefaultDecoder", [](Bytes bytes) { return std::optional(base64_encode(bytes)); }}}};
  for (const auto& [name, decode] : kDecoders) {
    if (class_name.starts_with(kDecoderPackage) && class_name.substr(kDecoderPackage.size()) == name) return decode;
  }
  return nullptr;
}

Checked<std::optional<std::string>> decoded(ValueDecoder decode, const std::optional<Bytes>& bytes, Offset at) {
  if (!bytes) return std::nullopt;
  auto text = decode(*bytes);
  if (!text) return complain(fmt::format("the record at offset {} is too short for the decoder", at.value()));
  return text;
}

template <typename Message>
Json json_of(const Message& message, std::int16_t version) {
  return protocol::to_json(message, version);
}

// The embedded messages of the consumer protocol instead of their bytes, where they can be read.
template <typename Embedded>
void open_up(Json::Object& member, std::string_view field) {
  for (auto& [name, value] : member) {
    if (name != field || value.as_string() == nullptr) continue;
    const auto bytes = base64_decode(*value.as_string());
    if (!bytes) return;
    Reader reader{Bytes(*bytes)};
    const auto version = reader.read<std::int16_t>();
    const auto message = Embedded::decode(reader, version);
    if (message) value = protocol::to_json(*message, version);
    return;
  }
}

Json json_of(const protocol::GroupMetadataValue& group, std::int16_t version) {
  Json out = protocol::to_json(group, version);
  if (std::string_view(group.protocol_type.get()) != "consumer") return out;
  Json::Object top = *out.as_object();
  for (auto& [name, value] : top) {
    if (name != "members") continue;
    Json::Array members;
    for (const Json& one : *value.as_array()) {
      Json::Object member = *one.as_object();
      open_up<protocol::ConsumerProtocolSubscription>(member, "subscription");
      open_up<protocol::ConsumerProtocolAssignment>(member, "assignment");
      members.emplace_back(std::move(member));
    }
    value = Json(std::move(members));
  }
  return Json(std::move(top));
}

DecodedRecord remark(std::string text) { return {std::move(text), std::nullopt}; }

template <typename DecodeKey, typename DecodeValue>
DecodedRecord decode_coordinator_record(const records::RecordView& record, DecodeKey decode_key,
                                        DecodeValue decode_value) {
  const std::int64_t at = record.offset.value();
  const auto skip = [at](const std::string& why) {
    return remark(fmt::format("Error at offset {}, skipping. {}", at, why));
  };
  const auto type = protocol::coordinator_record_type(*record.key);
  if (!type) return skip("Could not read version from key's buffer.");
  const auto key = decode_key(*record.key);
  if (!key && key.error().code == Errc::kUnsupported) {
    return remark(fmt::format("Unknown record type {} at offset {}, skipping.", *type, at));
  }
  if (!key) return skip(key.error().message);
  DecodedRecord out;
  out.key = std::visit(
      [&](const auto& one) {
        return Json(Json::Object{{"type", std::to_string(*type)}, {"data", protocol::to_json(one, 0)}}).print();
      },
      *key);
  if (!record.value) {
    out.value = "<DELETE>";
    return out;
  }
  if (record.value->size() < sizeof(std::int16_t)) return skip("Could not read version from value's buffer.");
  const auto value = decode_value(*type, *record.value);
  if (!value) return skip(value.error().message);
  const auto version = load_be<std::int16_t>(record.value->data());
  out.value = std::visit(
      [&](const auto& one) {
        return Json(Json::Object{{"version", std::to_string(version)}, {"data", json_of(one, version)}}).print();
      },
      *value);
  return out;
}

template <typename DecodeKey, typename DecodeValue>
RecordDecoder coordinator_decoder(DecodeKey decode_key, DecodeValue decode_value) {
  return [=](const records::RecordView& record) -> Checked<DecodedRecord> {
    if (!record.key) {
      return complain(
          fmt::format("Failed to decode message at offset {} using the specified decoder (message had a missing key)",
                      record.offset.value()));
    }
    return decode_coordinator_record(record, decode_key, decode_value);
  };
}

// RegisterBrokerRecord: REGISTER_BROKER_RECORD.
std::string record_type_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.empty()) out += '_';
    out += upper ? c : static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string metadata_text(const records::RecordView& record) {
  const auto skip = [&](const std::string& why) {
    return fmt::format("Error at {}, skipping. {}", record.offset.value(), why);
  };
  if (!record.value) return skip("the record has no value");
  const auto framed = protocol::decode_metadata_record(*record.value);
  if (!framed) return skip(framed.error().message);
  return std::visit(
      [&]<typename Record>(const Record& one) {
        return Json(Json::Object{{"type", record_type_name(Record::kName)},
                                 {"version", std::int64_t{framed->version}},
                                 {"data", protocol::to_json(one, framed->version)}})
            .print();
      },
      framed->record);
}

// The JSON of a control record's value, which begins with its version.
template <typename Message>
std::string control_json(std::string_view title, Bytes value) {
  Reader version_reader(value);
  const auto version = std::clamp(version_reader.read<std::int16_t>(), Message::kMinVersion, Message::kMaxVersion);
  Reader reader(value);
  const auto message = Message::decode(reader, version);
  if (!message) return fmt::format(" {} {}", title, message.error().message);
  return fmt::format(" {} {}", title, protocol::to_json(*message, version).print());
}

std::string marker_text(records::ControlType type, Bytes value) {
  const auto marker = records::decode_end_transaction_marker(value);
  if (!marker) return fmt::format(" endTxnMarker: {}", marker.error().message);
  return fmt::format(" endTxnMarker: {} coordinatorEpoch: {}", to_string(type), marker->coordinator_epoch);
}

}  // namespace

Checked<RecordDecoder> decoder_of_classes(std::string_view key_class, std::string_view value_class) {
  const ValueDecoder key = value_decoder(key_class);
  const ValueDecoder value = value_decoder(value_class);
  if (key == nullptr || value == nullptr) {
    return complain(
        fmt::format("Failed to load decoder class {}: there are {}StringDecoder, IntegerDecoder, "
                    "LongDecoder and DefaultDecoder",
                    key == nullptr ? key_class : value_class, kDecoderPackage));
  }
  return [key, value](const records::RecordView& record) -> Checked<DecodedRecord> {
    auto key_text = decoded(key, record.key, record.offset);
    if (!key_text) return std::unexpected(key_text.error());
    auto value_text = decoded(value, record.value, record.offset);
    if (!value_text) return std::unexpected(value_text.error());
    return DecodedRecord{std::move(*key_text), std::move(*value_text)};
  };
}

RecordDecoder offsets_decoder() {
  return coordinator_decoder(protocol::decode_group_key, protocol::decode_group_value);
}
RecordDecoder transaction_log_decoder() {
  return coordinator_decoder(protocol::decode_transaction_key, protocol::decode_transaction_value);
}
RecordDecoder share_group_state_decoder() {
  return coordinator_decoder(protocol::decode_share_key, protocol::decode_share_value);
}

RecordDecoder cluster_metadata_decoder() {
  return [](const records::RecordView& record) -> Checked<DecodedRecord> {
    return DecodedRecord{std::nullopt, metadata_text(record)};
  };
}

std::string control_text(const records::RecordView& record) {
  using records::ControlType;
  const auto type = record.key ? records::decode_control_key(*record.key) : fail(Errc::kInvalidRecord, "no key");
  if (!type || !record.value) return " controlType: UNKNOWN";
  switch (*type) {
    case ControlType::kAbort:
    case ControlType::kCommit:
      return marker_text(*type, *record.value);
    case ControlType::kLeaderChange:
      return control_json<protocol::LeaderChangeMessage>("LeaderChange:", *record.value);
    case ControlType::kSnapshotHeader:
      return control_json<protocol::SnapshotHeaderRecord>("SnapshotHeader", *record.value);
    case ControlType::kSnapshotFooter:
      return control_json<protocol::SnapshotFooterRecord>("SnapshotFooter", *record.value);
    case ControlType::kKraftVersion:
      return control_json<protocol::KRaftVersionRecord>("KRaftVersion", *record.value);
    case ControlType::kKraftVoters:
      return control_json<protocol::VotersRecord>("KRaftVoters", *record.value);
    case ControlType::kUnknown:
      break;
  }
  return fmt::format(" controlType: UNKNOWN({})", load_be<std::int16_t>(record.key->data() + 2));
}

// How many bytes at `at` are one character, or, negative, how many of them make one replacement.
static int utf8_step(Bytes bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < bytes.size() ? bytes[at + i] : 0; };
  const auto follows = [&](std::size_t i, int low = 0x80, int high = 0xBF) {
    return at + i < bytes.size() && byte(i) >= low && byte(i) <= high;
  };
  const int first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return -1;
  if (first < 0xE0) return follows(1) ? 2 : -1;
  if (first < 0xF0) {
    if (!follows(1, first == 0xE0 ? 0xA0 : 0x80)) return -1;
    if (!follows(2)) return -2;
    return first == 0xED && byte(1) > 0x9F ? -3 : 3;  // half of a surrogate pair
  }
  if (!follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF)) return -1;
  if (!follows(2)) return -2;
  return follows(3) ? 4 : -3;
}

std::string java_text(Bytes bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const int step = utf8_step(bytes, at);
    const auto size = static_cast<std::size_t>(step < 0 ? -step : step);
    if (step < 0) {
      out += kReplacement;
    } else {
      out.append(reinterpret_cast<const char*>(bytes.data()) + at, size);
    }
    at += size;
  }
  return out;
}

}  // namespace dohle::app

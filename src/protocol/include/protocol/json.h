// The JSON form of messages, the same as that of Kafka's own converters: camelCase names, base64 for bytes, uuids in
// their text form. One difference: records are written out in base64, where Kafka's converter leaves them empty.
//
// For tests and tools; link dohle_protocol_json. Unknown tagged fields have no JSON form.
#pragma once

#include <span>

#include <base/buffer.h>
#include <protocol/json_value.h>
#include <protocol/message.h>
#include <runtime/fragment.h>

namespace dohle::protocol {

// For every message of <protocol/messages/...>. The version must be one of the message's.
template <typename Message>
[[nodiscard]] Json to_json(const Message& message, std::int16_t version);
// Fields that the version has must be there, tagged ones excepted. The message owns its content.
template <typename Message>
[[nodiscard]] Result<Message> from_json(const Json& json, std::int16_t version);

// A message by name, without its type: for golden tests and for tools that print whatever they meet.
struct MessageForms {
  std::string_view name;  // "FetchRequest"
  std::int16_t api_key;   // or the record's type; -1 where there is none
  std::int16_t min_version;
  std::int16_t max_version;  // unstable ones included
  std::int16_t first_flexible;
  Result<Json> (*json_of)(Reader& bytes, std::int16_t version);
  Result<Slice> (*bytes_of)(const Json& json, std::int16_t version);
  Result<Slice> (*decode_and_encode)(Reader& bytes, std::int16_t version);
};
// In the order of their names.
[[nodiscard]] std::span<const MessageForms* const> all_messages();
// nullptr for an unknown name.
[[nodiscard]] const MessageForms* find_message(std::string_view name);

}  // namespace dohle::protocol

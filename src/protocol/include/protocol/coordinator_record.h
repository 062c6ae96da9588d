// Keys and values of the records that coordinators write: a key begins with the record's type, a value with its
// version, both as int16. A null value is a tombstone and never comes here.
#pragma once

#include <base/bytes.h>
#include <base/reader.h>
#include <protocol/group_records.h>
#include <protocol/share_records.h>
#include <protocol/transaction_records.h>
#include <protocol/writer.h>

namespace dohle::protocol {

// Keys have had one version only, 0: what stands before them is their type.
template <typename Key>
void encode_coordinator_key(Writer& writer, const Key& key) {
  static_assert(Key::kMinVersion == 0 && Key::kMaxVersion == 0);
  writer.write(Key::kType);
  key.encode(writer, 0);
}
template <typename Value>
void encode_coordinator_value(Writer& writer, const Value& value, std::int16_t version) {
  writer.write(version);
  value.encode(writer, version);
}

// What they decode to views `key` or `value`. kUnsupported for a type or version from the future, which a coordinator
// that loads its log skips with a warning, as Kafka does; kMalformed for bytes that do not parse.
[[nodiscard]] Result<std::int16_t> coordinator_record_type(Bytes key);
[[nodiscard]] Result<GroupRecordKey> decode_group_key(Bytes key);
[[nodiscard]] Result<GroupRecordValue> decode_group_value(std::int16_t type, Bytes value);
[[nodiscard]] Result<TransactionRecordKey> decode_transaction_key(Bytes key);
[[nodiscard]] Result<TransactionRecordValue> decode_transaction_value(std::int16_t type, Bytes value);
[[nodiscard]] Result<ShareRecordKey> decode_share_key(Bytes key);
[[nodiscard]] Result<ShareRecordValue> decode_share_value(std::int16_t type, Bytes value);

}  // namespace dohle::protocol

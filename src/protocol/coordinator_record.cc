#include <protocol/coordinator_record.h>

namespace dohle::protocol {
namespace {

template <typename Decode>
auto decode_key(Bytes key, Decode decode) -> decltype(decode(std::int16_t{}, std::declval<Reader&>(), std::int16_t{})) {
  Reader reader(key);
  const auto type = reader.read<std::int16_t>();
  if (!reader.ok()) return fail(Errc::kMalformed, "coordinator record without a type");
  return decode(type, reader, std::int16_t{0});
}

template <typename Decode>
auto decode_value(std::int16_t type, Bytes value, Decode decode)
    -> decltype(decode(std::int16_t{}, std::declval<Reader&>(), std::int16_t{})) {
  Reader reader(value);
  const auto version = reader.read<std::int16_t>();
  if (!reader.ok()) return fail(Errc::kMalformed, "coordinator record without a version");
  return decode(type, reader, version);
}

}  // namespace

Result<std::int16_t> coordinator_record_type(Bytes key) {
  Reader reader(key);
  const auto type = reader.read<std::int16_t>();
  if (!reader.ok()) return fail(Errc::kMalformed, "coordinator record without a type");
  return type;
}

Result<GroupRecordKey> decode_group_key(Bytes key) { return decode_key(key, decode_group_record_key); }
Result<GroupRecordValue> decode_group_value(std::int16_t type, Bytes value) {
  return decode_value(type, value, decode_group_record_value);
}
Result<TransactionRecordKey> decode_transaction_key(Bytes key) {
  return decode_key(key, decode_transaction_record_key);
}
Result<TransactionRecordValue> decode_transaction_value(std::int16_t type, Bytes value) {
  return decode_value(type, value, decode_transaction_record_value);
}
Result<ShareRecordKey> decode_share_key(Bytes key) { return decode_key(key, decode_share_record_key); }
Result<ShareRecordValue> decode_share_value(std::int16_t type, Bytes value) {
  return decode_value(type, value, decode_share_record_value);
}

}  // namespace dohle::protocol

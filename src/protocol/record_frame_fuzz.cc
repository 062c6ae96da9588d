// Records of the metadata log and of the coordinators, as they come from a disk that may lie.
#include <algorithm>
#include <cstdint>

#include <protocol/coordinator_record.h>
#include <protocol/metadata_record.h>

using namespace dohle;            // NOLINT
using namespace dohle::protocol;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{data, size};
  if (const auto record = decode_metadata_record(bytes)) {
    Writer writer;
    encode_metadata_record(writer, record->record, record->version);
    const auto again = decode_metadata_record(writer.bytes());
    if (!again) __builtin_trap();
    // Bytes are compared, as a quota that is not a number equals nothing.
    Writer same;
    encode_metadata_record(same, again->record, again->version);
    if (!std::ranges::equal(same.bytes(), writer.bytes())) __builtin_trap();
  }
  const auto type = coordinator_record_type(bytes);
  if (!type) return 0;
  static_cast<void>(decode_group_key(bytes));
  static_cast<void>(decode_transaction_key(bytes));
  static_cast<void>(decode_share_key(bytes));
  const Bytes value = bytes.subspan(1);
  const std::int16_t small = data[0] % 32;
  static_cast<void>(decode_group_value(small, value));
  static_cast<void>(decode_transaction_value(small, value));
  static_cast<void>(decode_share_value(small, value));
  return 0;
}

// The value of a record in __cluster_metadata: frame version, record type and record version as unsigned varints, then
// the record itself (KIP-631).
#pragma once

#include <base/bytes.h>
#include <protocol/metadata_records.h>
#include <protocol/writer.h>

namespace dohle::protocol {

inline constexpr std::uint32_t kMetadataFrameVersion = 1;

struct FramedMetadataRecord {
  MetadataRecord record;  // views `value`
  std::int16_t version = 0;
};

// kUnsupported for a frame, type or version from the future; kMalformed for what does not parse or leaves a rest.
[[nodiscard]] Result<FramedMetadataRecord> decode_metadata_record(Bytes value);

// Writes the frame and the record. `version` must lie in the record's range.
void encode_metadata_frame(Writer& writer, std::int16_t type, std::int16_t version);
template <typename Record>
  requires requires { Record::kType; }
void encode_metadata_record(Writer& writer, const Record& record, std::int16_t version) {
  encode_metadata_frame(writer, Record::kType, version);
  record.encode(writer, version);
}
void encode_metadata_record(Writer& writer, const MetadataRecord& record, std::int16_t version);

}  // namespace dohle::protocol

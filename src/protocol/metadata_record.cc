#include <protocol/metadata_record.h>

#include <string>

#include <base/reader.h>

namespace dohle::protocol {

Result<FramedMetadataRecord> decode_metadata_record(Bytes value) {
  Reader reader(value);
  const std::uint32_t frame = reader.read_uvarint();
  const std::uint32_t type = reader.read_uvarint();
  const std::uint32_t version = reader.read_uvarint();
  if (!reader.ok()) return fail(Errc::kMalformed, "metadata record without a whole frame");
  if (frame != kMetadataFrameVersion) {
    return fail(Errc::kUnsupported, "metadata record with frame version " + std::to_string(frame));
  }
  if (type > INT16_MAX || version > INT16_MAX) return fail(Errc::kMalformed, "metadata record with an impossible type");
  FramedMetadataRecord out;
  out.version = static_cast<std::int16_t>(version);
  DOHLE_ASSIGN(out.record, decode_metadata_record(static_cast<std::int16_t>(type), reader, out.version));
  if (reader.remaining() != 0) {
    return fail(Errc::kMalformed,
                std::to_string(reader.remaining()) + " bytes after a metadata record of type " + std::to_string(type));
  }
  return out;
}

void encode_metadata_frame(Writer& writer, std::int16_t type, std::int16_t version) {
  writer.write_uvarint(kMetadataFrameVersion);
  writer.write_uvarint(static_cast<std::uint32_t>(type));
  writer.write_uvarint(static_cast<std::uint32_t>(version));
}

void encode_metadata_record(Writer& writer, const MetadataRecord& record, std::int16_t version) {
  std::visit([&](const auto& one) { encode_metadata_record(writer, one, version); }, record);
}

}  // namespace dohle::protocol

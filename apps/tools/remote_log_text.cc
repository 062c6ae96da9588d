// The records of __remote_log_metadata as text, in the form in which Java shows them.
#include <array>

#include <base/reader.h>
#include <fmt/core.h>
#include <protocol/messages/remote_log_segment_metadata_record.h>
#include <protocol/messages/remote_log_segment_metadata_update_record.h>
#include <protocol/messages/remote_partition_delete_metadata_record.h>

#include "record_decoders.h"

namespace dohle::app {

namespace {

using protocol::RemoteLogSegmentMetadataRecord;
using protocol::RemoteLogSegmentMetadataUpdateRecord;
using protocol::RemotePartitionDeleteMetadataRecord;

constexpr std::array<std::string_view, 4> kSegmentStates = {"COPY_SEGMENT_STARTED", "COPY_SEGMENT_FINISHED",
                                                            "DELETE_SEGMENT_STARTED", "DELETE_SEGMENT_FINISHED"};
constexpr std::array<std::string_view, 3> kDeleteStates = {"DELETE_PARTITION_MARKED", "DELETE_PARTITION_STARTED",
                                                           "DELETE_PARTITION_FINISHED"};

template <std::size_t N>
std::string_view name_in(const std::array<std::string_view, N>& names, std::int8_t state) {
  return state >= 0 && static_cast<std::size_t>(state) < N ? names[static_cast<std::size_t>(state)] : "null";
}

template <typename Partition>
std::string partition_text(const Partition& partition) {
  return fmt::format("{}:{}-{}", partition.id.to_string(), partition.name.get(), partition.partition);
}

template <typename Segment>
std::string segment_text(const Segment& segment) {
  return fmt::format("RemoteLogSegmentId{{topicIdPartition={}, id={}}}", partition_text(segment.topic_id_partition),
                     segment.id.to_string());
}

std::string custom_text(const std::optional<Blob>& custom) {
  return custom ? fmt::format("Optional[CustomMetadata{{{} bytes}}]", custom->size()) : "Optional.empty";
}

std::string text_of(const RemoteLogSegmentMetadataRecord& record) {
  std::vector<std::string> epochs;
  for (const auto& epoch : record.segment_leader_epochs) {
    epochs.push_back(fmt::format("{}={}", epoch.leader_epoch, epoch.offset));
  }
  return fmt::format(
      "RemoteLogSegmentMetadata{{remoteLogSegmentId={}, startOffset={}, endOffset={}, brokerId={}, maxTimestampMs={}, "
      "eventTimestampMs={}, segmentLeaderEpochs={{{}}}, segmentSizeInBytes={}, customMetadata={}, state={}, "
      "txnIdxEmpty={}}}",
      segment_text(record.remote_log_segment_id), record.start_offset, record.end_offset, record.broker_id,
      record.max_timestamp_ms, record.event_timestamp_ms, join(epochs, ", "), record.segment_size_in_bytes,
      custom_text(record.custom_metadata), name_in(kSegmentStates, record.remote_log_segment_state),
      record.txn_index_empty);
}

std::string text_of(const RemoteLogSegmentMetadataUpdateRecord& record) {
  return fmt::format(
      "RemoteLogSegmentMetadataUpdate{{remoteLogSegmentId={}, customMetadata={}, state={}, eventTimestampMs={}, "
      "brokerId={}}}",
      segment_text(record.remote_log_segment_id), custom_text(record.custom_metadata),
      name_in(kSegmentStates, record.remote_log_segment_state), record.event_timestamp_ms, record.broker_id);
}

std::string text_of(const RemotePartitionDeleteMetadataRecord& record) {
  return fmt::format("RemotePartitionDeleteMetadata{{topicPartition={}, state={}, eventTimestampMs={}, brokerId={}}}",
                     partition_text(record.topic_id_partition),
                     name_in(kDeleteStates, record.remote_partition_delete_state), record.event_timestamp_ms,
                     record.broker_id);
}

template <typename Record>
Result<std::string> decode_as(Reader& reader, std::uint32_t version) {
  DOHLE_ASSIGN(const auto record, Record::decode(reader, static_cast<std::int16_t>(version)));
  return text_of(record);
}

// Framed as the records of __cluster_metadata are.
Result<std::string> decode_framed(Bytes value) {
  Reader reader(value);
  const std::uint32_t frame = reader.read_uvarint();
  const std::uint32_t type = reader.read_uvarint();
  const std::uint32_t version = reader.read_uvarint();
  if (!reader.ok() || version > INT16_MAX) return fail(Errc::kMalformed, "a record without a whole frame");
  if (frame == 1) {
    if (type == RemoteLogSegmentMetadataRecord::kType)
      return decode_as<RemoteLogSegmentMetadataRecord>(reader, version);
    if (type == RemoteLogSegmentMetadataUpdateRecord::kType) {
      return decode_as<RemoteLogSegmentMetadataUpdateRecord>(reader, version);
    }
    if (type == RemotePartitionDeleteMetadataRecord::kType) {
      return decode_as<RemotePartitionDeleteMetadataRecord>(reader, version);
    }
  }
  return fail(Errc::kUnsupported, fmt::format("frame version {} with a record of type {} is not known", frame, type));
}

}  // namespace

RecordDecoder remote_log_metadata_decoder() {
  return [](const records::RecordView& record) -> Checked<DecodedRecord> {
    const auto text = record.value ? decode_framed(*record.value) : fail(Errc::kMalformed, "the record has no value");
    if (text) return DecodedRecord{std::nullopt, *text};
    return DecodedRecord{std::nullopt,
                         fmt::format("Error at offset {}, skipping. {}", record.offset.value(), text.error().message)};
  };
}

}  // namespace dohle::app

#include "control_records.h"

#include <base/reader.h>
#include <protocol/messages/kraft_version_record.h>
#include <protocol/messages/leader_change_message.h>
#include <protocol/messages/snapshot_footer_record.h>
#include <protocol/messages/snapshot_header_record.h>
#include <records/builder.h>
#include <records/reader.h>

namespace dohle::raft {

using records::ControlType;

ControlRecord leader_change_record(std::int32_t leader, std::span<const std::int32_t> voters,
                                   std::span<const std::int32_t> granting) {
  protocol::LeaderChangeMessage message;
  message.leader_id = leader;
  for (const std::int32_t id : voters) message.voters.emplace_back().voter_id = id;
  for (const std::int32_t id : granting) message.granting_voters.emplace_back().voter_id = id;
  return {ControlType::kLeaderChange, encode_body(message, 0)};
}

ControlRecord kraft_version_record(std::int16_t version) {
  protocol::KRaftVersionRecord message;
  message.kraft_version = version;
  return {ControlType::kKraftVersion, encode_body(message, 0)};
}

ControlRecord voters_record(const VoterSet& voters) { return {ControlType::kKraftVoters, voters.encode()}; }

ControlRecord snapshot_header_record(std::int64_t last_contained_log_timestamp_ms) {
  protocol::SnapshotHeaderRecord message;
  message.last_contained_log_timestamp = last_contained_log_timestamp_ms;
  return {ControlType::kSnapshotHeader, encode_body(message, 0)};
}

ControlRecord snapshot_footer_record() {
  return {ControlType::kSnapshotFooter, encode_body(protocol::SnapshotFooterRecord(), 0)};
}

Slice control_batch(Offset base, LeaderEpoch epoch, std::int64_t now_ms, std::span<const ControlRecord> records) {
  records::BatchBuilder builder({.base_offset = base, .control = true, .leader_epoch = epoch});
  for (const ControlRecord& record : records) builder.append_control(now_ms, record.type, record.body);
  return builder.build();
}

Slice data_batch(Offset base, LeaderEpoch epoch, std::int64_t now_ms,
                 std::span<const std::vector<std::uint8_t>> framed) {
  records::BatchBuilder builder({.base_offset = base, .leader_epoch = epoch});
  for (const auto& record : framed) builder.append(now_ms, std::nullopt, Bytes(record));
  return builder.build();
}

Result<std::vector<ControlContent>> read_control_batch(const records::BatchView& batch) {
  std::vector<ControlContent> out;
  DOHLE_TRY(records::for_each(batch, [&out](const records::RecordView& record) -> Result<> {
    if (!record.key || !record.value) return fail(Errc::kInvalidRecord, "a control record without key or value");
    DOHLE_ASSIGN(const ControlType type, records::decode_control_key(*record.key));
    ControlContent& content = out.emplace_back();
    content.offset = record.offset;
    Reader reader(*record.value);
    if (type == ControlType::kKraftVoters) {
      DOHLE_ASSIGN(content.voters, VoterSet::decode(*record.value));
    } else if (type == ControlType::kKraftVersion) {
      DOHLE_ASSIGN(const auto message, protocol::KRaftVersionRecord::decode(reader, 0));
      content.kraft_version = message.kraft_version;
    } else if (type == ControlType::kSnapshotHeader) {
      DOHLE_ASSIGN(const auto message, protocol::SnapshotHeaderRecord::decode(reader, 0));
      content.header_last_contained_timestamp_ms = message.last_contained_log_timestamp;
    } else if (type == ControlType::kSnapshotFooter) {
      content.footer = true;
    }
    return {};
  }));
  return out;
}

Result<FramedRecords> read_data_batch(const records::BatchView& batch) {
  constexpr std::size_t kMaxBytes = 64U << 20U;
  FramedRecords out;
  std::size_t total = 0;
  DOHLE_TRY(records::for_each(batch,
                              [&](const records::RecordView& record) -> Result<> {
                                if (!record.value) return fail(Errc::kCorrupt, "a metadata record has no value");
                                total += record.value->size();
                                if (total > kMaxBytes)
                                  return fail(Errc::kCorrupt, "a metadata batch is larger than any that is written");
                                if (batch.is_compressed()) {  // the reader's bytes do not outlive the record
                                  out.kept.emplace_back(record.value->begin(), record.value->end());
                                  out.records.emplace_back(out.kept.back());
                                } else {
                                  out.records.push_back(*record.value);
                                }
                                return {};
                              },
                              nullptr, {.max_record_bytes = kMaxBytes}));
  return out;
}

}  // namespace dohle::raft

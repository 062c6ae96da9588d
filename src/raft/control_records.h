// Raft's own records: what control batches of the metadata log and of snapshots hold.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include <base/buffer.h>
#include <protocol/writer.h>
#include <raft/replica_key.h>
#include <raft/voter_set.h>
#include <records/batch.h>
#include <records/control.h>

namespace dohle::raft {

// The body of a generated message, without header.
template <typename Message>
[[nodiscard]] std::vector<std::uint8_t> encode_body(const Message& message, std::int16_t version) {
  protocol::Writer writer;
  message.encode(writer, version);
  const Bytes bytes = writer.bytes();
  return {bytes.begin(), bytes.end()};
}

struct ControlRecord {
  records::ControlType type = records::ControlType::kUnknown;
  std::vector<std::uint8_t> body;
};

[[nodiscard]] ControlRecord leader_change_record(std::int32_t leader, std::span<const std::int32_t> voters,
                                                 std::span<const std::int32_t> granting);
[[nodiscard]] ControlRecord kraft_version_record(std::int16_t version);
[[nodiscard]] ControlRecord voters_record(const VoterSet& voters);
[[nodiscard]] ControlRecord snapshot_header_record(std::int64_t last_contained_log_timestamp_ms);
[[nodiscard]] ControlRecord snapshot_footer_record();

// One control batch; `base` and `epoch` are in place.
[[nodiscard]] Slice control_batch(Offset base, LeaderEpoch epoch, std::int64_t now_ms,
                                  std::span<const ControlRecord> records);
// One data batch of framed records: no keys, one timestamp.
[[nodiscard]] Slice data_batch(Offset base, LeaderEpoch epoch, std::int64_t now_ms,
                               std::span<const std::vector<std::uint8_t>> framed);

// What a control record that was read says; kinds of no interest here leave everything empty.
struct ControlContent {
  Offset offset{0};
  std::optional<VoterSet> voters;
  std::optional<std::int16_t> kraft_version;
  std::optional<std::int64_t> header_last_contained_timestamp_ms;
  bool footer = false;
};
[[nodiscard]] Result<std::vector<ControlContent>> read_control_batch(const records::BatchView& batch);

// The framed records of a data batch: views of it, or of `kept` where it is compressed. kCorrupt for a record without a
// value, or when they take more than any batch that raft writes.
struct FramedRecords {
  std::vector<Bytes> records;
  std::deque<std::vector<std::uint8_t>> kept;
};
[[nodiscard]] Result<FramedRecords> read_data_batch(const records::BatchView& batch);

}  // namespace dohle::raft

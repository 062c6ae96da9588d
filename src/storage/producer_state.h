// What a log knows of its idempotent and transactional producers: the last five batches of each, its epoch, its open
// transaction. Pure state; producer_snapshot.h is its form on disk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <records/batch.h>
#include <storage/log.h>

#include "transaction_index.h"

namespace dohle::storage {

struct ProducerBatch {
  std::int32_t last_sequence = -1;
  Offset last_offset = kNoOffset;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp = -1;
  [[nodiscard]] static ProducerBatch of(const records::BatchView& batch);
  [[nodiscard]] std::int32_t first_sequence() const;
  [[nodiscard]] Offset first_offset() const { return last_offset - offset_delta; }
};

// One producer. Cheap to copy: an append works on a copy and stores it after the write.
class ProducerEntry {
 public:
  static constexpr std::size_t kBatches = 5;

  std::int16_t epoch = records::kNoProducerEpoch;
  std::int32_t coordinator_epoch = -1;
  std::int64_t last_timestamp = -1;
  std::optional<Offset> txn_first_offset;

  [[nodiscard]] bool has_batches() const { return count_ > 0; }
  [[nodiscard]] const ProducerBatch& last() const { return batches_[count_ - 1]; }
  // The batch of exactly these sequence numbers, if it is among the last five of `batch_epoch`.
  [[nodiscard]] const ProducerBatch* find_duplicate(std::int16_t batch_epoch, std::int32_t first_sequence,
                                                    std::int32_t last_sequence) const;
  void add(std::int16_t batch_epoch, const ProducerBatch& batch);
  // Takes the batches of `read`, which the log told, if they end with the one that is known here: a snapshot holds no
  // more than the last batch of a producer.
  void recall(const ProducerEntry& read);
  // A new epoch forgets the batches of the old one.
  void set_epoch(std::int16_t new_epoch);

 private:
  std::array<ProducerBatch, kBatches> batches_;  // oldest first
  std::uint8_t count_ = 0;
};

[[nodiscard]] ProducerInfo describe_producer(ProducerId id, const ProducerEntry& entry);

struct CompletedTxn {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;
  bool aborted = false;
};

// The effect of one append on the producers, decided before the write and applied after it.
struct ProducerUpdate {
  std::map<ProducerId, ProducerEntry> entries;
  std::map<Offset, ProducerId> started;  // transactions, by first offset
  std::vector<CompletedTxn> completed;
};

class ProducerState {
 public:
  explicit ProducerState(std::int64_t expiration_ms) : expiration_ms_(expiration_ms) {}

  [[nodiscard]] const ProducerEntry* find(ProducerId id) const;
  [[nodiscard]] const std::map<ProducerId, ProducerEntry>& producers() const { return producers_; }

  // Checks one batch against the state and the batches before it, and notes it in `update`. From kClient: sequence
  // numbers and epoch; from kReplication: nothing, the leader has checked.
  // kOutOfOrderSequence, kInvalidProducerEpoch, kInvalidRecord.
  [[nodiscard]] Result<> prepare(const records::BatchView& batch, AppendOrigin origin, ProducerUpdate& update) const;
  void apply(const ProducerUpdate& update);
  // Where the log's last stable offset will stand once `txn` is complete; call before complete().
  [[nodiscard]] Offset last_stable_offset(const CompletedTxn& txn) const;
  void complete(const CompletedTxn& txn);

  // The first offset of an open transaction, or of one whose end is above the high watermark.
  [[nodiscard]] std::optional<Offset> first_unstable_offset() const;
  void on_high_watermark(Offset high_watermark);
  void on_log_start(Offset log_start);

  // State reflects everything below this offset.
  [[nodiscard]] Offset end() const { return end_; }
  void set_end(Offset end) { end_ = end; }
  void clear();
  // Completes the windows of loaded producers with what the log tells of the time before end(). Nothing else changes.
  void recall(const std::map<ProducerId, ProducerEntry>& read);
  // Leaves out what has expired by `now_ms`.
  void load(const std::map<ProducerId, ProducerEntry>& producers, Offset end, std::int64_t now_ms);
  // `now_ms`: wall clock. Producers with an open transaction stay.
  void remove_expired(std::int64_t now_ms);
  [[nodiscard]] bool empty() const { return producers_.empty() && unreplicated_.empty(); }

 private:
  [[nodiscard]] Result<> prepare_data(const records::BatchView& batch, AppendOrigin origin, ProducerEntry& entry,
                                      ProducerUpdate& update) const;
  [[nodiscard]] Result<> prepare_marker(const records::BatchView& batch, AppendOrigin origin, ProducerEntry& entry,
                                        ProducerUpdate& update) const;
  [[nodiscard]] bool expired(const ProducerEntry& entry, std::int64_t now_ms) const;

  std::int64_t expiration_ms_;
  std::map<ProducerId, ProducerEntry> producers_;
  std::map<Offset, ProducerId> ongoing_;  // open transactions by first offset
  struct Ended {
    ProducerId producer_id;
    Offset last_offset;
  };
  std::map<Offset, Ended> unreplicated_;  // ended, but the marker is not below the high watermark yet
  Offset end_{0};
};

}  // namespace dohle::storage

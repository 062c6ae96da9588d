// FetchedRecords: what one fetch brought for one partition, read record by record. Skips what a consumer does not get:
// records before its position, control records, and with read_committed those of aborted transactions.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <client/consumer.h>
#include <records/batch.h>
#include <records/reader.h>

namespace dohle::client {

struct AbortedTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = 0;
};

class FetchedRecords {
 public:
  // `records` lies in `frame`. Aborted transactions count only with `read_committed`.
  FetchedRecords(TopicPartition partition, Slice frame, Bytes records, std::int64_t position,
                 std::vector<AbortedTransaction> aborted, IsolationLevel isolation, bool check_crcs);

  [[nodiscard]] const TopicPartition& partition() const { return partition_; }
  // The offset after the last record given or skipped.
  [[nodiscard]] std::int64_t position() const { return position_; }
  [[nodiscard]] std::int32_t leader_epoch() const { return leader_epoch_; }
  [[nodiscard]] bool exhausted() const { return exhausted_; }

  // Moves up to `max_records` into `out`. On an error the position is that of the bad record.
  [[nodiscard]] Answer<> take(std::size_t max_records, ConsumerRecords& out);

 private:
  [[nodiscard]] Answer<bool> next_batch();
  [[nodiscard]] Answer<bool> next_record();
  [[nodiscard]] bool is_aborted(const records::BatchView& batch);
  void end_batch();
  [[nodiscard]] std::unexpected<KafkaError> corrupt(const Error& error) const;

  TopicPartition partition_;
  Slice frame_;
  records::BatchCursor cursor_;
  std::int64_t position_;
  std::int32_t leader_epoch_ = -1;
  std::vector<AbortedTransaction> aborted_;  // by first offset, descending: the next one is last
  std::set<std::int64_t> aborted_producers_;
  IsolationLevel isolation_;
  bool check_crcs_;
  std::optional<records::BatchView> batch_;
  std::optional<records::RecordReader> reader_;
  records::Decompressor decompressor_;
  bool exhausted_ = false;
};

}  // namespace dohle::client

// Accumulator: what a producer holds: records gathered into batches by partition, the batches under way, and the
// sequence numbers that keep order over retries. Sans-I/O: time comes in as an argument.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/buffer.h>
#include <base/ids.h>
#include <client/producer.h>
#include <client/producer_config.h>
#include <records/builder.h>

namespace dohle::client {

struct ProducerBatch {
  TopicPartition partition;
  std::optional<records::BatchBuilder> builder;  // until it is sent first
  std::vector<Producer::Callback> callbacks;     // one a record, in order
  std::vector<std::int64_t> timestamps_ms;
  std::size_t charged_bytes = 0;
  std::int64_t created_ms = 0;
  bool closed = false;  // takes no more records
  int attempts = 0;
  std::int64_t not_before_ms = 0;
  std::optional<std::int32_t> base_sequence;
  Slice bytes;
  std::uint64_t ordinal = 0;  // its place among all batches of the producer

  [[nodiscard]] std::int32_t record_count() const { return static_cast<std::int32_t>(callbacks.size()); }
};
using BatchPtr = std::unique_ptr<ProducerBatch>;

class Accumulator {
 public:
  explicit Accumulator(const ProducerConfig& config) : config_(&config) {}

  // Bytes that a record is charged with; 0 is always taken when nothing is held.
  [[nodiscard]] static std::size_t charge_of(const ProducerRecord& record);
  [[nodiscard]] bool has_room(std::size_t bytes) const {
    return held_bytes_ == 0 || held_bytes_ + bytes <= config_->buffer_memory;
  }
  // Returns whether this closed a batch before it.
  bool append(const TopicPartition& partition, const ProducerRecord& record, std::int64_t timestamp_ms,
              std::int64_t now_ms, Producer::Callback callback);

  // The next batch of a partition that is due, or nothing. It counts as under way until settled, retried or failed.
  // `hurry`: do not linger.
  [[nodiscard]] BatchPtr take(const TopicPartition& partition, std::int64_t now_ms, bool hurry);
  // Partitions with a batch waiting, due or not.
  [[nodiscard]] std::vector<TopicPartition> waiting() const;
  // When the first waiting batch is due or expires; a large number when there is none.
  [[nodiscard]] std::int64_t next_event_ms(std::int64_t now_ms) const;

  void settle(BatchPtr batch, std::int64_t base_offset, std::int64_t log_append_time_ms);
  void fail(BatchPtr batch, const KafkaError& error);
  // Puts it back in its place: before what was numbered later.
  void retry(BatchPtr batch, std::int64_t not_before_ms);
  // Whether no earlier batch of its partition is without an answer.
  [[nodiscard]] bool is_oldest_unsettled(const ProducerBatch& batch) const;
  // Fails waiting batches that are older than delivery.timeout.ms. True when one of them had been numbered: its
  // sequence numbers are spent, and a new producer id is needed.
  [[nodiscard]] bool expire(std::int64_t now_ms);
  void fail_all_waiting(const KafkaError& error);

  // Whether new batches can be numbered.
  [[nodiscard]] bool has_producer_id() const { return producer_id_.value() >= 0 && !retiring_; }
  // Numbering begins anew everywhere. Nothing may be numbered and unsettled.
  void set_producer_id(ProducerId id, std::int16_t epoch);
  // Nothing is numbered under this id any more. What has been, may have been stored: it is sent as it is until a broker
  // has said what became of it, and only then a new id may be set.
  void retire_producer_id() { retiring_ = true; }
  [[nodiscard]] bool is_retiring() const { return retiring_; }
  [[nodiscard]] bool has_numbered() const;
  // Puts back a batch that was surely not stored, to be numbered under the next id.
  void renumber(BatchPtr batch);

  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  [[nodiscard]] std::size_t unsettled() const { return unsettled_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }

 private:
  struct Queue {
    std::deque<BatchPtr> waiting;
    std::vector<std::int32_t> under_way;  // base sequences, in the order of sending
    std::int32_t next_sequence = 0;
  };
  [[nodiscard]] bool is_due(const ProducerBatch& batch, bool alone, std::int64_t now_ms, bool hurry) const;
  [[nodiscard]] bool is_full(const ProducerBatch& batch, std::size_t more) const;
  void number(ProducerBatch& batch, Queue& queue) const;
  void finish(ProducerBatch& batch);
  void leave(const ProducerBatch& batch);
  void put_back(BatchPtr batch);

  const ProducerConfig* config_;
  std::map<TopicPartition, Queue> queues_;
  std::size_t held_bytes_ = 0;
  std::size_t under_way_ = 0;
  std::size_t unsettled_ = 0;
  double compression_ratio_ = 1.0;  // of recent batches
  std::uint64_t next_ordinal_ = 0;
  bool retiring_ = false;
  ProducerId producer_id_ = kNoProducerId;
  std::int16_t producer_epoch_ = -1;
};

}  // namespace dohle::client

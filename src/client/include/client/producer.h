// Producer: records in, offsets out. Batches by partition, compresses, keeps order and exactly-once per partition over
// retries (idempotence). Lives on its cluster's shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <base/bytes.h>
#include <base/ids.h>
#include <client/cluster.h>
#include <client/kafka_error.h>
#include <client/producer_config.h>
#include <records/record.h>
#include <runtime/task.h>

namespace dohle::client {

// Views; the producer has copied what it needs when send() is done.
struct ProducerRecord {
  std::string_view topic;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> timestamp_ms;  // absent: now
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::span<const records::Header> headers;
};

// Where a record went. Offset -1: the broker did not say (acks=0, or a duplicate whose offset it has forgotten).
struct RecordMetadata {
  TopicPartition partition;
  std::int64_t offset = -1;
  std::int64_t timestamp_ms = -1;
};

class Producer {
 public:
  using Callback = std::move_only_function<void(const Answer<RecordMetadata>&)>;

  // `cluster` outlives the producer. Starts its sender.
  Producer(Cluster& cluster, ProducerConfig config);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Takes a record in: waits for metadata and for room, max.block.ms in all; then the record is on its way, and
  // `callback` is told its fate, once, within delivery.timeout.ms. A failure here means the record was not taken and
  // the callback will not be called. Records of one partition keep the order of their send() calls.
  [[nodiscard]] runtime::Task<Answer<>> send(ProducerRecord record, Callback callback = {});
  // The same, and waits for the record's fate.
  [[nodiscard]] runtime::Task<Answer<RecordMetadata>> send_and_wait(ProducerRecord record);
  // Sends what has gathered without lingering; done when everything sent before has its fate.
  [[nodiscard]] runtime::Task<void> flush();
  // Flushes for at most `timeout_ms`, then gives up what is left, and stops. Must be awaited before destruction.
  [[nodiscard]] runtime::Task<void> close(std::int64_t timeout_ms = INT64_MAX);

  // Records taken whose fate is not known yet.
  [[nodiscard]] std::size_t unsettled() const;
  [[nodiscard]] std::size_t buffered_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dohle::client

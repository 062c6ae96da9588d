// Consumer: reads partitions, alone or as a member of a classic group. Lives on its cluster's shard; one caller at a
// time. Whoever is in a group calls poll() at least every max.poll.interval.ms.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.h>
#include <base/ids.h>
#include <client/admin.h>
#include <client/cluster.h>
#include <client/consumer_config.h>
#include <client/kafka_error.h>
#include <records/record.h>
#include <runtime/task.h>

namespace dohle::client {

// Views of the ConsumerRecords it is part of.
struct ConsumerRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = -1;
  records::TimestampType timestamp_type = records::TimestampType::kCreateTime;
  std::int32_t leader_epoch = -1;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::span<const records::Header> headers;
};

// What one poll() gave, with the memory its records lie in. Partition by partition, in the order of offsets.
class ConsumerRecords {
 public:
  ConsumerRecords() = default;
  ConsumerRecords(ConsumerRecords&&) = default;
  ConsumerRecords& operator=(ConsumerRecords&&) = default;

  [[nodiscard]] bool empty() const { return records_.empty(); }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] auto begin() const { return records_.begin(); }
  [[nodiscard]] auto end() const { return records_.end(); }
  [[nodiscard]] const ConsumerRecord& operator[](std::size_t index) const { return records_[index]; }

  // Copies a record in.
  void add(std::string_view topic, std::int32_t partition, std::int32_t leader_epoch,
           const records::RecordView& record);

 private:
  [[nodiscard]] Bytes keep(Bytes bytes);
  [[nodiscard]] std::string_view keep_topic(std::string_view topic);

  std::vector<ConsumerRecord> records_;
  std::deque<std::vector<std::uint8_t>> blocks_;
  std::deque<std::vector<records::Header>> headers_;
  std::deque<std::string> topics_;
};

struct ConsumerPosition {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
};

// Told of changes of a group member's assignment, inside poll() and close().
struct RebalanceListener {
  std::function<void(const std::vector<TopicPartition>&)> assigned = [](const auto&) {};
  // Still owned: offsets may be committed. Not awaited.
  std::function<void(const std::vector<TopicPartition>&)> revoked = [](const auto&) {};
  // No longer owned: the group has moved on without this member.
  std::function<void(const std::vector<TopicPartition>&)> lost = [](const auto&) {};
};

using Offsets = std::map<TopicPartition, CommittedOffset>;

class Consumer {
 public:
  // `cluster` outlives the consumer.
  Consumer(Cluster& cluster, ConsumerConfig config);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Joins the group for these topics, or for all whose name `matches`; replaces what was subscribed before. Needs
  // group.id.
  void subscribe(std::vector<std::string> topics, RebalanceListener listener = {});
  void subscribe(std::function<bool(std::string_view)> matches, RebalanceListener listener = {});
  // Without a group's help: exactly these. Replaces what was assigned before; known positions are kept.
  void assign(std::vector<TopicPartition> partitions);
  [[nodiscard]] runtime::Task<void> unsubscribe();
  [[nodiscard]] std::vector<TopicPartition> assignment() const;

  // Up to max.poll.records; waits at most `timeout_ms` for the first. Fails with what the caller must decide: no offset
  // to begin at (kOffsetOutOfRange), no permission, a fenced or refused member, a corrupt record (kCorruptMessage; the
  // position stays before it).
  [[nodiscard]] runtime::Task<Answer<ConsumerRecords>> poll(std::int64_t timeout_ms);
  // Makes a waiting poll() return at once, empty.
  void wakeup();

  void seek(const TopicPartition& partition, std::int64_t offset);
  void seek_to_beginning(const std::vector<TopicPartition>& partitions);  // none named: all assigned
  void seek_to_end(const std::vector<TopicPartition>& partitions);
  // The offset of the next record; asks where needed.
  [[nodiscard]] runtime::Task<Answer<std::int64_t>> position(TopicPartition partition, std::int64_t timeout_ms);
  void pause(const std::vector<TopicPartition>& partitions);
  void resume(const std::vector<TopicPartition>& partitions);
  [[nodiscard]] std::vector<TopicPartition> paused() const;
  // Records behind the last one that poll() gave, as of the last fetch; nothing before there was one.
  [[nodiscard]] std::optional<std::int64_t> lag(const TopicPartition& partition) const;

  // The positions of all assigned partitions, or these offsets. Repeats for default.api.timeout.ms. A member that the
  // group no longer counts gets kUnknownMemberId, kIllegalGeneration or kRebalanceInProgress.
  [[nodiscard]] runtime::Task<Answer<>> commit();
  [[nodiscard]] runtime::Task<Answer<>> commit(Offsets offsets);
  [[nodiscard]] runtime::Task<Answer<PerPartition<CommittedOffset>>> committed(std::vector<TopicPartition> partitions);
  [[nodiscard]] runtime::Task<PerPartition<ListedOffset>> offsets_for(
      std::map<TopicPartition, std::int64_t> timestamps);

  struct Membership {
    std::string member_id;
    std::int32_t generation = -1;
    std::string protocol;
  };
  [[nodiscard]] Membership membership() const;

  // Commits (with auto commit), leaves the group, stops. Must be awaited before destruction.
  [[nodiscard]] runtime::Task<void> close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dohle::client

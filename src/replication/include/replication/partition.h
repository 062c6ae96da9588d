// Partition: one replica as its leader sees it: appends, the high watermark, who waits for it, reads. It belongs to one
// shard, the one its log lives on.
//
// The high watermark follows the in-sync set. Where acknowledgements wait for the disk (flush.messages=1) the leader
// counts itself with its flushed end, and a pump keeps one commit of the log in flight while there is something to
// flush.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/check.h>
#include <base/ids.h>
#include <base/result.h>
#include <replication/in_sync_set.h>
#include <replication/offset_waiters.h>
#include <runtime/executor.h>
#include <runtime/sync.h>
#include <storage/log.h>

namespace dohle::replication {

// What the controller decided, as far as a leader needs it.
struct Leadership {
  LeaderEpoch epoch{0};
  std::int32_t partition_epoch = 0;
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> isr;
};

enum class Isolation : std::uint8_t { kReadUncommitted, kReadCommitted };

struct ReadRequest {
  Offset from{0};
  std::uint32_t max_bytes = 0;
  bool min_one_batch = false;
  Isolation isolation = Isolation::kReadUncommitted;
  LeaderEpoch current_leader_epoch = kNoLeaderEpoch;  // as the client believes; none: not checked (KIP-320)
  LeaderEpoch last_fetched_epoch = kNoLeaderEpoch;    // none: no check for divergence (KIP-595)
};

struct PartitionRead {
  runtime::Fragments records;
  std::uint64_t bytes = 0;
  Offset high_watermark = kNoOffset;
  Offset last_stable_offset = kNoOffset;
  Offset log_start = kNoOffset;
  std::optional<storage::EpochEndOffset> diverging;  // the client's log parts from ours here
};

class Partition final : public std::enable_shared_from_this<Partition> {
 public:
  // `log` outlives the partition's last use of it, which is the end of close().
  Partition(TopicIdPartition id, std::string topic, BrokerId self, storage::Log& log);
  ~Partition() { DOHLE_CHECK(watches_ == nullptr); }
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  [[nodiscard]] const TopicIdPartition& id() const { return id_; }
  [[nodiscard]] const std::string& topic() const { return topic_; }
  [[nodiscard]] storage::Log& log() { return *log_; }

  // Leads from now on, or goes on leading with a new in-sync set. A new epoch is noted in the log's epoch cache.
  [[nodiscard]] Result<> lead(Leadership leadership);
  // Leads no longer; all who wait get kNotLeader.
  void stop_leading();
  [[nodiscard]] bool is_leader() const { return leading_; }
  [[nodiscard]] LeaderEpoch leader_epoch() const { return epoch_; }
  // kNotLeader; kFencedEpoch or kUnknownEpoch when the client's epoch is older or newer than ours.
  [[nodiscard]] Result<> check_leader(LeaderEpoch client_epoch) const;
  // The log's configuration has changed: flush.messages and min.insync.replicas decide the high watermark.
  void on_config_changed() { start_flush_pump(), advance_high_watermark(); }
  // The log's directory has failed: everything waiting and to come gets kStorage.
  void fail_storage(const Error& error);
  [[nodiscard]] bool has_failed() const { return failed_.has_value(); }

  // `wait_for_all`: acks=all, refused with kNotEnoughReplicas when the in-sync set is too small.
  [[nodiscard]] std::expected<storage::AppendInfo, storage::AppendFailure> append(Slice records, bool wait_for_all,
                                                                                  storage::AppendOptions options = {});
  // For batches that append() gave back with kWouldBlock: waits for its turn while the rest of the shard goes on.
  [[nodiscard]] runtime::Task<std::expected<storage::AppendInfo, storage::AppendFailure>> append_waiting(
      Slice records, bool wait_for_all, storage::AppendOptions options = {});
  // Nothing to wait for: the high watermark has reached `end` already.
  [[nodiscard]] bool has_reached(Offset end) const { return !failed_ && high_watermark() >= end; }
  // Completes once the high watermark has reached `end` (exclusive end of what was appended).
  [[nodiscard]] runtime::Task<Result<>> wait_high_watermark(Offset end, runtime::Duration timeout);

  [[nodiscard]] runtime::Task<Result<PartitionRead>> read(ReadRequest request);
  [[nodiscard]] Offset high_watermark() const { return log_->high_watermark(); }
  // Consumers read up to here.
  [[nodiscard]] Offset fetchable_end(Isolation isolation) const;
  // Bytes of the log that a consumer at `from` could read now: an upper estimate, for fetch.min.bytes.
  [[nodiscard]] runtime::Task<Result<std::optional<storage::TimestampOffset>>> offset_for_timestamp(
      std::int64_t timestamp, std::optional<Isolation> isolation);
  // DeleteRecords: -1 stands for the high watermark. Returns the new log start.
  [[nodiscard]] Result<Offset> delete_records_before(Offset offset);

  // Someone who waits for news of the partition. Told once, or never when it goes away first; belongs to the
  // partition's shard. A long poll has one for each of its partitions, in memory of its own.
  class Watch {
   public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    virtual ~Watch() { leave(); }

   protected:
    void leave();

   private:
    friend class Partition;
    virtual void wake() = 0;
    Partition* at_ = nullptr;  // whose list it is in
    Watch* before_ = nullptr;
    Watch* after_ = nullptr;
  };
  // Wakes it when the high watermark is or moves above `seen`, when leadership ends, or at close().
  void watch(Offset seen, Watch& watch);
  // Told of every move of the high watermark, e.g. for the coordinator that lives on this partition.
  void set_high_watermark_listener(std::function<void(Offset)> listener) { on_high_watermark_ = std::move(listener); }

  // Ends everything that waits, and waits for what is in flight. The log may go after that.
  [[nodiscard]] runtime::Task<void> close(Error reason);

 private:
  [[nodiscard]] std::optional<storage::AppendFailure> refuse_append(bool wait_for_all) const;
  void after_append() { start_flush_pump(), advance_high_watermark(); }
  void advance_high_watermark();
  void start_flush_pump();
  runtime::Task<void> flush_pump(std::shared_ptr<Partition> keep);
  void end_waits(const Error& reason);
  void wake_watchers();

  TopicIdPartition id_;
  std::string topic_;
  BrokerId self_;
  storage::Log* log_;
  InSyncSet in_sync_;
  bool leading_ = false;
  LeaderEpoch epoch_ = kNoLeaderEpoch;
  std::optional<Error> failed_;
  bool pumping_ = false;
  OffsetWaiters waiters_;
  Watch* watches_ = nullptr;  // a list, the youngest first
  std::function<void(Offset)> on_high_watermark_;
  runtime::Gate gate_;
};

}  // namespace dohle::replication

// MemoryPartition: a PartitionWriter over partitions in memory, for tests. Appends and commits can be held up and made
// to fail. One shard.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include <coordinator/partition_writer.h>
#include <runtime/future.h>

namespace dohle::coordinator {

class MemoryPartition final : public PartitionWriter {
 public:
  [[nodiscard]] runtime::Task<Result<Offset>> append(std::int32_t partition, LeaderEpoch epoch, Slice batch) override;
  [[nodiscard]] runtime::Task<Result<>> wait_committed(std::int32_t partition, Offset last) override;
  [[nodiscard]] runtime::Task<Result<Chunk>> read(std::int32_t partition, Offset from, std::size_t max_bytes) override;

  // Replaces the log by these batches, as they are.
  void set_log(std::int32_t partition, std::vector<std::uint8_t> batches);
  [[nodiscard]] const std::vector<std::uint8_t>& log(std::int32_t partition) { return logs_[partition].bytes; }
  [[nodiscard]] Offset log_end(std::int32_t partition) { return logs_[partition].end; }
  [[nodiscard]] std::size_t appended_batches() const { return appended_batches_; }

  // One append fails with this error, after `successes` more that do not.
  void fail_append(Errc error, std::size_t successes = 0) {
    failures_.insert(failures_.end(), successes, std::nullopt);
    failures_.emplace_back(error);
  }
  // While held, appends (commits, reads) wait.
  void hold_appends(bool hold) { set_hold(hold_appends_, hold); }
  void hold_commits(bool hold) { set_hold(hold_commits_, hold); }
  void hold_reads(bool hold) { set_hold(hold_reads_, hold); }
  // Waiting for commits fails from now on: leadership is lost.
  void lose_leadership();
  // Appends of older epochs are refused.
  void set_epoch(LeaderEpoch epoch) { epoch_ = epoch; }

 private:
  struct Log {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> starts;  // of the batches
    std::vector<Offset> ends;         // the offset after each
    Offset end{0};
  };
  void set_hold(bool& flag, bool hold);
  runtime::Task<void> wait_for_change();

  std::map<std::int32_t, Log> logs_;
  std::deque<std::optional<Errc>> failures_;
  std::vector<runtime::Promise<>> waiting_;
  runtime::Executor* executor_ = nullptr;
  std::size_t appended_batches_ = 0;
  bool hold_appends_ = false;
  bool hold_commits_ = false;
  bool hold_reads_ = false;
  bool leads_ = true;
  LeaderEpoch epoch_{-1};
};

}  // namespace dohle::coordinator

// FileCommitLog: commits on the directory's own thread. What arrives while it syncs is taken together afterwards: runs
// of records that are small go to the journal, with one write and one fdatasync; other files are synced each once, or
// when they are many the whole file system.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <runtime/future.h>
#include <runtime/io_thread.h>
#include <runtime/shard.h>
#include <storage/commit_log.h>

#include "directory_journal.h"

namespace dohle::storage {

class FileCommitLog final : public CommitLog {
 public:
  // One for what blocks longest, fdatasync; one for cold reads, removals and checkpoints; one for slow appends and new
  // logs, which must not wait behind either; one for the syncs behind the journal, which nobody waits for.
  struct Threads {
    std::unique_ptr<runtime::IoThread> syncs;
    std::unique_ptr<runtime::IoThread> reads;
    std::unique_ptr<runtime::IoThread> writes;
    std::unique_ptr<runtime::IoThread> checkpoints;
  };
  // `on_failure` is called on `owner`, once.
  FileCommitLog(std::string directory, runtime::FileSystem& fs, runtime::Executor& owner, Threads threads,
                std::function<void(const Error&)> on_failure);

  [[nodiscard]] runtime::Task<Result<>> commit(CommitSet set) override;
  [[nodiscard]] runtime::Task<Result<JournalGeneration>> commit_run(CommitSet set,
                                                                    std::optional<CommitRun> run) override;
  [[nodiscard]] JournalGeneration journal_cleared() const override { return journal_.cleared(); }
  // See DirectoryJournal. settle_journal() from any shard.
  [[nodiscard]] runtime::Task<void> begin_journal(std::uint64_t file_bytes) { return journal_.begin(file_bytes); }
  [[nodiscard]] runtime::Task<void> end_journal() { return journal_.end(*syncs_); }
  void settle_journal();
  [[nodiscard]] runtime::Task<Result<>> warm(runtime::FileRange range) override;
  void run_in_background(runtime::Work work) override;
  [[nodiscard]] std::string reserve_path() const;
  bool release_reserve() override;
  [[nodiscard]] bool lives_on_reserve() const override { return on_reserve_.load(std::memory_order_relaxed); }
  void note_refused() override;
  [[nodiscard]] bool refuses() const override { return refuses_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool offline() const override { return offline_.load(std::memory_order_relaxed); }
  [[nodiscard]] runtime::Task<Result<runtime::FileRef>> open(std::string path) override;
  void note_write(runtime::Duration took, runtime::MonotonicTime ended) override;
  [[nodiscard]] bool is_slow() const override { return slow_.load(std::memory_order_relaxed); }
  [[nodiscard]] runtime::IoThread& writes() override { return *writes_; }
  void report_failure(const Error& error) override;

  // The reserve of an earlier run counts from here on.
  void adopt_reserve();
  // A sixteenth of the disk.
  [[nodiscard]] static std::uint64_t most_reserve(const runtime::SpaceInfo& space);
  // Unless it is there already, or the disk has no room for it and a little more: then the directory lives on what is
  // left.
  [[nodiscard]] Result<> make_reserve(std::uint64_t bytes);
  // Off the shards, now and then: makes the reserve again, and tells when a disk that was full is not any more.
  void look_for_space(std::uint64_t reserve_bytes);
  [[nodiscard]] DirectoryCounts counts() const;
  [[nodiscard]] runtime::IoThread& background() { return *reads_; }

 private:
  struct Pending {
    CommitSet set;
    std::optional<CommitRun> run;
    runtime::Executor* home = nullptr;
    runtime::Promise<Result<JournalGeneration>> promise;
    // Of the records; where a log was cut is no place for them.
    [[nodiscard]] JournalGeneration generation() const { return run && !run->is_cut() ? run->generation : 0; }
    [[nodiscard]] bool is_done() const {
      return generation() > 0 && set.files.empty() && set.small_files.empty() && set.directories.empty();
    }
  };
  // These run on syncs_.
  void take(std::unique_ptr<Pending> pending);
  void sync_batch();
  [[nodiscard]] Result<> journal_runs();
  [[nodiscard]] Result<> sync_files();
  [[nodiscard]] Result<> sync_set(const std::vector<runtime::FileRef>& files, const std::set<std::string>& small_files,
                                  const std::vector<std::string>& directories);
  [[nodiscard]] Result<> settled(Result<> done);
  void release(std::vector<std::unique_ptr<Pending>> done, const Result<>& result);

  std::string directory_;
  runtime::FileSystem& fs_;
  runtime::Executor& owner_;
  std::shared_ptr<std::function<void(const Error&)>> on_failure_;
  std::atomic<bool> offline_{false};
  std::atomic<bool> has_reserve_{false};
  std::atomic<bool> adopted_{false};  // its blocks may not be there
  std::atomic<bool> on_reserve_{false};
  std::atomic<bool> refuses_{false};
  std::atomic<std::uint64_t> reserve_bytes_{0};  // of the reserve, while there is one
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> sync_turns_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> slow_writes_{0};
  std::atomic<bool> slow_{false};
  std::atomic<runtime::Duration> last_slow_{runtime::Duration{0}};  // when the last slow write ended
  std::atomic<std::size_t> posted_{0};                              // commits on their way to syncs_
  std::vector<std::unique_ptr<Pending>> batch_;                     // of syncs_ alone
  DirectoryJournal journal_;
  std::unique_ptr<runtime::IoThread> writes_;
  std::unique_ptr<runtime::IoThread> reads_;
  std::unique_ptr<runtime::IoThread> syncs_;
};

}  // namespace dohle::storage

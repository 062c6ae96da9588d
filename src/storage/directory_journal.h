// DirectoryJournal: the CommitJournal of a log directory and its life: taken over or made, checkpointed in the
// background, emptied at a stop. Without one, or while it has no room, everything goes to its own file.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <runtime/io_thread.h>
#include <runtime/task.h>
#include <storage/commit_journal.h>

namespace dohle::storage {

class DirectoryJournal {
 public:
  // What it asks of the directory, on any thread.
  struct Directory {
    std::function<bool()> offline;
    std::function<bool()> lives_on_reserve;
    std::function<void(const Error&)> failed;
  };
  DirectoryJournal(std::string path, runtime::FileSystem& fs, std::unique_ptr<runtime::IoThread> checkpoints,
                   Directory directory);

  // Once all logs are durable in their own files: what an earlier journal says does not count any more, and there is
  // one again. A small one at once, a larger one when two logs commit together for the first time. 0: there is none.
  // Once.
  [[nodiscard]] runtime::Task<void> begin(std::uint64_t file_bytes);
  // Before a stop, when nothing is committed any more: afterwards it holds nothing.
  [[nodiscard]] runtime::Task<void> end(runtime::IoThread& syncs);

  // On the sync thread. Those that have a generation on return are durable. Where a log was cut has one, or no journal
  // tells of it.
  [[nodiscard]] Result<> append(std::span<CommitRun* const> runs);
  // On the sync thread: brings what it holds into its own files soon, so that a recovery has less to read.
  [[nodiscard]] Result<> settle();
  // From any shard: up to this generation everything is durable in its own files.
  [[nodiscard]] JournalGeneration cleared() const;

 private:
  [[nodiscard]] Result<> take_over(std::uint64_t file_bytes);
  void make();
  void use(std::unique_ptr<CommitJournal> journal);
  void checkpoint_sealed();
  [[nodiscard]] Result<> checkpoint(const CommitJournal::Sealed& sealed);

  std::string path_;
  runtime::FileSystem& fs_;
  Directory directory_;
  std::unique_ptr<CommitJournal> opened_;
  std::atomic<CommitJournal*> journal_{nullptr};  // opened_, once it may be used
  std::atomic<std::uint64_t> to_make_{0};         // bytes of the files of one that is not there yet
  std::unique_ptr<runtime::IoThread> checkpoints_;
};

}  // namespace dohle::storage

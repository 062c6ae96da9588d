// CommitLog: the one door through which a log directory's data becomes durable. Whether files are synced one by one or
// through a journal is behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/result.h>
#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/io_thread.h>
#include <runtime/task.h>
#include <storage/commit_journal.h>

namespace dohle::storage {

struct CommitSet {
  std::vector<runtime::FileRef> files;   // synced in this order
  std::vector<std::string> small_files;  // then these, by their paths: nobody keeps them open
  std::vector<std::string> directories;  // then these: creations, renames and removals in them
};

// What a directory has done and met so far.
struct DirectoryCounts {
  std::uint64_t commits = 0;  // calls that were told their data is durable
  std::uint64_t syncs = 0;    // by so many turns of the thread that syncs
  std::uint64_t refused_appends = 0;
  std::uint64_t slow_writes = 0;  // appends that took more than kSlowWrite
  std::uint64_t reserve_bytes = 0;
};

// An append that waits longer for its files makes its directory slow.
inline constexpr runtime::Duration kSlowWrite = std::chrono::milliseconds(5);

class CommitLog {
 public:
  virtual ~CommitLog() = default;
  // Completes once everything written before the call is durable. From any shard; completes there. After the first
  // failure every call fails with kStorage: a failed fsync is never retried, and the directory is offline for good.
  [[nodiscard]] virtual runtime::Task<Result<>> commit(CommitSet set) = 0;
  // The same, and `run` with it: in its own file (0), or in the directory's journal, of the generation that is
  // returned, until journal_cleared() has reached that. The journal hears of a log that was cut before `set` is synced.
  [[nodiscard]] virtual runtime::Task<Result<JournalGeneration>> commit_run(CommitSet set,
                                                                            std::optional<CommitRun> run) = 0;
  // From any shard: what was journaled up to this generation is durable in its own files too.
  [[nodiscard]] virtual JournalGeneration journal_cleared() const = 0;
  // Reads the range so that it is in the page cache, off the shard. From any shard; completes there.
  [[nodiscard]] virtual runtime::Task<Result<>> warm(runtime::FileRange range) = 0;
  // Runs file work that may block and that nobody waits for (removals). From any shard.
  virtual void run_in_background(runtime::Work work) = 0;
  // The disk is full and this write must not fail: gives the directory's reserve back to it. False: there is none. From
  // any thread.
  virtual bool release_reserve() = 0;
  // From any shard: what is left is for groups, metadata and checkpoints; clients' appends are refused until the
  // reserve has been made again.
  [[nodiscard]] virtual bool lives_on_reserve() const = 0;
  // From any shard: a client's append found no space. The first of them is told in the log, and that there is space
  // again.
  virtual void note_refused() = 0;
  [[nodiscard]] virtual bool refuses() const = 0;
  // From any shard: the directory has failed; nothing more is read from or written to it.
  [[nodiscard]] virtual bool offline() const = 0;
  // Opens for reading and writing, off the shard. From any shard; completes there.
  [[nodiscard]] virtual runtime::Task<Result<runtime::FileRef>> open(std::string path) = 0;
  // From the thread that did it: how long the file work of an append took, and when it ended. One that took over 5 ms
  // is counted, and moves the directory's appends to writes() until that has been quick for a while.
  virtual void note_write(runtime::Duration took, runtime::MonotonicTime ended) = 0;
  // From any shard: appends belong on writes() now.
  [[nodiscard]] virtual bool is_slow() const = 0;
  // The thread for file work of appends that may block.
  [[nodiscard]] virtual runtime::IoThread& writes() = 0;
  // From any shard: an I/O error that puts the directory offline, as a failed fsync does.
  virtual void report_failure(const Error& error) = 0;
};

}  // namespace dohle::storage

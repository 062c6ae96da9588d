// CommitLog: the one door through which a log directory's data becomes durable. Whether files are synced one by one or
// through a journal is behind it.
#pragma once

#include <string>
#include <vector>

#include <base/result.h>
#include <runtime/file_system.h>
#include <runtime/task.h>

namespace dohle::storage {

struct CommitSet {
  std::vector<runtime::FileRef> files;   // synced in this order
  std::vector<std::string> directories;  // then these: creations, renames and removals in them
};

class CommitLog {
 public:
  virtual ~CommitLog() = default;
  // Completes once everything written before the call is durable. From any shard; completes there. After the first
  // failure every call fails with kStorage: a failed fsync is never retried, and the directory is offline for good.
  [[nodiscard]] virtual runtime::Task<Result<>> commit(CommitSet set) = 0;
  // Reads the range so that it is in the page cache, off the shard. From any shard; completes there.
  [[nodiscard]] virtual runtime::Task<Result<>> warm(runtime::FileRange range) = 0;
  // Runs file work that may block and that nobody waits for (removals). From any shard.
  virtual void run_in_background(runtime::Work work) = 0;
  // The disk is full and this write must not fail: gives the directory's reserve back to it. False: there is none. From
  // any shard.
  virtual bool release_reserve() = 0;
  // From any shard: the directory has failed; nothing more is read from or written to it.
  [[nodiscard]] virtual bool offline() const = 0;
  // From any shard: a write took longer than 5 ms.
  virtual void count_slow_write() = 0;
  // From any shard: an I/O error that puts the directory offline, as a failed fsync does.
  virtual void report_failure(const Error& error) = 0;
};

}  // namespace dohle::storage

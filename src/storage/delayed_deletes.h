// DelayedDeletes: files that were renamed to .deleted and go for good after file.delete.delay.ms.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <runtime/file_system.h>
#include <storage/commit_log.h>

namespace dohle::storage {

class DelayedDeletes {
 public:
  // Times are monotonic milliseconds.
  void add(std::vector<std::string> paths, std::int64_t due_ms);
  // Removes what is due, in the background.
  void run_due(std::int64_t now_ms, runtime::FileSystem& fs, CommitLog& commit_log);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  std::multimap<std::int64_t, std::string> waiting_;
};

}  // namespace dohle::storage

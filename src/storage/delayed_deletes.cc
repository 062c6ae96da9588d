#include "delayed_deletes.h"

#include <base/log.h>

namespace dohle::storage {

void DelayedDeletes::add(std::vector<std::string> paths, std::int64_t due_ms) {
  for (auto& path : paths) waiting_.emplace(due_ms, std::move(path));
}

void DelayedDeletes::run_due(std::int64_t now_ms, runtime::FileSystem& fs, CommitLog& commit_log) {
  std::vector<std::string> due;
  while (!waiting_.empty() && waiting_.begin()->first <= now_ms) {
    due.push_back(std::move(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
  }
  if (due.empty()) return;
  commit_log.run_in_background([&fs, due = std::move(due)] {
    for (const auto& path : due) {
      const auto removed = fs.remove_file(path);
      if (!removed && removed.error().code != Errc::kNotFound) {
        log::warn("storage", "could not remove {}: {}", path, removed.error().message);
      }
    }
  });
}

}  // namespace dohle::storage

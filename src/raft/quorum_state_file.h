// The quorum-state file: what this replica voted for and whom it follows, written before anyone hears of it.
#pragma once

#include <optional>
#include <string>

#include <runtime/file_system.h>
#include <runtime/task.h>
#include <storage/commit_log.h>

#include "core/election_state.h"

namespace dohle::raft {

class QuorumStateFile {
 public:
  QuorumStateFile(runtime::FileSystem& fs, storage::CommitLog& door, std::string directory);
  // Nothing when there is no file. Blocks.
  [[nodiscard]] Result<std::optional<ElectionState>> read() const;
  // Durable on completion. One at a time.
  [[nodiscard]] runtime::Task<Result<>> write(ElectionState state, std::int16_t data_version);

 private:
  [[nodiscard]] Result<runtime::FileRef> write_part(const std::string& path, const std::string& text);
  runtime::FileSystem& fs_;
  storage::CommitLog& door_;
  std::string directory_;
  std::string path_;
};

}  // namespace dohle::raft

// FileWork: what an append does to files, cut off from the log it is for. It is prepared on the log's shard, run there
// or, while the directory is slow, on its write thread, and then taken back on the shard. What it views stays as it is
// meanwhile: whoever else would change the log waits (Log::State::door).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <base/bytes.h>
#include <base/result.h>
#include <runtime/file_system.h>

namespace dohle::storage {

// A file of a log: open already, or opened by the work.
struct WorkFile {
  const std::string* path = nullptr;  // of its LazyFile
  runtime::FileRef file;
  [[nodiscard]] Result<> open(runtime::FileSystem& fs);
};

// Entries that an index has in memory only. A full disk leaves them there, unless all must go.
struct IndexWrite {
  WorkFile file;
  std::uint64_t at = 0;
  Bytes entries;
  bool all = false;
  bool done = false;
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);
};

// Bytes for the end of a segment, and what its indexes have gathered. Blocks are there before bytes are written: a full
// disk is an answer, not a torn batch; what a failed write left is cut off.
struct SegmentWrite {
  WorkFile log;
  IndexWrite offset_index;
  IndexWrite time_index;
  Bytes bytes;
  std::uint64_t size = 0;       // of the segment; after it what is written
  std::uint64_t allocated = 0;  // blocks are there up to here
  bool tail_unknown = false;    // a failed write could not be cut off
  bool done = false;
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);

 private:
  [[nodiscard]] Result<> reserve();
};

// No more appends: indexes are written out, spare blocks given back.
struct SegmentSeal {
  WorkFile log;
  IndexWrite offset_index;
  IndexWrite time_index;
  std::uint64_t size = 0;
  bool cut = false;
  bool done = false;
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);
};

// The files of a new segment, empty whatever lay there.
struct SegmentFiles {
  WorkFile log;
  WorkFile offset_index;
  WorkFile time_index;
  const std::string* transaction_index = nullptr;
  bool done = false;
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);
};

// A small file, written whole; under another name first when it replaces one.
struct WholeFile {
  std::string path;
  std::string content;
  bool replaces = false;
  runtime::FileRef file;  // once it is written; to be synced
  [[nodiscard]] Result<> run(runtime::FileSystem& fs);
};

}  // namespace dohle::storage

// IndexFile: fixed-size entries, appended in memory and written in blocks. Read with pread, never mapped: no zero tail,
// and a failing disk is an error and not a signal. Anything lost by a crash is rebuilt from the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <runtime/file_system.h>

#include "open_files.h"

namespace dohle::storage {

class IndexFile {
 public:
  IndexFile(runtime::FileSystem& fs, OpenFiles& pool, std::string path, std::size_t entry_bytes);

  // Takes the entries on disk as they are, in a file of `bytes`. kCorrupt when that is no multiple of the entry size.
  [[nodiscard]] Result<> load(std::uint64_t bytes);
  // Starts empty, whatever is on disk.
  [[nodiscard]] Result<> reset();

  [[nodiscard]] std::size_t entries() const { return written_ + pending_.size() / entry_bytes_; }
  [[nodiscard]] std::uint64_t size_bytes() const { return entries() * entry_bytes_; }
  // In memory.
  void append(Bytes entry);
  // `into` is one entry.
  [[nodiscard]] Result<> read(std::size_t n, MutableBytes into, Probe probe) const;
  [[nodiscard]] Result<> truncate(std::size_t entries);
  // Writes what is pending.
  [[nodiscard]] Result<> write_out();
  // The same once it fills a block; a full disk leaves it in memory.
  [[nodiscard]] Result<> write_block();
  // For whoever writes elsewhere: what is pending, if it fills a block or `all`.
  [[nodiscard]] IndexWrite prepare_write(bool all);
  void finish_write(const IndexWrite& write);
  // For the commit set; write_out() first.
  [[nodiscard]] Result<runtime::FileRef> file() const { return file_.get(true); }
  [[nodiscard]] LazyFile& lazy() { return file_; }
  [[nodiscard]] const LazyFile& lazy() const { return file_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  runtime::FileSystem& fs_;
  mutable LazyFile file_;
  std::size_t entry_bytes_;
  std::size_t written_ = 0;            // entries in the file
  std::vector<std::uint8_t> pending_;  // entries after those
};

}  // namespace dohle::storage

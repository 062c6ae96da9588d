// OpenFiles: the descriptors of one shard's logs, least recently used closed first. LazyFile: a file that is opened
// when it is needed; whoever holds its FileRef keeps it open beyond that.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <utility>

#include <base/bytes.h>
#include <base/result.h>
#include <runtime/file_system.h>
#include <storage/batch_scan.h>

#include "file_work.h"

namespace dohle::storage {

class LazyFile;

class OpenFiles {
 public:
  explicit OpenFiles(std::size_t capacity) : capacity_(capacity) {}
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  [[nodiscard]] std::size_t size() const { return recent_.size(); }

 private:
  friend class LazyFile;
  void touch(LazyFile& file);
  void forget(LazyFile& file);
  std::size_t capacity_;
  std::list<LazyFile*> recent_;  // most recent first
};

class LazyFile {
 public:
  LazyFile(runtime::FileSystem& fs, OpenFiles& pool, std::string path)
      : fs_(fs), pool_(&pool), path_(std::move(path)) {}
  LazyFile(const LazyFile&) = delete;
  LazyFile& operator=(const LazyFile&) = delete;
  ~LazyFile() { drop(); }

  [[nodiscard]] const std::string& path() const { return path_; }
  // Opens for reading and writing; created when absent and `create`.
  [[nodiscard]] Result<runtime::FileRef> get(bool create = false);
  // With a probe, kWouldBlock instead of opening.
  [[nodiscard]] Result<runtime::FileRef> get(Probe probe);
  // Open already, or for whoever opens it elsewhere and then hands it to adopt().
  [[nodiscard]] WorkFile for_work();
  void adopt(const runtime::FileRef& file);
  // The descriptor goes along.
  void move_to(OpenFiles& pool);
  void drop();
  // An open descriptor stays valid.
  [[nodiscard]] Result<> rename(std::string path);
  void set_path(std::string path) { path_ = std::move(path); }

 private:
  friend class OpenFiles;
  runtime::FileSystem& fs_;
  OpenFiles* pool_;
  std::string path_;
  runtime::FileRef file_;
  std::list<LazyFile*>::iterator place_;
};

// Reads what is there of `into`; with a probe, kWouldBlock instead of waiting.
[[nodiscard]] Result<std::size_t> read_some(const runtime::FileRef& file, std::uint64_t offset, MutableBytes into,
                                            Probe probe);

}  // namespace dohle::storage

// Files, behind an interface: the live one makes system calls, the in-memory one is for tests.
//
// Calls may block. Whoever runs on a serving shard only appends, reads with read_at_nowait, and leaves the rest to an
// IoThread (see io_thread.h); at start-up everything may be called directly.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>

namespace dohle::runtime {

enum class OpenMode : std::uint8_t {
  kRead,           // must exist
  kReadWrite,      // must exist
  kCreate,         // read and write; created empty when absent
  kCreateNew,      // read and write; must not exist
  kTruncate,       // read and write; created, or cut to nothing
};

// An open file. Safe to read from several threads; written by one. Closed when the last owner lets go.
class File {
 public:
  virtual ~File() = default;
  // Fills `into` from `offset`; fewer bytes only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const = 0;
  // The same, but kWouldBlock instead of waiting for the disk.
  [[nodiscard]] virtual Result<std::size_t> read_at_nowait(std::uint64_t offset, MutableBytes into) const = 0;
  // Writes all pieces one after the other. On an error an unknown part may have been written.
  [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, std::span<const Bytes> pieces) = 0;
  [[nodiscard]] Result<> write_at(std::uint64_t offset, Bytes piece) { return write_at(offset, std::span(&piece, 1)); }
  [[nodiscard]] virtual Result<> truncate(std::uint64_t size) = 0;
  // Reserves disk blocks for the range without changing the size.
  [[nodiscard]] virtual Result<> allocate(std::uint64_t offset, std::uint64_t length) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  // fdatasync; blocks.
  [[nodiscard]] virtual Result<> sync() = 0;
  // The descriptor for sendfile, or -1.
  [[nodiscard]] virtual int descriptor() const { return -1; }
};

using FileRef = std::shared_ptr<File>;

// Part of a file, to be sent to a socket without passing through user space.
struct FileRange {
  FileRef file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
};

struct SpaceInfo {
  std::uint64_t total_bytes = 0;
  std::uint64_t usable_bytes = 0;
};

// Released on destruction.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  [[nodiscard]] virtual Result<FileRef> open(const std::string& path, OpenMode mode) = 0;
  [[nodiscard]] virtual Result<> create_directories(const std::string& path) = 0;
  // Sorted by name.
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> file_size(const std::string& path) = 0;
  // Modification time, milliseconds since 1970.
  [[nodiscard]] virtual Result<std::int64_t> modified_ms(const std::string& path) = 0;
  // Atomic; replaces an existing file.
  [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<> remove_file(const std::string& path) = 0;   // kNotFound when absent
  [[nodiscard]] virtual Result<> remove_all(const std::string& path) = 0;
  // Makes creations, renames and removals in `path` durable.
  [[nodiscard]] virtual Result<> sync_directory(const std::string& path) = 0;
  // Makes everything durable that was written to the file system which holds `path` (syncfs); blocks. Cheaper than many
  // File::sync, dearer than a few.
  [[nodiscard]] virtual Result<> sync_all(const std::string& path) = 0;
  // An exclusive lock that Kafka respects (fcntl); kLocked when another process holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  [[nodiscard]] virtual Result<SpaceInfo> space(const std::string& path) = 0;
};

// The whole content of a file of at most `limit` bytes.
[[nodiscard]] Result<std::string> read_file(FileSystem& fs, const std::string& path, std::uint64_t limit = 64U << 20U);
// Durable replacement: X.tmp, sync, rename, sync of the directory.
[[nodiscard]] Result<> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view content);
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

}  // namespace dohle::runtime

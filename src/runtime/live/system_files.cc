#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include <runtime/live/system.h>

#include "errno_error.h"

namespace dohle::runtime {
namespace {

class LiveFile final : public File {
 public:
  LiveFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~LiveFile() override { ::close(descriptor_); }
  LiveFile(const LiveFile&) = delete;
  LiveFile& operator=(const LiveFile&) = delete;
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const override;
  [[nodiscard]] Result<std::size_t> read_at_nowait(std::uint64_t offset, MutableBytes into) const override;
  [[nodiscard]] Result<> write_at(std::uint64_t offset, std::span<const Bytes> pieces) override;
  [[nodiscard]] Result<> truncate(std::uint64_t size) override;
  [[nodiscard]] Result<> allocate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<std::uint64_t> size() const override;
  [[nodiscard]] Result<> sync() override;
  [[nodiscard]] int descriptor() const override { return descriptor_; }

 private:
  int descriptor_;
  std::string path_;
};

Result<std::size_t> LiveFile::read_at(std::uint64_t offset, MutableBytes into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const auto got = ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::size_t> LiveFile::read_at_nowait(std::uint64_t offset, MutableBytes into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const iovec piece{into.data() + done, into.size() - done};
    const auto got = ::preadv2(descriptor_, &piece, 1, static_cast<off_t>(offset + done), RWF_NOWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return fail(Errc::kWouldBlock, path_ + ": not in memory");
    // A file system in memory may not know the flag; it does not wait either.
    if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) return read_at(offset, into);
    if (got < 0) return system_failure(path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<> LiveFile::write_at(std::uint64_t offset, std::span<const Bytes> pieces) {
  constexpr std::size_t kMostPieces = 64;
  std::array<iovec, kMostPieces> vector;  // NOLINT: filled below
  std::size_t skip = 0;                   // bytes of the first piece that are written already
  while (!pieces.empty()) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < std::min(pieces.size(), kMostPieces); ++i) {
      const Bytes piece = i == 0 ? pieces[0].subspan(skip) : pieces[i];
      vector[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
    }
    // The kernel does less for a single piece when it is told so.
    const auto got = count == 1 ? ::pwrite(descriptor_, vector[0].iov_base, vector[0].iov_len, static_cast<off_t>(offset))
                                : ::pwritev(descriptor_, vector.data(), static_cast<int>(count), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(path_, errno);
    offset += static_cast<std::uint64_t>(got);
    skip += static_cast<std::size_t>(got);
    const bool nothing_written = got == 0;
    while (!pieces.empty() && skip >= pieces.front().size()) {
      skip -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
    if (nothing_written && !pieces.empty()) return fail(Errc::kIo, path_ + ": nothing could be written");
  }
  return {};
}

Result<> LiveFile::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return system_failure(path_, errno);
  return {};
}

Result<> LiveFile::allocate(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return {};
  const auto at = static_cast<off_t>(offset);
  if (::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, at, static_cast<off_t>(length)) == 0) return {};
  if (errno == EOPNOTSUPP) return {};  // then the write itself finds out
  return system_failure(path_, errno);
}

Result<std::uint64_t> LiveFile::size() const {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return system_failure(path_, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<> LiveFile::sync() {
  if (::fdatasync(descriptor_) != 0) return system_failure(path_, errno);
  return {};
}

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kTruncate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

class LiveFileLock final : public FileLock {
 public:
  explicit LiveFileLock(int descriptor) : descriptor_(descriptor) {}
  ~LiveFileLock() override { ::close(descriptor_); }
  LiveFileLock(const LiveFileLock&) = delete;
  LiveFileLock& operator=(const LiveFileLock&) = delete;

 private:
  int descriptor_;
};

class LiveFileSystem final : public FileSystem {
 public:
  [[nodiscard]] Result<FileRef> open(const std::string& path, OpenMode mode) override {
    const int descriptor = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0644);
    if (descriptor < 0) return system_failure(path, errno);
    return std::make_shared<LiveFile>(descriptor, path);
  }

  [[nodiscard]] Result<> create_directories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return system_failure(path, error.value());
    return {};
  }

  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) return system_failure(path, errno);
    std::vector<DirectoryEntry> entries;
    errno = 0;
    while (const dirent* const entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (entry->d_type == DT_DIR) {
        entries.push_back({std::string(name), true, 0});
      } else if (struct stat info{}; ::fstatat(::dirfd(directory.get()), entry->d_name, &info, 0) == 0) {
        const bool is_directory = S_ISDIR(info.st_mode);
        entries.push_back(
            {std::string(name), is_directory, is_directory ? 0 : static_cast<std::uint64_t>(info.st_size)});
      }  // else it has vanished meanwhile
      errno = 0;
    }
    if (errno != 0) return system_failure(path, errno);
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  [[nodiscard]] bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  [[nodiscard]] Result<std::uint64_t> file_size(const std::string& path) override {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return system_failure(path, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  [[nodiscard]] Result<std::int64_t> modified_ms(const std::string& path) override {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return system_failure(path, errno);
    return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000;
  }

  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_failure(from + " to " + to, errno);
    return {};
  }

  [[nodiscard]] Result<> remove_file(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_failure(path, errno);
    return {};
  }

  [[nodiscard]] Result<> remove_all(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return system_failure(path, error.value());
    return {};
  }

  [[nodiscard]] Result<> sync_directory(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_failure(path, errno);
    const int status = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (status != 0) return system_failure(path, error);
    return {};
  }

  [[nodiscard]] Result<> sync_all(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_failure(path, errno);
    const int status = ::syncfs(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (status != 0) return system_failure(path, error);
    return {};
  }

  // A lock of the open file: it stands against Kafka's process-wide fcntl locks, against other open files of this
  // process too, and does not vanish when some other descriptor of the file is closed.
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return system_failure(path, errno);
    auto held = std::make_unique<LiveFileLock>(descriptor);
    struct flock request{};
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    if (::fcntl(descriptor, F_OFD_SETLK, &request) != 0) {
      if (errno == EAGAIN || errno == EACCES) return fail(Errc::kLocked, path + " is locked by another process");
      return system_failure(path, errno);
    }
    return held;
  }

  [[nodiscard]] Result<SpaceInfo> space(const std::string& path) override {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return system_failure(path, errno);
    return SpaceInfo{info.f_blocks * info.f_frsize, info.f_bavail * info.f_frsize};
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_system_files() { return std::make_unique<LiveFileSystem>(); }

}  // namespace dohle::runtime

// MemoryFileSystem: files that know which of their bytes, and which directory entries, would survive a power loss, and
// that fail when told to.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <runtime/clock.h>
#include <runtime/file_system.h>
#include <runtime/random.h>

namespace dohle::runtime {

enum class FileOperation : std::uint8_t {
  kOpen,
  kRead,
  kReadNowait,
  kWrite,
  kTruncate,
  kAllocate,
  kSync,
  kRename,
  kRemove,
  kSyncDirectory,
  kCreateDirectory,
  kLock,
};

// One rule: calls of `operation` on a path that contains `path_part` fail with `error`, `times` times, after `skip`
// successes. A failing write first writes `write_bytes` of what it was given (a short write). A failing sync loses what
// it should have synced: the page cache still shows it and calls it clean, so that the next sync succeeds without it.
// Not so one of a directory: names go through the journal of the file system, which writes them with its next sync.
struct FileFault {
  FileOperation operation = FileOperation::kSync;
  std::string path_part;
  Errc error = Errc::kIo;
  std::uint64_t skip = 0;
  std::uint64_t times = std::numeric_limits<std::uint64_t>::max();
  std::size_t write_bytes = 0;
};

// Calls of `operation` on a path that contains `path_part` take this long.
struct FileDelay {
  FileOperation operation = FileOperation::kWrite;
  std::string path_part;
  Duration takes{0};
};

enum class CrashLoss : std::uint8_t {
  kNothing,   // kill -9: the page cache survives
  kUnsynced,  // power loss: exactly what was synced survives
  kRandom,    // power loss: of what was not synced, a random part survives, the last write possibly torn
  kAnyOrder,  // the same, and of a file's unsynced writes any sectors survive, and any of its sizes
};

// One thread. Paths are absolute or relative to one root; "." is that root.
class MemoryFileSystem final : public FileSystem {
 public:
  explicit MemoryFileSystem(const Clock& clock, std::uint64_t seed = 1);
  ~MemoryFileSystem() override;
  MemoryFileSystem(const MemoryFileSystem&) = delete;
  MemoryFileSystem& operator=(const MemoryFileSystem&) = delete;

  [[nodiscard]] Result<FileRef> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<> create_directories(const std::string& path) override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> file_size(const std::string& path) override;
  [[nodiscard]] Result<std::int64_t> modified_ms(const std::string& path) override;
  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> remove_file(const std::string& path) override;
  [[nodiscard]] Result<> remove_all(const std::string& path) override;
  [[nodiscard]] Result<> sync_directory(const std::string& path) override;
  // Counts, and fails, as a sync of `path`.
  [[nodiscard]] Result<> sync_all(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  [[nodiscard]] Result<SpaceInfo> space(const std::string& path) override;

  // The machine or process dies: open files and locks become useless, and what `loss` says is gone.
  void crash(CrashLoss loss);

  // Rules are tried in the order they were added; the first that matches decides.
  void inject(FileFault fault) { faults_.push_back(std::move(fault)); }
  void clear_faults() { faults_.clear(); }
  // A slow disk. Who calls waits for it: a shard, and the world with it, or an IoThread alone (see MemoryShards).
  void slow_down(FileDelay delay) { delays_.push_back(std::move(delay)); }
  void clear_delays() { delays_.clear(); }
  // What lets the time of a slow call pass.
  void set_pass_time(std::function<void(Duration)> pass_time) { pass_time_ = std::move(pass_time); }
  // Writes and allocations beyond fail with kNoSpace, after writing what fits.
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  // Bit rot: turns over one bit of what the medium and the page cache hold of the file. False when it is empty or
  // absent.
  bool flip_bit(const std::string& path, std::uint64_t bit);
  // Every file below `path`, sorted.
  [[nodiscard]] std::vector<std::string> files_below(const std::string& path);
  [[nodiscard]] std::size_t open_files() const { return open_files_; }
  [[nodiscard]] std::uint64_t used_bytes() const;
  // How many calls of this operation succeeded or failed so far.
  [[nodiscard]] std::uint64_t count(FileOperation operation) const;

  // Test access that asks for no fault: what a file holds now, and what would be left of it after a power loss.
  [[nodiscard]] Result<std::string> content(const std::string& path);
  [[nodiscard]] Result<std::string> durable_content(const std::string& path);

  struct Node;  // a file or directory; private to the implementation

 private:
  friend class MemoryFile;
  friend class MemoryFileLock;
  struct Place {
    std::shared_ptr<Node> directory;
    std::string name;
  };
  // A change of names that no sync_directory has made durable yet; a rename takes one name away and gives another.
  struct EntryChange {
    Place removed;
    Place added;
    std::shared_ptr<Node> node;
  };

  [[nodiscard]] Result<Place> place_of(const std::string& path);
  [[nodiscard]] std::shared_ptr<Node> find(const std::string& path);
  // The fault that hits this call, if any.
  [[nodiscard]] const FileFault* take_fault(FileOperation operation, const std::string& path);
  [[nodiscard]] Result<> check(FileOperation operation, const std::string& path);
  [[nodiscard]] std::uint64_t room() const;
  static void sync_below(Node& node, bool succeeds);
  [[nodiscard]] std::shared_ptr<Node> make_node(bool is_directory);
  void note(EntryChange change);
  void note_removal(const Place& place, const std::shared_ptr<Node>& node);
  static void apply_durably(const EntryChange& change);
  void crash_entries();
  void crash_below(Node& node, CrashLoss loss);
  void crash_file(Node& file, CrashLoss loss);
  void tear_in_order(Node& file);
  void tear_in_any_order(Node& file);

  const Clock* clock_;
  std::unique_ptr<Random> random_;
  std::uint64_t next_node_ = 0;
  std::shared_ptr<Node> root_;
  std::uint64_t generation_ = 1;  // counts crashes; older open files are dead
  static constexpr std::uint64_t kUnlimited = 1ULL << 40U;
  std::uint64_t capacity_ = kUnlimited;
  std::size_t open_files_ = 0;
  std::vector<EntryChange> entry_changes_;
  std::vector<FileFault> faults_;
  std::vector<FileDelay> delays_;
  std::function<void(Duration)> pass_time_ = [](Duration) {};
  std::map<FileOperation, std::uint64_t> counts_;
  std::set<std::string> locks_;
};

}  // namespace dohle::runtime

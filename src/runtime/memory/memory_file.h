// What MemoryFileSystem is made of: nodes that remember which changes were synced, and open files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <runtime/memory/memory_file_system.h>
#include <runtime/memory/seeded_random.h>

namespace dohle::runtime {

struct WriteAt {
  std::uint64_t offset = 0;
  std::vector<std::uint8_t> data;
};
struct TruncateTo {
  std::uint64_t size = 0;
};
using FileChange = std::variant<WriteAt, TruncateTo>;

struct MemoryFileSystem::Node {
  Node(std::uint64_t number, bool directory) : id(number), is_directory(directory) {}
  std::uint64_t id;
  bool is_directory;
  std::int64_t modified_ms = 0;

  // A directory: its names now, and those that a power loss leaves.
  std::map<std::string, std::shared_ptr<Node>> entries;
  std::map<std::string, std::shared_ptr<Node>> durable_entries;

  // A file: its bytes now, those that a power loss leaves, and the way from the latter to the former.
  std::vector<std::uint8_t> data;
  std::vector<std::uint8_t> durable;
  std::vector<FileChange> unsynced;
  std::uint64_t allocated = 0;

  static void apply(std::vector<std::uint8_t>& bytes, const FileChange& change);
  void apply_now(FileChange change, std::int64_t wall_ms);
  void apply_durably(const FileChange& change) { apply(durable, change); }
  void sync();
};

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryFileSystem& fs, std::shared_ptr<MemoryFileSystem::Node> node, std::string path, bool writable)
      : fs_(&fs), node_(std::move(node)), path_(std::move(path)), writable_(writable), generation_(fs.generation_) {
    ++fs.open_files_;
  }
  ~MemoryFile() override {
    if (generation_ == fs_->generation_) --fs_->open_files_;
  }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const override;
  [[nodiscard]] Result<std::size_t> read_at_nowait(std::uint64_t offset, MutableBytes into) const override;
  [[nodiscard]] Result<> write_at(std::uint64_t offset, std::span<const Bytes> pieces) override;
  [[nodiscard]] Result<> truncate(std::uint64_t size) override;
  [[nodiscard]] Result<> allocate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<std::uint64_t> size() const override;
  [[nodiscard]] Result<> sync() override;

 private:
  [[nodiscard]] Result<> check(FileOperation operation) const;
  [[nodiscard]] Result<> check_writable(FileOperation operation) const;
  // Writes the first `limit` bytes of `pieces`.
  void write_some(std::uint64_t offset, std::span<const Bytes> pieces, std::uint64_t limit);

  MemoryFileSystem* fs_;
  std::shared_ptr<MemoryFileSystem::Node> node_;
  std::string path_;
  bool writable_;
  std::uint64_t generation_;
};

}  // namespace dohle::runtime

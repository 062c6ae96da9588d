#include <runtime/memory/memory_file_system.h>

#include <algorithm>
#include <variant>

#include <base/check.h>

#include "memory_file.h"

namespace dohle::runtime {

using Node = MemoryFileSystem::Node;

namespace {

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, slash - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(std::move(part));
    }
    at = slash + 1;
  }
  return parts;
}

std::string canonical(const std::string& path) {
  std::string out;
  for (const auto& part : parts_of(path)) out.append("/").append(part);
  return out;
}

std::uint64_t bytes_under(const Node& node) {
  std::uint64_t total = node.is_directory ? 0 : std::max<std::uint64_t>(node.data.size(), node.allocated);
  for (const auto& [name, child] : node.entries) total += bytes_under(*child);
  return total;
}

std::unexpected<Error> absent(const std::string& path) {
  return fail(Errc::kNotFound, path + ": no such file or directory");
}

}  // namespace

MemoryFileSystem::MemoryFileSystem(const Clock& clock, std::uint64_t seed)
    : clock_(&clock), random_(std::make_unique<SeededRandom>(seed)), root_(make_node(true)) {}

MemoryFileSystem::~MemoryFileSystem() = default;

std::shared_ptr<Node> MemoryFileSystem::find(const std::string& path) {
  std::shared_ptr<Node> node = root_;
  for (const auto& part : parts_of(path)) {
    const auto at = node->entries.find(part);
    if (at == node->entries.end()) return nullptr;
    node = at->second;
  }
  return node;
}

Result<MemoryFileSystem::Place> MemoryFileSystem::place_of(const std::string& path) {
  auto parts = parts_of(path);
  if (parts.empty()) return fail(Errc::kAlreadyExists, path + " is the root");
  std::shared_ptr<Node> directory = root_;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto at = directory->entries.find(parts[i]);
    if (at == directory->entries.end()) return absent(path);
    directory = at->second;
  }
  if (!directory->is_directory) return fail(Errc::kIo, path + ": not a directory");
  return Place{std::move(directory), std::move(parts.back())};
}

const FileFault* MemoryFileSystem::take_fault(FileOperation operation, const std::string& path) {
  ++counts_[operation];
  for (const auto& delay : delays_) {
    if (delay.operation == operation && path.find(delay.path_part) != std::string::npos) pass_time_(delay.takes);
  }
  for (auto& fault : faults_) {
    if (fault.operation != operation || path.find(fault.path_part) == std::string::npos) continue;
    if (fault.skip > 0) {
      --fault.skip;
      return nullptr;
    }
    if (fault.times == 0) continue;
    --fault.times;
    return &fault;
  }
  return nullptr;
}

Result<> MemoryFileSystem::check(FileOperation operation, const std::string& path) {
  if (const auto* fault = take_fault(operation, path)) return fail(fault->error, path + ": injected failure");
  return {};
}

std::uint64_t MemoryFileSystem::count(FileOperation operation) const {
  const auto at = counts_.find(operation);
  return at == counts_.end() ? 0 : at->second;
}

std::uint64_t MemoryFileSystem::used_bytes() const { return bytes_under(*root_); }
std::uint64_t MemoryFileSystem::room() const {
  if (capacity_ == kUnlimited) return kUnlimited;
  return capacity_ - std::min(capacity_, used_bytes());
}

Result<FileRef> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  DOHLE_TRY(check(FileOperation::kOpen, path));
  DOHLE_ASSIGN(const Place place, place_of(path));
  const auto at = place.directory->entries.find(place.name);
  const bool present = at != place.directory->entries.end();
  if (present && at->second->is_directory) return fail(Errc::kIo, path + ": is a directory");
  if (present && mode == OpenMode::kCreateNew) return fail(Errc::kAlreadyExists, path + ": already exists");
  if (!present && (mode == OpenMode::kRead || mode == OpenMode::kReadWrite)) return absent(path);
  std::shared_ptr<Node> node;
  if (present) {
    node = at->second;
    if (mode == OpenMode::kTruncate) node->apply_now(TruncateTo{0}, clock_->wall_ms());
  } else {
    node = make_node(false);
    place.directory->entries.emplace(place.name, node);
    note({.removed = {}, .added = place, .node = node});
  }
  return std::make_shared<MemoryFile>(*this, std::move(node), path, mode != OpenMode::kRead);
}

Result<> MemoryFileSystem::create_directories(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kCreateDirectory, path));
  std::shared_ptr<Node> node = root_;
  for (const auto& part : parts_of(path)) {
    auto& child = node->entries[part];
    if (!child) {
      child = make_node(true);
      note({.removed = {}, .added = {node, part}, .node = child});
    }
    if (!child->is_directory) return fail(Errc::kAlreadyExists, path + ": a file is in the way");
    node = child;
  }
  return {};
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::list(const std::string& path) {
  const auto node = find(path);
  if (!node) return absent(path);
  if (!node->is_directory) return fail(Errc::kIo, path + ": not a directory");
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->entries) entries.push_back({name, child->is_directory, child->data.size()});
  return entries;
}

bool MemoryFileSystem::exists(const std::string& path) { return find(path) != nullptr; }

Result<std::uint64_t> MemoryFileSystem::file_size(const std::string& path) {
  const auto node = find(path);
  if (!node) return absent(path);
  return node->data.size();
}

Result<std::int64_t> MemoryFileSystem::modified_ms(const std::string& path) {
  const auto node = find(path);
  if (!node) return absent(path);
  return node->modified_ms;
}

Result<> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  DOHLE_TRY(check(FileOperation::kRename, from));
  DOHLE_ASSIGN(const Place source, place_of(from));
  DOHLE_ASSIGN(const Place target, place_of(to));
  const auto at = source.directory->entries.find(source.name);
  if (at == source.directory->entries.end()) return absent(from);
  const std::shared_ptr<Node> node = at->second;
  const auto old = target.directory->entries.find(target.name);
  if (old != target.directory->entries.end() && old->second != node) {
    if (old->second->is_directory && !old->second->entries.empty()) {
      return fail(Errc::kAlreadyExists, to + ": directory not empty");
    }
    if (old->second->is_directory != node->is_directory) return fail(Errc::kIo, to + ": is of another kind");
  }
  source.directory->entries.erase(source.name);
  target.directory->entries.insert_or_assign(target.name, node);
  note({.removed = source, .added = target, .node = node});
  return {};
}

Result<> MemoryFileSystem::remove_file(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kRemove, path));
  DOHLE_ASSIGN(const Place place, place_of(path));
  const auto at = place.directory->entries.find(place.name);
  if (at == place.directory->entries.end()) return absent(path);
  if (at->second->is_directory) return fail(Errc::kIo, path + ": is a directory");
  note({.removed = place, .added = {}, .node = at->second});
  place.directory->entries.erase(at);
  return {};
}

Result<> MemoryFileSystem::remove_all(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kRemove, path));
  const auto place = place_of(path);
  if (!place) return {};
  const auto at = place->directory->entries.find(place->name);
  if (at == place->directory->entries.end()) return {};
  note_removal(*place, at->second);
  place->directory->entries.erase(at);
  return {};
}

Result<> MemoryFileSystem::sync_directory(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kSyncDirectory, path));
  const auto node = find(path);
  if (!node) return absent(path);
  std::erase_if(entry_changes_, [&](const EntryChange& change) {
    if (change.removed.directory != node && change.added.directory != node) return false;
    apply_durably(change);
    return true;
  });
  return {};
}

Result<> MemoryFileSystem::sync_all(const std::string& path) {
  const auto checked = check(FileOperation::kSync, path);
  if (!find(path)) return checked ? absent(path) : checked;
  sync_below(*root_, checked.has_value());
  if (checked) entry_changes_.clear();
  return checked;
}

void MemoryFileSystem::sync_below(Node& node, bool succeeds) {
  if (!node.is_directory) {
    if (succeeds) node.sync();
    node.unsynced.clear();
    return;
  }
  if (succeeds) node.durable_entries = node.entries;
  for (auto& [name, child] : node.entries) sync_below(*child, succeeds);
}

Result<SpaceInfo> MemoryFileSystem::space(const std::string& path) {
  if (!find(path)) return absent(path);
  return SpaceInfo{capacity_, room()};
}

std::shared_ptr<Node> MemoryFileSystem::make_node(bool is_directory) {
  auto node = std::make_shared<Node>(next_node_++, is_directory);
  node->modified_ms = clock_->wall_ms();
  return node;
}

void MemoryFileSystem::note(EntryChange change) { entry_changes_.push_back(std::move(change)); }

// What is inside goes name by name, as the system calls of a recursive removal do.
void MemoryFileSystem::note_removal(const Place& place, const std::shared_ptr<Node>& node) {
  for (const auto& [name, child] : node->entries) note_removal({node, name}, child);
  note({.removed = place, .added = {}, .node = node});
}

void MemoryFileSystem::apply_durably(const EntryChange& change) {
  if (change.removed.directory) change.removed.directory->durable_entries.erase(change.removed.name);
  if (change.added.directory) change.added.directory->durable_entries.insert_or_assign(change.added.name, change.node);
}

bool MemoryFileSystem::flip_bit(const std::string& path, std::uint64_t bit) {
  const auto node = find(path);
  if (!node || node->data.empty()) return false;
  const std::uint64_t at = bit / 8 % node->data.size();
  const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
  node->data[at] ^= mask;
  if (at < node->durable.size()) node->durable[at] ^= mask;
  return true;
}

std::vector<std::string> MemoryFileSystem::files_below(const std::string& path) {
  std::vector<std::string> out;
  const auto node = find(path);
  if (!node) return out;
  for (const auto& [name, child] : node->entries) {
    if (!child->is_directory) {
      out.push_back(path + "/" + name);
    } else {
      for (auto& below : files_below(path + "/" + name)) out.push_back(std::move(below));
    }
  }
  return out;
}

// Locks die with their holder or with the machine.
class MemoryFileLock final : public FileLock {
 public:
  MemoryFileLock(MemoryFileSystem& fs, std::string path)
      : fs_(&fs), path_(std::move(path)), generation_(fs.generation_) {}
  ~MemoryFileLock() override {
    if (fs_->generation_ == generation_) fs_->locks_.erase(path_);
  }

 private:
  MemoryFileSystem* fs_;
  std::string path_;
  std::uint64_t generation_;
};

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kLock, path));
  DOHLE_TRY(open(path, OpenMode::kCreate));
  if (!locks_.insert(canonical(path)).second) return fail(Errc::kLocked, path + " is locked");
  return std::make_unique<MemoryFileLock>(*this, canonical(path));
}

Result<std::string> MemoryFileSystem::content(const std::string& path) {
  const auto node = find(path);
  if (!node) return absent(path);
  return std::string(node->data.begin(), node->data.end());
}

Result<std::string> MemoryFileSystem::durable_content(const std::string& path) {
  Node* node = root_.get();
  for (const auto& part : parts_of(path)) {
    const auto at = node->durable_entries.find(part);
    if (at == node->durable_entries.end()) return absent(path);
    node = at->second.get();
  }
  return std::string(node->durable.begin(), node->durable.end());
}

}  // namespace dohle::runtime

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
    : clock_(&clock), random_(std::make_unique<SeededRandom>(seed)), root_(std::make_shared<Node>()) {
  root_->is_directory = true;
}

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
  Node* directory = root_.get();
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto at = directory->entries.find(parts[i]);
    if (at == directory->entries.end()) return absent(path);
    directory = at->second.get();
  }
  if (!directory->is_directory) return fail(Errc::kIo, path + ": not a directory");
  return Place{directory, std::move(parts.back())};
}

const FileFault* MemoryFileSystem::take_fault(FileOperation operation, const std::string& path) {
  ++counts_[operation];
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
std::uint64_t MemoryFileSystem::room() const { return capacity_ - std::min(capacity_, used_bytes()); }

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
    node = std::make_shared<Node>();
    node->modified_ms = clock_->wall_ms();
    place.directory->entries.emplace(place.name, node);
  }
  return std::make_shared<MemoryFile>(*this, std::move(node), path, mode != OpenMode::kRead);
}

Result<> MemoryFileSystem::create_directories(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kCreateDirectory, path));
  Node* node = root_.get();
  for (const auto& part : parts_of(path)) {
    auto& child = node->entries[part];
    if (!child) {
      child = std::make_shared<Node>();
      child->is_directory = true;
      child->modified_ms = clock_->wall_ms();
    }
    if (!child->is_directory) return fail(Errc::kAlreadyExists, path + ": a file is in the way");
    node = child.get();
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
  return {};
}

Result<> MemoryFileSystem::remove_file(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kRemove, path));
  DOHLE_ASSIGN(const Place place, place_of(path));
  const auto at = place.directory->entries.find(place.name);
  if (at == place.directory->entries.end()) return absent(path);
  if (at->second->is_directory) return fail(Errc::kIo, path + ": is a directory");
  place.directory->entries.erase(at);
  return {};
}

Result<> MemoryFileSystem::remove_all(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kRemove, path));
  const auto place = place_of(path);
  if (place) place->directory->entries.erase(place->name);
  return {};
}

Result<> MemoryFileSystem::sync_directory(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kSyncDirectory, path));
  const auto node = find(path);
  if (!node) return absent(path);
  node->durable_entries = node->entries;
  return {};
}

Result<> MemoryFileSystem::sync_all(const std::string& path) {
  DOHLE_TRY(check(FileOperation::kSync, path));
  if (!find(path)) return absent(path);
  sync_below(*root_);
  return {};
}

void MemoryFileSystem::sync_below(Node& node) {
  if (!node.is_directory) {
    node.sync();
    return;
  }
  node.durable_entries = node.entries;
  for (auto& [name, child] : node.entries) sync_below(*child);
}

Result<SpaceInfo> MemoryFileSystem::space(const std::string& path) {
  if (!find(path)) return absent(path);
  return SpaceInfo{capacity_, room()};
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

void MemoryFileSystem::crash(CrashLoss loss) {
  ++generation_;
  locks_.clear();
  if (loss != CrashLoss::kNothing) crash_directory(*root_, loss);
}

void MemoryFileSystem::crash_directory(Node& directory, CrashLoss loss) {
  auto survivors = directory.durable_entries;
  if (loss == CrashLoss::kRandom) {
    // Each name decides for itself whether its last change had reached the disk.
    std::set<std::string> names;
    for (const auto& [name, node] : directory.entries) names.insert(name);
    for (const auto& [name, node] : directory.durable_entries) names.insert(name);
    for (const auto& name : names) {
      if (random_->below(2) == 0) continue;
      const auto now = directory.entries.find(name);
      if (now == directory.entries.end()) {
        survivors.erase(name);
      } else {
        survivors.insert_or_assign(name, now->second);
      }
    }
  }
  directory.entries = survivors;
  directory.durable_entries = std::move(survivors);
  for (auto& [name, node] : directory.entries) {
    if (node->is_directory) {
      crash_directory(*node, loss);
    } else {
      crash_file(*node, loss);
    }
  }
}

void MemoryFileSystem::crash_file(Node& file, CrashLoss loss) {
  if (loss == CrashLoss::kRandom && !file.unsynced.empty()) {
    const std::size_t kept = random_->below(file.unsynced.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) file.apply_durably(file.unsynced[i]);
    if (kept < file.unsynced.size()) {
      if (auto* torn = std::get_if<WriteAt>(&file.unsynced[kept])) {
        torn->data.resize(random_->below(torn->data.size() + 1));
        if (!torn->data.empty()) file.apply_durably(*torn);
      }
    }
  }
  file.unsynced.clear();
  file.data = file.durable;
  file.allocated = file.data.size();
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

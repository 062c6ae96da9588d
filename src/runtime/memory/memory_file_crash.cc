// What a crash leaves of the files in memory: the fault model of the disk.
//
// - A killed process loses nothing that it had written: the page cache survives (kNothing).
// - A power loss keeps what was synced: the bytes and the size of a file as of its last successful sync, the names of a
//   directory as of its last sync. Syncing a file does not sync its name, nor the reverse.
// - Of the rest, kUnsynced keeps nothing. The other two draw what had reached the medium by itself:
//   * Names: any creation, removal or rename survives or not, but never without an earlier change of the same name or
//   of
//     the same file, and renames within a directory survive in their order (ext4, xfs and btrfs promise that much). A
//     rename is never half done. A removed tree may come back in part.
//   * Bytes, kRandom: a file's writes and cuts survive up to some point, and the next write in part: torn at any byte.
//   * Bytes, kAnyOrder: a file has one of the sizes it had since its last sync. Of each write since, any sectors
//   survive,
//     of 512 or 4096 bytes; where a file has grown and its bytes have not arrived, it holds zeros. What followed a cut
//     that did not survive did not either.
// - A sync that fails drops what it should have written (see FileFault): reads go on to show it, no power loss keeps
// it. One of a directory leaves its names to the next.
// - Open files and locks die with the process.
#include <algorithm>
#include <set>
#include <variant>

#include <base/check.h>
#include <runtime/memory/memory_file_system.h>

#include "memory_file.h"

namespace dohle::runtime {

void MemoryFileSystem::crash(CrashLoss loss) {
  ++generation_;
  open_files_ = 0;
  locks_.clear();
  if (loss == CrashLoss::kNothing) return;
  if (loss != CrashLoss::kUnsynced) crash_entries();
  entry_changes_.clear();
  crash_below(*root_, loss);
}

void MemoryFileSystem::crash_entries() {
  using Name = std::pair<std::uint64_t, std::string>;  // directory and name
  std::set<Name> lost_names;
  std::set<std::uint64_t> lost_nodes;
  std::set<std::uint64_t> lost_renames;  // directories
  const std::uint64_t chance = random_->below(5);
  for (const EntryChange& change : entry_changes_) {
    std::vector<Name> names;
    for (const Place* place : {&change.removed, &change.added}) {
      if (place->directory) names.emplace_back(place->directory->id, place->name);
    }
    const bool is_rename = names.size() == 2;
    const bool held_back = lost_nodes.contains(change.node->id) || std::ranges::any_of(names, [&](const Name& name) {
                             return lost_names.contains(name) || (is_rename && lost_renames.contains(name.first));
                           });
    if (random_->below(4) < chance && !held_back) {
      apply_durably(change);
      continue;
    }
    lost_nodes.insert(change.node->id);
    for (const Name& name : names) {
      lost_names.insert(name);
      if (is_rename) lost_renames.insert(name.first);
    }
  }
}

void MemoryFileSystem::crash_below(Node& node, CrashLoss loss) {
  if (!node.is_directory) return crash_file(node, loss);
  node.entries = node.durable_entries;
  for (auto& [name, child] : node.entries) crash_below(*child, loss);
}

void MemoryFileSystem::crash_file(Node& file, CrashLoss loss) {
  if (loss == CrashLoss::kRandom) tear_in_order(file);
  if (loss == CrashLoss::kAnyOrder) tear_in_any_order(file);
  file.unsynced.clear();
  file.data = file.durable;
  file.allocated = file.data.size();
}

void MemoryFileSystem::tear_in_order(Node& file) {
  const std::size_t kept = random_->below(file.unsynced.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) file.apply_durably(file.unsynced[i]);
  if (kept == file.unsynced.size()) return;
  if (auto* torn = std::get_if<WriteAt>(&file.unsynced[kept])) {
    torn->data.resize(random_->below(torn->data.size() + 1));
    if (!torn->data.empty()) file.apply_durably(*torn);
  }
}

void MemoryFileSystem::tear_in_any_order(Node& file) {
  const std::size_t sized = random_->below(file.unsynced.size() + 1);  // changes whose size survives
  const std::uint64_t sector = random_->below(2) == 0 ? 512 : 4096;
  const std::uint64_t chance = random_->below(5);
  std::uint64_t size = file.durable.size();
  for (std::size_t i = 0; i < file.unsynced.size(); ++i) {
    if (const auto* cut = std::get_if<TruncateTo>(&file.unsynced[i])) {
      if (i >= sized) break;
      size = cut->size;
      file.apply_durably(*cut);
      continue;
    }
    const auto& write = std::get<WriteAt>(file.unsynced[i]);
    const std::uint64_t end = write.offset + write.data.size();
    if (i < sized) size = std::max(size, end);
    for (std::uint64_t at = write.offset; at < end;) {
      const std::uint64_t next = std::min(end, (at / sector + 1) * sector);
      const auto first = write.data.begin() + static_cast<std::ptrdiff_t>(at - write.offset);
      if (random_->below(4) < chance) {
        file.apply_durably(WriteAt{at, {first, first + static_cast<std::ptrdiff_t>(next - at)}});
      }
      at = next;
    }
  }
  file.durable.resize(size);
}

}  // namespace dohle::runtime

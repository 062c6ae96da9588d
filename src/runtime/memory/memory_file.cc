#include "memory_file.h"

#include <algorithm>

namespace dohle::runtime {

void MemoryFileSystem::Node::apply(std::vector<std::uint8_t>& bytes, const FileChange& change) {
  if (const auto* write = std::get_if<WriteAt>(&change)) {
    const std::uint64_t end = write->offset + write->data.size();
    if (bytes.size() < end) bytes.resize(end);
    std::copy(write->data.begin(), write->data.end(), bytes.begin() + static_cast<std::ptrdiff_t>(write->offset));
  } else {
    bytes.resize(std::get<TruncateTo>(change).size);
  }
}

void MemoryFileSystem::Node::apply_now(FileChange change, std::int64_t wall_ms) {
  apply(data, change);
  unsynced.push_back(std::move(change));
  modified_ms = wall_ms;
}

void MemoryFileSystem::Node::sync() {
  for (const auto& change : unsynced) apply_durably(change);
  unsynced.clear();
}

Result<> MemoryFile::check(FileOperation operation) const {
  if (generation_ != fs_->generation_) return fail(Errc::kIo, path_ + ": opened before the crash");
  return fs_->check(operation, path_);
}

Result<> MemoryFile::check_writable(FileOperation operation) const {
  if (!writable_) return fail(Errc::kIo, path_ + ": opened for reading");
  return check(operation);
}

Result<std::size_t> MemoryFile::read_at(std::uint64_t offset, MutableBytes into) const {
  DOHLE_TRY(check(FileOperation::kRead));
  const auto& data = node_->data;
  if (offset >= data.size()) return 0;
  const std::size_t count = std::min<std::uint64_t>(into.size(), data.size() - offset);
  std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
  return count;
}

Result<std::size_t> MemoryFile::read_at_nowait(std::uint64_t offset, MutableBytes into) const {
  if (const auto* fault = fs_->take_fault(FileOperation::kReadNowait, path_)) {
    return fail(fault->error, path_ + ": injected");
  }
  return read_at(offset, into);
}

void MemoryFile::write_some(std::uint64_t offset, std::span<const Bytes> pieces, std::uint64_t limit) {
  WriteAt change{offset, {}};
  for (const Bytes piece : pieces) {
    const std::size_t count = std::min<std::uint64_t>(piece.size(), limit - change.data.size());
    change.data.insert(change.data.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (!change.data.empty()) node_->apply_now(std::move(change), fs_->clock_->wall_ms());
}

Result<> MemoryFile::write_at(std::uint64_t offset, std::span<const Bytes> pieces) {
  if (generation_ != fs_->generation_) return fail(Errc::kIo, path_ + ": opened before the crash");
  if (!writable_) return fail(Errc::kIo, path_ + ": opened for reading");
  std::uint64_t total = 0;
  for (const Bytes piece : pieces) total += piece.size();
  if (const auto* fault = fs_->take_fault(FileOperation::kWrite, path_)) {
    write_some(offset, pieces, std::min<std::uint64_t>(fault->write_bytes, total));
    return fail(fault->error, path_ + ": injected failure of a write");
  }
  const std::uint64_t owned = std::max<std::uint64_t>(node_->data.size(), node_->allocated);
  const std::uint64_t end = offset + total;
  const std::uint64_t room = end > owned ? fs_->room() : 0;
  if (end > owned && end - owned > room) {
    const std::uint64_t limit = owned + room > offset ? owned + room - offset : 0;
    write_some(offset, pieces, limit);
    return fail(Errc::kNoSpace, path_ + ": no space left");
  }
  write_some(offset, pieces, total);
  return {};
}

Result<> MemoryFile::truncate(std::uint64_t size) {
  DOHLE_TRY(check_writable(FileOperation::kTruncate));
  node_->apply_now(TruncateTo{size}, fs_->clock_->wall_ms());
  node_->allocated = size;
  return {};
}

Result<> MemoryFile::allocate(std::uint64_t offset, std::uint64_t length) {
  DOHLE_TRY(check_writable(FileOperation::kAllocate));
  const std::uint64_t owned = std::max<std::uint64_t>(node_->data.size(), node_->allocated);
  const std::uint64_t end = offset + length;
  if (end > owned && end - owned > fs_->room()) return fail(Errc::kNoSpace, path_ + ": no space left");
  node_->allocated = std::max(node_->allocated, end);
  return {};
}

Result<std::uint64_t> MemoryFile::size() const {
  if (generation_ != fs_->generation_) return fail(Errc::kIo, path_ + ": opened before the crash");
  return node_->data.size();
}

Result<> MemoryFile::sync() {
  if (generation_ != fs_->generation_) return fail(Errc::kIo, path_ + ": opened before the crash");
  if (const auto* fault = fs_->take_fault(FileOperation::kSync, path_)) {
    node_->unsynced.clear();
    return fail(fault->error, path_ + ": injected failure of a sync");
  }
  node_->sync();
  return {};
}

}  // namespace dohle::runtime

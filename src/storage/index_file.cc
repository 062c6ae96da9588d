#include "index_file.h"

#include <cstring>

#include <base/check.h>
#include <fmt/format.h>

namespace dohle::storage {

namespace {
constexpr std::size_t kPendingBytes = 8192;
}

IndexFile::IndexFile(runtime::FileSystem& fs, OpenFiles& pool, std::string path, std::size_t entry_bytes)
    : fs_(fs), file_(fs, pool, std::move(path)), entry_bytes_(entry_bytes) {}

Result<> IndexFile::load(std::uint64_t bytes) {
  if (bytes % entry_bytes_ != 0) {
    return fail(Errc::kCorrupt, fmt::format("{}: {} bytes is no multiple of {}", file_.path(), bytes, entry_bytes_));
  }
  written_ = bytes / entry_bytes_;
  pending_.clear();
  return {};
}

Result<> IndexFile::reset() {
  written_ = 0;
  pending_.clear();
  const auto file = file_.get(true);
  // A full disk: there is none yet, and the first entries that are written make it.
  if (!file && file.error().code == Errc::kNoSpace) return {};
  if (!file) return fail(file.error());
  return (*file)->truncate(0);
}

void IndexFile::append(Bytes entry) {
  DOHLE_CHECK(entry.size() == entry_bytes_);
  pending_.insert(pending_.end(), entry.begin(), entry.end());
}

Result<> IndexFile::read(std::size_t n, MutableBytes into, Probe probe) const {
  DOHLE_CHECK(n < entries() && into.size() == entry_bytes_);
  if (n >= written_) {
    std::memcpy(into.data(), pending_.data() + (n - written_) * entry_bytes_, entry_bytes_);
    return {};
  }
  DOHLE_ASSIGN(const auto file, file_.get(probe));
  DOHLE_ASSIGN(const std::size_t got, read_some(file, n * entry_bytes_, into, probe));
  if (got != entry_bytes_) return fail(Errc::kCorrupt, fmt::format("{} is shorter than its entries", file_.path()));
  return {};
}

Result<> IndexFile::truncate(std::size_t entries) {
  if (entries >= this->entries()) return {};
  if (entries >= written_) {
    pending_.resize((entries - written_) * entry_bytes_);
    return {};
  }
  DOHLE_ASSIGN(const auto file, file_.get(true));
  DOHLE_TRY(file->truncate(entries * entry_bytes_));
  written_ = entries;
  pending_.clear();
  return {};
}

Result<> IndexFile::write_out() {
  IndexWrite write = prepare_write(true);
  auto written = write.run(fs_);
  finish_write(write);
  return written;
}

Result<> IndexFile::write_block() {
  IndexWrite write = prepare_write(false);
  auto written = write.run(fs_);
  finish_write(write);
  return written;
}

IndexWrite IndexFile::prepare_write(bool all) {
  if (pending_.empty() || (!all && pending_.size() < kPendingBytes)) return {};
  return {.file = file_.for_work(), .at = written_ * entry_bytes_, .entries = Bytes(pending_), .all = all};
}

void IndexFile::finish_write(const IndexWrite& write) {
  file_.adopt(write.file.file);
  if (!write.done) return;
  written_ += write.entries.size() / entry_bytes_;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(write.entries.size()));
}

}  // namespace dohle::storage

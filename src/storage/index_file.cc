#include "index_file.h"

#include <cstring>

#include <base/check.h>
#include <fmt/format.h>

namespace dohle::storage {

namespace {
constexpr std::size_t kPendingBytes = 8192;
}

IndexFile::IndexFile(runtime::FileSystem& fs, OpenFiles& pool, std::string path, std::size_t entry_bytes)
    : file_(fs, pool, std::move(path)), entry_bytes_(entry_bytes) {}

Result<> IndexFile::load(std::uint64_t bytes) {
  if (bytes % entry_bytes_ != 0) {
    return fail(Errc::kCorrupt, fmt::format("{}: {} bytes is no multiple of {}", file_.path(), bytes, entry_bytes_));
  }
  written_ = bytes / entry_bytes_;
  pending_.clear();
  return {};
}

Result<> IndexFile::reset() {
  DOHLE_ASSIGN(const auto file, file_.get(true));
  DOHLE_TRY(file->truncate(0));
  written_ = 0;
  pending_.clear();
  return {};
}

Result<> IndexFile::append(Bytes entry) {
  DOHLE_CHECK(entry.size() == entry_bytes_);
  pending_.insert(pending_.end(), entry.begin(), entry.end());
  if (pending_.size() < kPendingBytes) return {};
  auto written = write_out();
  // A full disk refuses the next batch, not the index entry of one that is in the log: it stays in memory meanwhile.
  return !written && written.error().code == Errc::kNoSpace ? Result<>{} : written;
}

Result<> IndexFile::read(std::size_t n, MutableBytes into, Probe probe) const {
  DOHLE_CHECK(n < entries() && into.size() == entry_bytes_);
  if (n >= written_) {
    std::memcpy(into.data(), pending_.data() + (n - written_) * entry_bytes_, entry_bytes_);
    return {};
  }
  DOHLE_ASSIGN(const auto file, file_.get());
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
  if (pending_.empty()) return {};
  DOHLE_ASSIGN(const auto file, file_.get(true));
  DOHLE_TRY(file->write_at(written_ * entry_bytes_, Bytes(pending_)));
  written_ += pending_.size() / entry_bytes_;
  pending_.clear();
  return {};
}

}  // namespace dohle::storage

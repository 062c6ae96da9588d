#include "open_files.h"

namespace dohle::storage {

void OpenFiles::touch(LazyFile& file) { recent_.splice(recent_.begin(), recent_, file.place_); }

void OpenFiles::forget(LazyFile& file) { recent_.erase(file.place_); }

Result<runtime::FileRef> LazyFile::get(bool create) {
  if (file_) {
    pool_.touch(*this);
    return file_;
  }
  DOHLE_ASSIGN(file_, fs_.open(path_, create ? runtime::OpenMode::kCreate : runtime::OpenMode::kReadWrite));
  place_ = pool_.recent_.insert(pool_.recent_.begin(), this);
  while (pool_.recent_.size() > pool_.capacity_ && pool_.recent_.back() != this) pool_.recent_.back()->drop();
  return file_;
}

void LazyFile::drop() {
  if (!file_) return;
  pool_.forget(*this);
  file_.reset();
}

Result<> LazyFile::rename(std::string path) {
  DOHLE_TRY(fs_.rename(path_, path));
  path_ = std::move(path);
  return {};
}

Result<std::size_t> read_some(const runtime::FileRef& file, std::uint64_t offset, MutableBytes into, Probe probe) {
  if (probe == nullptr) return file->read_at(offset, into);
  auto got = file->read_at_nowait(offset, into);
  if (!got && got.error().code == Errc::kWouldBlock) *probe = runtime::FileRange{file, offset, into.size()};
  return got;
}

}  // namespace dohle::storage

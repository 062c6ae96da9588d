#include "open_files.h"

namespace dohle::storage {

void OpenFiles::touch(LazyFile& file) { recent_.splice(recent_.begin(), recent_, file.place_); }

void OpenFiles::forget(LazyFile& file) { recent_.erase(file.place_); }

Result<runtime::FileRef> LazyFile::get(bool create) {
  if (!file_) {
    DOHLE_ASSIGN(auto opened, fs_.open(path_, create ? runtime::OpenMode::kCreate : runtime::OpenMode::kReadWrite));
    adopt(opened);
  } else {
    pool_->touch(*this);
  }
  return file_;
}

Result<runtime::FileRef> LazyFile::get(Probe probe) {
  if (file_ || probe == nullptr) return get();
  if (probe->opened && probe->path == path_) {
    adopt(std::exchange(probe->opened, nullptr));
    return file_;
  }
  probe->path = path_;
  return fail(Errc::kWouldBlock, path_ + ": not open");
}

WorkFile LazyFile::for_work() {
  if (file_) pool_->touch(*this);
  return {.path = &path_, .file = file_};
}

void LazyFile::adopt(const runtime::FileRef& file) {
  if (file_ || !file) return;
  file_ = file;
  auto& recent = pool_->recent_;
  place_ = recent.insert(recent.begin(), this);
  while (recent.size() > pool_->capacity_ && recent.back() != this) recent.back()->drop();
}

void LazyFile::move_to(OpenFiles& pool) {
  const runtime::FileRef file = file_;
  drop();
  pool_ = &pool;
  adopt(file);
}

void LazyFile::drop() {
  if (!file_) return;
  pool_->forget(*this);
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
  if (!got && got.error().code == Errc::kWouldBlock) probe->bytes = {file, offset, into.size()};
  return got;
}

}  // namespace dohle::storage

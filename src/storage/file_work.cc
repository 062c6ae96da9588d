#include "file_work.h"

#include <algorithm>

#include <base/mark.h>
#include <base/mutant.h>

namespace dohle::storage {

namespace {

constexpr std::uint64_t kMinStep = 32U << 10U;
constexpr std::uint64_t kMaxStep = 8U << 20U;

Result<> make_empty(WorkFile& file, runtime::FileSystem& fs) {
  DOHLE_TRY(file.open(fs));
  return file.file->truncate(0);
}

}  // namespace

Result<> WorkFile::open(runtime::FileSystem& fs) {
  if (file) return {};
  DOHLE_ASSIGN(file, fs.open(*path, runtime::OpenMode::kCreate));
  return {};
}

Result<> IndexWrite::run(runtime::FileSystem& fs) {
  if (entries.empty()) return {};
  DOHLE_TRY(file.open(fs));
  auto written = file.file->write_at(at, entries);
  done = written.has_value();
  return !written && written.error().code == Errc::kNoSpace && !all ? Result<>{} : written;
}

Result<> SegmentWrite::reserve() {
  const std::uint64_t needed = size + bytes.size();
  if (needed <= allocated) return {};
  const std::uint64_t step = std::max<std::uint64_t>(bytes.size(), std::clamp(size, kMinStep, kMaxStep));
  auto reserved = log.file->allocate(size, step);
  if (!reserved && reserved.error().code == Errc::kNoSpace && step > bytes.size()) {
    reserved = log.file->allocate(size, bytes.size());
    if (reserved) allocated = needed;
    return reserved;
  }
  if (!reserved) return reserved.error().code == Errc::kUnsupported ? Result<>{} : reserved;
  allocated = size + step;
  return {};
}

Result<> SegmentWrite::run(runtime::FileSystem& fs) {
  DOHLE_TRY(log.open(fs));
  if (tail_unknown) {
    DOHLE_TRY(log.file->truncate(size));
    tail_unknown = false;
    allocated = size;
  }
  DOHLE_TRY(reserve());
  if (auto written = log.file->write_at(size, bytes); !written && !DOHLE_MUTANT("storage.write_error_ignored")) {
    DOHLE_MARK("storage.failed_write_cut");
    tail_unknown = !log.file->truncate(size).has_value();
    allocated = size;
    return written;
  }
  DOHLE_TRY(offset_index.run(fs));
  DOHLE_TRY(time_index.run(fs));
  done = true;
  return {};
}

Result<> SegmentSeal::run(runtime::FileSystem& fs) {
  DOHLE_TRY(log.open(fs));
  DOHLE_TRY(time_index.file.open(fs));
  DOHLE_TRY(offset_index.file.open(fs));
  DOHLE_TRY(time_index.run(fs));
  DOHLE_TRY(offset_index.run(fs));
  if (cut) DOHLE_TRY(log.file->truncate(size));
  done = true;
  return {};
}

Result<> SegmentFiles::run(runtime::FileSystem& fs) {
  DOHLE_TRY(make_empty(log, fs));
  DOHLE_TRY(make_empty(offset_index, fs));
  DOHLE_TRY(make_empty(time_index, fs));
  if (auto gone = fs.remove_file(*transaction_index); !gone && gone.error().code != Errc::kNotFound) return gone;
  done = true;
  return {};
}

Result<> WholeFile::run(runtime::FileSystem& fs) {
  const std::string first = replaces ? path + ".tmp" : path;
  DOHLE_ASSIGN(auto opened, fs.open(first, runtime::OpenMode::kTruncate));
  DOHLE_TRY(opened->write_at(0, as_bytes(content)));
  if (replaces) DOHLE_TRY(fs.rename(first, path));
  file = std::move(opened);
  return {};
}

}  // namespace dohle::storage

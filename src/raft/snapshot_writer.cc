#include <raft/snapshot_writer.h>

#include <base/check.h>
#include <raft/snapshot_reader.h>
#include <records/builder.h>

#include "control_records.h"

namespace dohle::raft {

SnapshotWriter::SnapshotWriter(runtime::FileSystem& fs, std::string directory, SnapshotId id, SnapshotOptions options)
    : fs_(fs), directory_(std::move(directory)), id_(id), options_(std::move(options)) {
  part_path_ = snapshot_path(directory_, id_) + ".part";
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(runtime::FileSystem& fs, std::string directory,
                                                               SnapshotId id, SnapshotOptions options) {
  DOHLE_CHECK(options.kraft_version >= 1 || !options.voters);
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(fs, std::move(directory), id, std::move(options)));
  DOHLE_TRY(writer->open());
  return writer;
}

SnapshotWriter::~SnapshotWriter() {
  if (!published_) static_cast<void>(fs_.remove_file(part_path_));
}

Result<> SnapshotWriter::open() {
  DOHLE_TRY(fs_.create_directories(directory_));
  DOHLE_ASSIGN(file_, fs_.open(part_path_, runtime::OpenMode::kTruncate));
  return write_header();
}

Result<> SnapshotWriter::write_header() {
  std::vector<ControlRecord> header = {snapshot_header_record(options_.last_contained_log_timestamp_ms)};
  if (options_.kraft_version >= 1) {
    header.push_back(kraft_version_record(options_.kraft_version));
    if (options_.voters) header.push_back(voters_record(*options_.voters));
  }
  const Slice batch = control_batch(Offset(next_offset_), id_.epoch, options_.now_ms, header);
  next_offset_ += static_cast<std::int64_t>(header.size());
  return write(batch.bytes());
}

Result<> SnapshotWriter::append(std::span<const std::vector<std::uint8_t>> records) {
  DOHLE_CHECK(!completed_);
  for (const auto& record : records) {
    const std::size_t size = records::BatchBuilder::max_record_bytes(std::nullopt, Bytes(record), {});
    if (!pending_.empty() && pending_bytes_ + size > options_.max_batch_bytes) DOHLE_TRY(flush_batch());
    pending_.push_back(record);
    pending_bytes_ += size;
  }
  return {};
}

Result<> SnapshotWriter::flush_batch() {
  if (pending_.empty()) return {};
  const Slice batch = data_batch(Offset(next_offset_), id_.epoch, options_.now_ms, pending_);
  next_offset_ += static_cast<std::int64_t>(pending_.size());
  pending_.clear();
  pending_bytes_ = 0;
  return write(batch.bytes());
}

Result<> SnapshotWriter::write(Bytes batch) {
  DOHLE_TRY(file_->write_at(written_, batch));
  written_ += batch.size();
  return {};
}

Result<runtime::FileRef> SnapshotWriter::complete() {
  DOHLE_CHECK(!completed_);
  DOHLE_TRY(flush_batch());
  const ControlRecord footer = snapshot_footer_record();
  const Slice batch = control_batch(Offset(next_offset_), id_.epoch, options_.now_ms, std::span(&footer, 1));
  DOHLE_TRY(write(batch.bytes()));
  completed_ = true;
  return file_;
}

Result<> SnapshotWriter::publish() {
  DOHLE_CHECK(completed_ && !published_);
  DOHLE_TRY(fs_.rename(part_path_, snapshot_path(directory_, id_)));
  published_ = true;
  file_.reset();
  return {};
}

Result<> SnapshotWriter::freeze() {
  DOHLE_ASSIGN(const runtime::FileRef file, complete());
  DOHLE_TRY(file->sync());
  DOHLE_TRY(publish());
  return fs_.sync_directory(directory_);
}

}  // namespace dohle::raft

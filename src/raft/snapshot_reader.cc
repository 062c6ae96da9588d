#include <raft/snapshot_reader.h>

#include <array>

#include <fmt/format.h>

#include <records/batch.h>

#include "control_records.h"

namespace dohle::raft {

namespace {

std::unexpected<Error> corrupt(SnapshotId id, std::string_view what) {
  return fail(Errc::kCorrupt, fmt::format("snapshot {}.checkpoint {}", snapshot_name(id), what));
}

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(runtime::FileSystem& fs, const std::string& path,
                                                             SnapshotId id) {
  DOHLE_ASSIGN(runtime::FileRef file, fs.open(path, runtime::OpenMode::kRead));
  DOHLE_ASSIGN(const std::uint64_t size, file->size());
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(std::move(file), size, id));
  DOHLE_TRY(reader->read_header());
  return reader;
}

// Fills buffer_ with the batch at position_.
Result<> SnapshotReader::read_batch() {
  std::array<std::uint8_t, records::kPrefixBytes> prefix{};
  DOHLE_ASSIGN(const std::size_t got, file_->read_at(position_, prefix));
  DOHLE_ASSIGN(const auto head, records::peek(Bytes(prefix.data(), got)));
  if (!head || head->size_bytes > size_ - position_) return corrupt(id_, "is cut off");
  if (head->magic != records::kMagicV2) return corrupt(id_, "holds a batch of another format");
  buffer_.resize(head->size_bytes);
  DOHLE_ASSIGN(const std::size_t read, file_->read_at(position_, buffer_));
  if (read != buffer_.size()) return corrupt(id_, "is cut off");
  DOHLE_ASSIGN(const records::BatchView batch, records::BatchView::parse(buffer_));
  if (!batch.crc_ok()) return corrupt(id_, fmt::format("has a batch with a wrong CRC at byte {}", position_));
  position_ += buffer_.size();
  return {};
}

Result<> SnapshotReader::read_header() {
  DOHLE_TRY(read_batch());
  DOHLE_ASSIGN(const records::BatchView batch, records::BatchView::parse(buffer_));
  if (!batch.is_control()) return corrupt(id_, "does not begin with a control batch");
  DOHLE_ASSIGN(std::vector<ControlContent> contents, read_control_batch(batch));
  if (contents.empty() || !contents[0].header_last_contained_timestamp_ms) {
    return corrupt(id_, "does not begin with a snapshot header");
  }
  last_contained_log_timestamp_ms_ = *contents[0].header_last_contained_timestamp_ms;
  for (ControlContent& content : contents) {
    if (content.kraft_version) kraft_version_ = *content.kraft_version;
    if (content.voters) voters_ = std::move(content.voters);
  }
  data_start_ = position_;
  return {};
}

Result<std::optional<SnapshotBatch>> SnapshotReader::next() {
  for (;;) {
    if (position_ == size_) return corrupt(id_, "has no footer");
    DOHLE_TRY(read_batch());
    DOHLE_ASSIGN(const records::BatchView batch, records::BatchView::parse(buffer_));
    if (batch.is_control()) {
      DOHLE_ASSIGN(const std::vector<ControlContent> contents, read_control_batch(batch));
      for (const ControlContent& content : contents) {
        if (content.footer) return std::optional<SnapshotBatch>();
      }
      continue;
    }
    DOHLE_ASSIGN(FramedRecords framed, read_data_batch(batch));
    kept_ = std::move(framed.kept);
    return std::optional(SnapshotBatch{.base_offset = batch.base_offset(),
                                       .append_timestamp_ms = batch.max_timestamp(),
                                       .records = std::move(framed.records)});
  }
}

void SnapshotReader::rewind() { position_ = data_start_; }

}  // namespace dohle::raft

// SnapshotReader: reads a `.checkpoint` file batch by batch; every batch's CRC, the header and the footer are checked.
// The file is untrusted: a batch may not be larger than what is left of it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.h>
#include <base/result.h>
#include <raft/replica_key.h>
#include <raft/voter_set.h>
#include <runtime/file_system.h>

namespace dohle::raft {

struct SnapshotBatch {
  Offset base_offset{0};  // within the snapshot, not the log
  std::int64_t append_timestamp_ms = 0;
  std::vector<Bytes> records;  // framed payloads, valid until the next call
};

class SnapshotReader {
 public:
  // kNotFound when there is no such file, kCorrupt when it does not begin with a snapshot header.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotReader>> open(runtime::FileSystem& fs, const std::string& path,
                                                                    SnapshotId id);
  [[nodiscard]] SnapshotId id() const { return id_; }
  [[nodiscard]] std::int64_t last_contained_log_timestamp_ms() const { return last_contained_log_timestamp_ms_; }
  [[nodiscard]] std::int16_t kraft_version() const { return kraft_version_; }
  [[nodiscard]] const std::optional<VoterSet>& voters() const { return voters_; }
  [[nodiscard]] std::uint64_t size_bytes() const { return size_; }

  // The next data batch; nullopt after the footer. kCorrupt when the file ends without one.
  [[nodiscard]] Result<std::optional<SnapshotBatch>> next();
  // Back to before the first data batch.
  void rewind();

 private:
  SnapshotReader(runtime::FileRef file, std::uint64_t size, SnapshotId id)
      : file_(std::move(file)), size_(size), id_(id) {}
  Result<> read_batch();
  Result<> read_header();

  runtime::FileRef file_;
  std::uint64_t size_ = 0;
  SnapshotId id_;
  std::uint64_t position_ = 0;
  std::uint64_t data_start_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::deque<std::vector<std::uint8_t>> kept_;  // records of a compressed batch
  std::int64_t last_contained_log_timestamp_ms_ = 0;
  std::int16_t kraft_version_ = 0;
  std::optional<VoterSet> voters_;
};

// `00000000000000000012-0000000003` and back.
[[nodiscard]] std::string snapshot_name(SnapshotId id);
[[nodiscard]] std::string snapshot_path(std::string_view directory, SnapshotId id);
enum class SnapshotFileKind : std::uint8_t { kComplete, kPartial, kDeleted };
struct SnapshotFile {
  SnapshotId id;
  SnapshotFileKind kind = SnapshotFileKind::kComplete;
};
// nullopt for names of other files.
[[nodiscard]] std::optional<SnapshotFile> parse_snapshot_file_name(std::string_view name);

}  // namespace dohle::raft

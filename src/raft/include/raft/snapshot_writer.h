// SnapshotWriter: writes `%020d-%010d.checkpoint` with Kafka's framing (KIP-630): a control batch with the header (and,
// from kraft.version 1 on, KRaftVersion and Voters), data batches, a control batch with the footer. All batches carry
// the snapshot's epoch and count offsets from 0. The file has a `.checkpoint.part` name until it is frozen.
//
// Plain blocking object without a shard of its own: one user at a time, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <base/result.h>
#include <raft/replica_key.h>
#include <raft/voter_set.h>
#include <runtime/file_system.h>

namespace dohle::raft {

struct SnapshotOptions {
  std::int64_t last_contained_log_timestamp_ms = 0;
  std::int64_t now_ms = 0;  // timestamp of the records written
  std::int16_t kraft_version = 0;
  std::optional<VoterSet> voters;  // only with kraft_version >= 1
  std::size_t max_batch_bytes = 8U << 20U;
};

class SnapshotWriter {
 public:
  // `directory` is `.../__cluster_metadata-0`; created when absent.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotWriter>> create(runtime::FileSystem& fs, std::string directory,
                                                                      SnapshotId id, SnapshotOptions options);
  ~SnapshotWriter();  // removes the temporary file unless published
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  [[nodiscard]] SnapshotId id() const { return id_; }
  // Framed records, kept in order; several calls may share a batch.
  [[nodiscard]] Result<> append(std::span<const std::vector<std::uint8_t>> records);
  // Footer, sync, rename: blocks. After it only id() and size_bytes() may be called.
  [[nodiscard]] Result<> freeze();
  // The same in steps, for who syncs elsewhere: complete(), sync the file, publish(), sync the directory.
  [[nodiscard]] Result<runtime::FileRef> complete();
  [[nodiscard]] Result<> publish();
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::uint64_t size_bytes() const { return written_; }

 private:
  SnapshotWriter(runtime::FileSystem& fs, std::string directory, SnapshotId id, SnapshotOptions options);
  Result<> open();
  Result<> write_header();
  Result<> flush_batch();
  Result<> write(Bytes batch);

  runtime::FileSystem& fs_;
  std::string directory_;
  SnapshotId id_;
  SnapshotOptions options_;
  std::string part_path_;
  runtime::FileRef file_;
  std::uint64_t written_ = 0;
  std::int64_t next_offset_ = 0;
  std::vector<std::vector<std::uint8_t>> pending_;
  std::size_t pending_bytes_ = 0;
  bool completed_ = false;
  bool published_ = false;
};

}  // namespace dohle::raft

// Walking the batches of a segment file: by header only, to find positions; or whole, to check, replay and show them.
// Any shard; a file may be walked by several at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <records/batch.h>
#include <runtime/file_system.h>

namespace dohle::storage {

// Where a read that may not wait says what was missing: bytes of an open file, or the file at `path` itself. Who has
// opened that puts it into `opened` and reads again.
struct ColdSpot {
  runtime::FileRange bytes;
  std::string path;
  runtime::FileRef opened;
};
// Null: the read may block.
using Probe = ColdSpot*;

// A batch as its header describes it.
struct BatchPlace {
  std::uint64_t position = 0;
  std::uint64_t size = 0;
  std::int8_t magic = 0;
  Offset base_offset;  // v0, v1: the last offset
  Offset last_offset;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int64_t max_timestamp = -1;
  [[nodiscard]] std::uint64_t end() const { return position + size; }
};

// Headers of [position, end). A batch that reaches beyond `end` ends the walk.
class BatchHeaderScanner {
 public:
  BatchHeaderScanner(runtime::FileRef file, std::uint64_t position, std::uint64_t end, Probe probe = nullptr)
      : file_(std::move(file)), position_(position), end_(end), probe_(probe) {}
  // Nothing at the end. kCorrupt where the file cannot be walked further.
  [[nodiscard]] Result<std::optional<BatchPlace>> next();
  [[nodiscard]] std::uint64_t position() const { return position_; }  // after the last batch

 private:
  // Makes at least `bytes` from position_ available, if the range has them.
  [[nodiscard]] Result<Bytes> peek(std::size_t bytes);
  runtime::FileRef file_;
  std::uint64_t position_;
  std::uint64_t end_;
  Probe probe_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t buffer_at_ = 0;
};

// Whole batches of [position, end), from a buffer of one MiB or of the largest batch.
class BatchFileReader {
 public:
  BatchFileReader(runtime::FileRef file, std::uint64_t position, std::uint64_t end, Probe probe = nullptr)
      : file_(std::move(file)), position_(position), end_(end), probe_(probe) {}
  // Valid until the next call. Nothing at the end, or where less than a batch is left (position() says where); kCorrupt
  // where the file cannot be walked further. The CRC is the caller's business.
  [[nodiscard]] Result<std::optional<records::BatchView>> next();
  // The same where the batch matches its checksum, and nothing where it does not or there is none. Fails with the file.
  [[nodiscard]] Result<std::optional<records::BatchView>> next_sound();
  [[nodiscard]] std::uint64_t position() const { return position_; }  // after the last batch
  // From a batch at `damaged_at` that cannot be used to the next that can, with an offset of at least `at_least`: one
  // that matches its checksum and is followed by others up to the end, so that a batch inside a record's value is not
  // taken for one of the log's. False, at the end of the range, when there is none.
  [[nodiscard]] Result<bool> skip_damage(std::uint64_t damaged_at, Offset at_least);

 private:
  [[nodiscard]] Result<Bytes> peek(std::size_t bytes);
  [[nodiscard]] Result<bool> sound_from(std::uint64_t position, Offset at_least) const;
  runtime::FileRef file_;
  std::uint64_t position_;
  std::uint64_t end_;
  Probe probe_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t buffer_at_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace dohle::storage

// Segment: a stretch of a log in one file, with its indexes. Positions are bytes in the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/ids.h>
#include <base/result.h>
#include <runtime/file_system.h>
#include <storage/log_config.h>

#include <storage/batch_scan.h>

#include "file_work.h"
#include "offset_index.h"
#include "open_files.h"
#include "time_index.h"
#include "transaction_index.h"

namespace dohle::storage {

struct SegmentSetup {
  runtime::FileSystem& files;
  OpenFiles& pool;
  const std::string& directory;
  Offset base;
  std::int64_t created_ms = 0;  // wall clock
  std::int64_t roll_jitter_ms = 0;
};

// What a directory listing says of a segment's files.
struct SegmentSizes {
  std::uint64_t log = 0;
  std::optional<std::uint64_t> offset_index;
  std::optional<std::uint64_t> time_index;
  bool transaction_index = false;
};

// What an append is about to bring, as far as rolling is concerned.
struct RollQuestion {
  std::uint64_t bytes = 0;
  Offset last_offset;
  std::int64_t max_timestamp = -1;
  std::int64_t now_ms = 0;
};

class Segment {
 public:
  // A new, empty segment; files that lie there already are emptied.
  [[nodiscard]] static Result<std::unique_ptr<Segment>> create(const SegmentSetup& setup);
  // The same for whoever makes the files elsewhere: not to be used before finish_create().
  [[nodiscard]] static std::unique_ptr<Segment> to_create(const SegmentSetup& setup);
  [[nodiscard]] SegmentFiles prepare_create() const;
  void finish_create(const SegmentFiles& files);
  // An existing one, as it is: reads nothing. Missing or damaged indexes show in load_indexes().
  [[nodiscard]] static Result<std::unique_ptr<Segment>> open(const SegmentSetup& setup, const SegmentSizes& sizes);
  // kNotFound without an offset index, kCorrupt with a damaged one. A missing time index is created. Looks into the
  // files only when asked to `verify`: after a clean stop their sizes are enough.
  [[nodiscard]] Result<> load_indexes(const SegmentSizes& sizes, bool verify);

  [[nodiscard]] Offset base() const { return base_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // An append is prepared, run, and finished however it went. `batches` describe its bytes, one after the other. All or
  // nothing: a short write is cut off.
  [[nodiscard]] Result<SegmentWrite> prepare_append(Bytes bytes, Probe probe = nullptr);
  void finish_append(const SegmentWrite& write, const std::vector<BatchPlace>& batches,
                     std::int32_t index_interval_bytes);
  [[nodiscard]] Result<bool> should_roll(const RollQuestion& question, const LogConfig& config, Probe probe = nullptr);

  // The first batch that ends at or after `offset`, looked for from its index entry on. Nothing beyond the last batch;
  // kCorrupt when it lay where the headers have rotted, and not when it lies behind that.
  [[nodiscard]] Result<std::optional<BatchPlace>> find(Offset offset, Probe probe = nullptr);
  // After the last record; the base offset when empty.
  [[nodiscard]] Result<Offset> read_next_offset();
  // The largest timestamp and its batch's last offset; (-1, base) when there is none.
  [[nodiscard]] Result<TimeEntry> max_timestamp(Probe probe = nullptr);
  // For retention: the file's time of change when no record has a timestamp.
  [[nodiscard]] Result<std::int64_t> retention_timestamp(Probe probe = nullptr);
  // The first record at or after both; nothing when there is none.
  [[nodiscard]] Result<std::optional<TimeEntry>> find_by_timestamp(std::int64_t timestamp, Offset from,
                                                                   LeaderEpoch* epoch, Probe probe = nullptr);
  [[nodiscard]] Result<runtime::FileRef> file(Probe probe = nullptr) { return log_.get(probe); }

  // Cuts what begins at or above `offset`; returns the bytes cut.
  [[nodiscard]] Result<std::uint64_t> truncate_to(Offset offset, std::int64_t now_ms);
  // No more appends: the time index gets the maximum, indexes are written out, spare blocks given back.
  [[nodiscard]] Result<> seal();
  // In three steps, as an append.
  [[nodiscard]] Result<SegmentSeal> prepare_seal(Probe probe = nullptr);
  void finish_seal(const SegmentSeal& seal);
  // Of the transaction index, when there is one.
  [[nodiscard]] runtime::FileRef transaction_file();
  // Files to sync so that data, or with `indexes` everything, is durable.
  [[nodiscard]] Result<> collect_files(std::vector<runtime::FileRef>& into, bool indexes);

  // Renames all files from one suffix to another; absent ones are skipped. Returns the new paths.
  [[nodiscard]] Result<std::vector<std::string>> change_suffix(std::string_view from, std::string_view to);
  void move_to(OpenFiles& pool);

  [[nodiscard]] OffsetIndex& offset_index() { return index_; }
  [[nodiscard]] TimeIndex& time_index() { return time_index_; }
  [[nodiscard]] TransactionIndex& transaction_index() { return txn_index_; }
  [[nodiscard]] const std::string& path() const { return log_.path(); }

  // Starts the indexes anew; for recovery, which appends to them as it reads.
  [[nodiscard]] Result<> reset_indexes();
  void note_recovered(const BatchPlace& batch, std::int64_t max_timestamp);
  [[nodiscard]] Result<> add_index_entry(Offset offset, std::uint64_t position);
  [[nodiscard]] Result<> cut_to(std::uint64_t bytes);
  // These bytes at `position`, which is no further than the end.
  [[nodiscard]] Result<> put_back(std::uint64_t position, Bytes bytes);
  // Writes what is there from `offset` on once more, so that the next sync cannot but write it.
  [[nodiscard]] Result<> write_again(Offset offset);

 private:
  [[nodiscard]] bool may_follow(const BatchPlace& before, const BatchPlace& batch) const;
  [[nodiscard]] static Result<bool> is_sound(const runtime::FileRef& file, const BatchPlace& place, Probe probe);
  [[nodiscard]] Result<BatchPlace> place_behind(const runtime::FileRef& file, const std::optional<BatchPlace>& before,
                                                std::uint64_t position, Probe probe);
  [[nodiscard]] std::unexpected<Error> damaged_at(std::uint64_t position) const;
  [[nodiscard]] Result<OffsetPosition> start_of_search(Offset offset, Probe probe = nullptr);
  Segment(const SegmentSetup& setup);
  [[nodiscard]] Result<std::int64_t> first_batch_timestamp(Probe probe);
  [[nodiscard]] Result<TimeEntry> scan_max_timestamp();

  runtime::FileSystem& files_;
  Offset base_;
  LazyFile log_;
  OffsetIndex index_;
  TimeIndex time_index_;
  TransactionIndex txn_index_;
  std::uint64_t size_ = 0;
  std::uint64_t allocated_ = 0;  // blocks are there up to here
  bool tail_unknown_ = false;    // a failed write could not be cut off
  bool index_damage_told_ = false;
  std::uint64_t bytes_since_index_entry_ = 0;
  std::int64_t created_ms_;
  std::int64_t roll_jitter_ms_;
  std::optional<std::int64_t> first_timestamp_;
  std::optional<TimeEntry> max_timestamp_;  // nothing: not read yet
};

}  // namespace dohle::storage

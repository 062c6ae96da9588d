// kafka-dump-log's pictures of files: a log or snapshot batch by batch, the indexes beside it, producer snapshots. What
// is printed goes to standard output at once; what does not fit together is collected and told at the end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <base/ids.h>
#include <runtime/file_system.h>
#include <storage/batch_scan.h>

#include "record_decoders.h"
#include "tool.h"

namespace dohle::app {

struct DumpOptions {
  bool deep = false;                   // the records inside batches too
  bool contents = false;               // their keys and values
  bool skip_metadata = false;          // nothing but those
  std::int32_t max_bytes = INT32_MAX;  // of a log, from its beginning
  std::int32_t max_message_bytes = 5 * 1024 * 1024;
  bool verify_only = false;  // indexes: compare, do not print
  bool sanity_only = false;  // indexes: only what a broker checks when it starts
};

// Pairs of numbers that should have fitted together, by the absolute path of their file.
class DumpFindings {
 public:
  using Pairs = std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>>;
  Pairs index_mismatches;         // offset in the index, offset in the log
  Pairs timestamp_mismatches;     // timestamp in the index, timestamp in the log
  Pairs timestamps_out_of_order;  // timestamp, the one before it
  Pairs offsets_not_found;        // offset in the time index, offset in the log or -1
  Pairs non_consecutive;          // offset, the one after it
  // To standard error.
  void print() const;
};

class LogDumper {
 public:
  LogDumper(runtime::FileSystem& files, DumpOptions options) : files_(files), options_(options) {}

  // `path` as it was given; a complaint ends the tool.
  [[nodiscard]] Checked<> dump_log(const std::string& path, const RecordDecoder& decoder);
  [[nodiscard]] Checked<> dump_offset_index(const std::string& path);
  [[nodiscard]] Checked<> dump_time_index(const std::string& path);
  [[nodiscard]] Checked<> dump_transaction_index(const std::string& path);
  [[nodiscard]] Checked<> dump_producer_snapshot(const std::string& path);
  [[nodiscard]] const DumpFindings& findings() const { return findings_; }

 private:
  struct Segment {
    runtime::FileRef file;
    std::uint64_t size = 0;
  };
  [[nodiscard]] Checked<Segment> open(const std::string& path);
  [[nodiscard]] Checked<> dump_records(const std::string& path, const records::BatchView& batch,
                                       const RecordDecoder& decoder, std::int64_t& last_offset);
  // The largest timestamp of the records in the batch at `place`.
  [[nodiscard]] Checked<std::int64_t> max_timestamp(const Segment& log, const storage::BatchPlace& place);

  runtime::FileSystem& files_;
  DumpOptions options_;
  DumpFindings findings_;
};

// The number before the first dot of a file's name, its offset.
[[nodiscard]] Checked<std::int64_t> offset_of_file(const std::string& path);
[[nodiscard]] std::string_view name_of_file(std::string_view path);

}  // namespace dohle::app

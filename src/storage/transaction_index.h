// TransactionIndex: the aborted transactions that end in a segment. The file exists only once there is one.
// Entry, 34 bytes: i16 version 0, i64 producer id, i64 first offset, i64 last offset, i64 last stable offset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <base/ids.h>
#include <base/result.h>

#include "open_files.h"

namespace dohle::storage {

struct AbortedTxn {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;
  Offset last_stable_offset;
  friend bool operator==(const AbortedTxn&, const AbortedTxn&) = default;
};

class TransactionIndex {
 public:
  static constexpr std::size_t kEntryBytes = 34;
  TransactionIndex(runtime::FileSystem& fs, OpenFiles& pool, std::string path);

  // kCorrupt: cut entries, an unknown version, offsets that go back or lie below `base`.
  [[nodiscard]] Result<> load(Offset base);
  [[nodiscard]] const std::vector<AbortedTxn>& entries() const { return entries_; }
  [[nodiscard]] Result<> append(const AbortedTxn& txn);
  // Drops transactions whose marker is at or above `offset`.
  [[nodiscard]] Result<> truncate_to(Offset offset);
  [[nodiscard]] Result<> reset();
  [[nodiscard]] bool exists() const { return exists_; }
  [[nodiscard]] LazyFile& lazy() { return file_; }
  [[nodiscard]] const LazyFile& lazy() const { return file_; }

 private:
  runtime::FileSystem& fs_;
  LazyFile file_;
  bool exists_ = false;
  std::vector<AbortedTxn> entries_;
};

// kCorrupt for a cut entry or an unknown version; the second one also for offsets that go back or lie below `base`.
[[nodiscard]] Result<std::vector<AbortedTxn>> read_transaction_index(Bytes content);
[[nodiscard]] Result<std::vector<AbortedTxn>> parse_transaction_index(Bytes content, Offset base);

}  // namespace dohle::storage

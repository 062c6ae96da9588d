// RecordReader: the records of a batch one by one, of any format and codec, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <base/result.h>
#include <records/batch.h>
#include <records/codec.h>
#include <records/record.h>

namespace dohle::records {

struct ReadLimits {
  // A larger record is refused (kRecordTooLarge). Memory grows with what really comes out of the decompressor.
  std::size_t max_record_bytes = std::size_t{512} << 20U;
};

// Reads one batch. Not a checker: the CRC is the caller's business, and what the validator lets pass can be read.
class RecordReader {
 public:
  // `batch` must outlive the reader. `decompressor` (may be null) is reused instead of an own one, to spare allocations
  // over many batches; it serves one reader at a time.
  explicit RecordReader(const BatchView& batch, Decompressor* decompressor = nullptr, ReadLimits limits = {});
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;
  ~RecordReader();

  // True when there was a record. Errors: kInvalidRecord (malformed records, counts that do not match the bytes),
  // kCorrupt (legacy sets), kUnsupportedCompression, kRecordTooLarge, and kUndecodable when the codec gives up.
  [[nodiscard]] Result<bool> next();
  // The record of the last next(); valid until the next one.
  [[nodiscard]] const RecordView& record() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Calls `visit(const RecordView&) -> Result<>` for each record, in order; stops at the first error.
template <typename Visit>
[[nodiscard]] Result<> for_each(const BatchView& batch, Visit&& visit, Decompressor* decompressor = nullptr,
                                ReadLimits limits = {}) {
  RecordReader reader(batch, decompressor, limits);
  for (;;) {
    DOHLE_ASSIGN(const bool more, reader.next());
    if (!more) return {};
    DOHLE_TRY(visit(reader.record()));
  }
}

}  // namespace dohle::records

// The records a manager decided on, ready for the log, and the answer that goes with them.
#pragma once

#include <cstddef>
#include <expected>
#include <utility>
#include <vector>

#include <image/record_codec.h>
#include <metadata/config_validator.h>
#include <metadata/delta.h>

namespace dohle::metadata {

// More than this in one user's operation is refused with POLICY_VIOLATION; other operations are split.
inline constexpr std::size_t kMaxRecordsPerBatch = 10000;

class RecordList {
 public:
  template <typename T>
  void add(const T& record, std::int16_t version) {
    records_.push_back(encode_record(record, version));
  }
  void add_encoded(EncodedRecord record) { records_.push_back(std::move(record)); }
  void append(RecordList more) {
    for (EncodedRecord& record : more.records_) records_.push_back(std::move(record));
  }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] const std::vector<EncodedRecord>& all() const { return records_; }
  [[nodiscard]] std::vector<EncodedRecord> take() { return std::move(records_); }
  void clear() { records_.clear(); }

 private:
  std::vector<EncodedRecord> records_;
};

template <typename T>
struct Decision {
  RecordList records;
  T response;
  bool atomic = true;  // all records in one batch
};

template <typename T>
using Decided = std::expected<Decision<T>, ApiError>;

}  // namespace dohle::metadata

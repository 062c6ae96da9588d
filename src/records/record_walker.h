// RecordWalker: checks the records of a batch as they come out of a decompressor, chunk by chunk, and keeps none of
// them: a record of a gigabyte costs no memory. Held against Kafka's rules for DefaultRecord: where a batch is
// compressed, a record's fields count and its length need not be that of its fields.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/bytes.h>
#include <base/result.h>

namespace dohle::records {

class RecordWalker {
 public:
  struct Seen {
    std::int32_t index = 0;
    std::int64_t timestamp_delta = 0;
    std::int32_t offset_delta = 0;
    bool has_key = false;
  };

  enum class Lengths : std::uint8_t { kExact, kIgnored };
  // `expected` records must come, no more and no fewer.
  RecordWalker(std::int32_t expected, Lengths lengths) : expected_(expected), lengths_(lengths) {}

  // Walks all of `chunk`, calling `on_record(const Seen&)` at the end of each record. False when it is malformed.
  template <typename OnRecord>
  [[nodiscard]] bool feed(Bytes chunk, OnRecord&& on_record) {
    const std::uint8_t* at = chunk.data();
    const std::uint8_t* const end = at + chunk.size();
    while (at != end) {
      if (field_ == Field::kLength && shift_ == 0 && whole_record(at, end)) {
        on_record(seen_);
        finish_record();
        continue;
      }
      if (wrong_ != nullptr || !step(at, end)) return false;
      if (field_ == Field::kEnd) {
        on_record(seen_);
        finish_record();
      }
    }
    return true;
  }
  // At the end of the stream. False when records are missing.
  [[nodiscard]] bool finish();
  // After feed() or finish() said false.
  [[nodiscard]] Error error() const { return {code_, wrong_}; }
  [[nodiscard]] std::int32_t records() const { return seen_.index; }

 private:
  enum class Field : std::uint8_t {
    kLength,
    kAttributes,
    kTimestamp,
    kOffset,
    kKeyLength,
    kKey,
    kValueLength,
    kValue,
    kHeaderCount,
    kHeaderKeyLength,
    kHeaderKey,
    kHeaderValueLength,
    kHeaderValue,
    kEnd,
  };

  bool refuse(const char* why, Errc code = Errc::kInvalidRecord) {
    wrong_ = why;
    code_ = code;
    return false;
  }
  [[nodiscard]] bool is_exact() const { return lengths_ == Lengths::kExact; }
  void finish_record() {
    ++seen_.index;
    field_ = Field::kLength;
  }
  // The usual case: a record that lies in the chunk from end to end. Otherwise leaves `at` where it is.
  bool whole_record(const std::uint8_t*& at, const std::uint8_t* end);
  // Most of those: no headers, and no number of more than three bytes. Nothing can be wrong with it; false says nothing.
  bool plain_record(const std::uint8_t*& at, const std::uint8_t* end);
  // One byte, or what can be skipped of a field.
  bool step(const std::uint8_t*& at, const std::uint8_t* end);
  bool varint_byte(std::uint8_t byte);
  bool varint_done(std::int64_t value);
  bool skip_field(std::int64_t length, Field skip, Field after);
  void after_headers() { field_ = headers_left_ > 0 ? Field::kHeaderKeyLength : Field::kEnd; }

  std::int32_t expected_;
  Lengths lengths_;
  Field field_ = Field::kLength;
  std::uint64_t value_ = 0;
  unsigned shift_ = 0;
  std::int64_t body_left_ = 0;
  std::int64_t skip_left_ = 0;
  std::int32_t headers_left_ = 0;
  Seen seen_;
  const char* wrong_ = nullptr;
  Errc code_ = Errc::kInvalidRecord;
};

}  // namespace dohle::records

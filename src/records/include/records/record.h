// A record inside a batch, seen in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <base/bytes.h>
#include <base/ids.h>
#include <records/batch.h>

namespace dohle::records {

// A record header (KIP-82). The key is UTF-8; a value may be null.
struct Header {
  std::string_view key;
  std::optional<Bytes> value;
};

// The headers of a record, read on the fly from bytes that were checked before.
class Headers {
 public:
  Headers() = default;
  // `encoded` holds exactly `count` well-formed headers.
  Headers(Bytes encoded, std::int32_t count) : encoded_(encoded), count_(count) {}

  class Iterator {
   public:
    Iterator(const std::uint8_t* at, const std::uint8_t* end, std::int32_t left) : at_(at), end_(end), left_(left) {
      read();
    }
    const Header& operator*() const { return header_; }
    const Header* operator->() const { return &header_; }
    Iterator& operator++() {
      --left_;
      read();
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

   private:
    void read();
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::int32_t left_;
    Header header_;
  };

  [[nodiscard]] Iterator begin() const { return {encoded_.data(), encoded_.data() + encoded_.size(), count_}; }
  [[nodiscard]] Iterator end() const { return {nullptr, nullptr, 0}; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(count_); }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // As in the record, without the count before them.
  [[nodiscard]] Bytes encoded() const { return encoded_; }

 private:
  Bytes encoded_;
  std::int32_t count_ = 0;
};

// Valid as long as what it was read from: the batch, or for compressed batches the reader's next step.
struct RecordView {
  Offset offset;
  std::int64_t timestamp_ms = kNoTimestamp;  // as a consumer sees it: the batch's maximum under LogAppendTime
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::int32_t sequence = kNoSequence;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  Headers headers;
  std::size_t size_bytes = 0;  // on the wire, uncompressed, its length field included
};

}  // namespace dohle::records

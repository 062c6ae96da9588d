// A reader of one partition: its next Fetch request, and what an answer held. Version 11, without a session.
#pragma once

#include <string>

#include <protocol/messages/fetch_request.h>
#include <protocol/messages/fetch_response.h>

#include "caller.h"

namespace dohle::load {

inline constexpr std::int16_t kFetchVersion = 11;

class PartitionReader {
 public:
  PartitionReader(const std::string& topic, std::int32_t partition, std::int32_t max_bytes, std::int64_t from);
  [[nodiscard]] const Frame& next_request();
  // Whole batches in it; gives up when they do not begin where the request asked.
  struct Read {
    std::uint64_t bytes = 0;  // of the records field
    std::int64_t records = 0;
    bool at_end = false;
  };
  [[nodiscard]] Read take(Bytes answer);
  [[nodiscard]] std::int64_t offset() const { return offset_; }
  void seek(std::int64_t offset) { offset_ = offset; }

 private:
  protocol::FetchRequest request_;
  Frame frame_;
  std::int64_t offset_;
};

}  // namespace dohle::load

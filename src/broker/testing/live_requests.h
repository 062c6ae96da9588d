// A live node with one shard, and a client on a thread of its own that sends it the same requests over and over: what
// does one cost the shard?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dohle::broker {

struct RequestCost {
  double allocations = 0;  // from the heap, on the shard's thread
  double micros = 0;       // from request to answer
};

struct LiveRequest {
  enum class Kind : std::uint8_t { kProduce, kFetchTail, kFetchWait };
  Kind kind = Kind::kProduce;
  std::int16_t acks = 1;
  int partitions = 1;
  int count = 200;  // in a round
};

// In the order of `requests`, over a topic that is not flushed. The data lies in a temporary directory.
[[nodiscard]] std::vector<RequestCost> cost_of(const std::vector<LiveRequest>& requests);

}  // namespace dohle::broker

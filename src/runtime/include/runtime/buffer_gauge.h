// BufferGauge: whether a node's buffers, those of all its shards together, have reached their share of memory.limit.
#pragma once

#include <cstdint>

#include <runtime/shard.h>

namespace dohle::runtime {

// Any shard may ask; what others have just done may be missing.
class BufferGauge {
 public:
  // 0: never full.
  BufferGauge(Shards& shards, std::uint64_t limit_bytes) : shards_(&shards), limit_(limit_bytes) {}

  [[nodiscard]] bool is_full() const { return limit_ > 0 && used_bytes() >= limit_; }
  // From here on, who has not taken what he asked for is not given more.
  [[nodiscard]] bool is_half_full() const { return limit_ > 0 && used_bytes() >= limit_ / 2; }
  // From here on, what can be had without buffers is not put into any.
  [[nodiscard]] bool is_nearly_full() const { return limit_ > 0 && used_bytes() >= limit_ - limit_ / 8; }

 private:
  [[nodiscard]] std::uint64_t used_bytes() const {
    std::uint64_t all = 0;
    for (std::size_t id = 0; id < shards_->size(); ++id) all += shards_->at(id).buffers().allocated_bytes();
    return all;
  }
  Shards* shards_;
  std::uint64_t limit_;
};

}  // namespace dohle::runtime

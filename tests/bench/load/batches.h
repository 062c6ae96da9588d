// Batches prepared beforehand, and Produce requests around them whose changing parts are patched in place.
#pragma once

#include <optional>
#include <string>

#include <records/compression.h>

#include "caller.h"

namespace dohle::load {

// How a Produce request looks; every one holds a batch for one partition. Version 9.
inline constexpr std::int16_t kProduceVersion = 9;

struct Batch {
  Frame bytes;
  int records = 0;
  std::size_t uncompressed_bytes = 0;
};

// `json`: text as services log it, of many different lines; otherwise noise. Different for every `seed`.
[[nodiscard]] Batch make_batch(int records, int record_bytes, records::CompressionType codec, bool json,
                               std::uint32_t seed);

class ProduceFrame {
 public:
  ProduceFrame(const std::string& topic, const Batch& batch);
  void set_partition(std::int32_t partition) { store_be(frame_.data() + partition_at_, partition); }
  void set_correlation(std::int32_t id) { set_correlation_id(frame_, id); }
  // Computes the checksum again.
  void set_sequence(std::int64_t producer_id, std::int16_t epoch, std::int32_t base_sequence);
  [[nodiscard]] const Frame& bytes() const { return frame_; }

 private:
  Frame frame_;
  std::size_t partition_at_;
  std::size_t batch_at_;
  std::size_t batch_bytes_;
};

// The answer to one; read at fixed places.
class ProduceAnswer {
 public:
  ProduceAnswer(Bytes answer, std::size_t topic_bytes);
  [[nodiscard]] std::int32_t partition() const { return load_be<std::int32_t>(at_); }
  [[nodiscard]] std::int16_t error() const { return load_be<std::int16_t>(at_ + 4); }
  [[nodiscard]] std::int64_t base_offset() const { return load_be<std::int64_t>(at_ + 6); }

 private:
  const std::uint8_t* at_;
};

}  // namespace dohle::load

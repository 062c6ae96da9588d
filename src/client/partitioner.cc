#include <client/partitioner.h>

#include <vector>

namespace dohle::client {

std::uint32_t murmur2(Bytes data) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  constexpr unsigned kShift = 24;
  const std::size_t length = data.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(length);
  std::size_t at = 0;
  for (; length - at >= 4; at += 4) {
    std::uint32_t word = 0;
    for (unsigned i = 0; i < 4; ++i) word |= static_cast<std::uint32_t>(data[at + i]) << (8 * i);
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (at < length) {
    for (std::size_t i = at; i < length; ++i) hash ^= static_cast<std::uint32_t>(data[i]) << (8 * (i - at));
    hash *= kMultiplier;
  }
  hash ^= hash >> 13U;
  hash *= kMultiplier;
  return hash ^ (hash >> 15U);
}

std::int32_t partition_for_key(Bytes key, std::size_t partitions) {
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) % partitions);
}

std::int32_t StickyPartitioner::partition(const TopicInfo& topic) {
  if (current_ >= 0 && topic.partition(current_) != nullptr && topic.partition(current_)->leader != kNoNode) {
    return current_;
  }
  std::vector<std::int32_t> led;
  for (const auto& partition : topic.partitions) {
    if (partition.leader != kNoNode) led.push_back(partition.index);
  }
  const std::size_t choices = led.empty() ? topic.partitions.size() : led.size();
  const std::uint64_t drawn = random_->below(choices);
  current_ = led.empty() ? static_cast<std::int32_t>(drawn) : led[drawn];
  produced_ = 0;
  return current_;
}

void StickyPartitioner::count(std::size_t bytes, bool batch_is_full) {
  produced_ += bytes;
  // A move at a batch's end leaves no batch half full; past twice the size it is time all the same.
  if ((produced_ >= batch_bytes_ && batch_is_full) || produced_ >= 2 * batch_bytes_) current_ = -1;
}

}  // namespace dohle::client

// The identities of Kafka's world, each a type of its own.
#pragma once

#include <cstdint>
#include <string>

#include <base/strong.h>
#include <base/uuid.h>

namespace dohle {

struct OffsetTag;
using OffsetBase = Strong<OffsetTag, std::int64_t>;

// Position of a record in a partition. -1 means "none" on the wire. Offsets come from peers and disks, which may say
// anything: sums wrap, as in Kafka, and are checked where they are used.
class Offset : public OffsetBase {
 public:
  using OffsetBase::OffsetBase;
  [[nodiscard]] constexpr Offset next() const { return *this + 1; }
  [[nodiscard]] constexpr Offset prev() const { return *this - 1; }
  friend constexpr Offset operator+(Offset a, std::int64_t n) { return Offset(signed_of(bits(a) + bits(n))); }
  friend constexpr Offset operator-(Offset a, std::int64_t n) { return Offset(signed_of(bits(a) - bits(n))); }
  friend constexpr std::int64_t operator-(Offset a, Offset b) { return signed_of(bits(a) - bits(b)); }

 private:
  static constexpr std::uint64_t bits(std::int64_t n) { return static_cast<std::uint64_t>(n); }
  static constexpr std::uint64_t bits(Offset a) { return bits(a.value()); }
  static constexpr std::int64_t signed_of(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }
};
inline constexpr Offset kNoOffset{-1};

struct LeaderEpochTag;
using LeaderEpoch = Strong<LeaderEpochTag, std::int32_t>;
inline constexpr LeaderEpoch kNoLeaderEpoch{-1};

struct ProducerIdTag;
using ProducerId = Strong<ProducerIdTag, std::int64_t>;
inline constexpr ProducerId kNoProducerId{-1};

struct BrokerIdTag;
using BrokerId = Strong<BrokerIdTag, std::int32_t>;
inline constexpr BrokerId kNoBroker{-1};

// KIP-516: topics are known by id; names are labels.
struct TopicId {
  Uuid uuid;
  friend constexpr auto operator<=>(const TopicId&, const TopicId&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const TopicId& id) { return H::combine(std::move(hash), id.uuid); }
};

// A partition by name, as log directories and the older request versions know it.
struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const TopicPartition& tp) { return H::combine(std::move(hash), tp.topic, tp.partition); }
};

// A partition by topic id, as metadata and shards know it.
struct TopicIdPartition {
  TopicId topic;
  std::int32_t partition = 0;
  friend constexpr auto operator<=>(const TopicIdPartition&, const TopicIdPartition&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const TopicIdPartition& tp) { return H::combine(std::move(hash), tp.topic, tp.partition); }
};

}  // namespace dohle

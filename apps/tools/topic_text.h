// How kafka-topics --describe writes a topic and its partitions.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/uuid.h>

namespace dohle::app {

struct Reassignment {
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> adding;
  std::vector<std::int32_t> removing;
};

struct PartitionText {
  std::int32_t index = 0;
  std::int32_t leader = -1;  // -1: none
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> isr;
  std::optional<std::vector<std::int32_t>> elr;  // nothing: the broker does not say
  std::optional<std::vector<std::int32_t>> last_known_elr;
  std::optional<Reassignment> reassignment;

  // Of the replicas that are there to stay.
  [[nodiscard]] std::size_t replication_factor() const;
  [[nodiscard]] bool is_under_replicated() const { return isr.size() < replication_factor(); }
  // The line, without its end.
  [[nodiscard]] std::string line(std::string_view topic) const;
};

struct TopicText {
  std::string name;
  Uuid id;
  std::vector<std::string> configs;  // key=value of what is not a default
  std::int32_t min_isr = 1;
  std::vector<PartitionText> partitions;

  [[nodiscard]] std::string line() const;
};

// "0:1,1:2" is partition 0 on brokers 0 and 1, partition 1 on 1 and 2. The error is a sentence.
[[nodiscard]] std::expected<std::vector<std::vector<std::int32_t>>, std::string> parse_replica_assignment(
    std::string_view text);

}  // namespace dohle::app

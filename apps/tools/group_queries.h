// What kafka-consumer-groups asks the cluster, and how it works out new offsets.
#pragma once

#include <string>
#include <vector>

#include "group_text.h"
#include "tool.h"

namespace dohle::app {

struct DescribedMember {
  std::string id;
  std::string instance_id;
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;
};

struct DescribedGroup {
  std::string id;
  std::string state;
  std::string protocol;  // of assignment: "range"
  std::string coordinator;
  std::vector<DescribedMember> members;
};

// A group that does not exist fails with kGroupIdNotFound.
[[nodiscard]] runtime::Task<client::Answer<DescribedGroup>> describe_group(client::Admin& admin, std::string group);
// Groups of consumers, sorted by name; empty sets let all states and types through.
[[nodiscard]] runtime::Task<client::Answer<std::vector<ListRow>>> list_consumer_groups(client::Admin& admin,
                                                                                       std::vector<std::string> states,
                                                                                       std::vector<std::string> types);

using Partitions = std::vector<TopicPartition>;
using PartitionOffsets = std::map<TopicPartition, std::int64_t>;

// "topic" is all its partitions, "topic:0,1" those.
[[nodiscard]] runtime::Task<client::Answer<Partitions>> partitions_of(client::Admin& admin,
                                                                      std::vector<std::string> topics);
[[nodiscard]] runtime::Task<client::Answer<std::map<TopicPartition, client::CommittedOffset>>> committed_offsets(
    client::Admin& admin, std::string group);
// Offsets at one time; fails with the first failure of a partition.
[[nodiscard]] runtime::Task<client::Answer<PartitionOffsets>> offsets_at(client::Admin& admin, Partitions partitions,
                                                                         std::int64_t timestamp);
// The same; where nothing is that new, the end, which is told.
[[nodiscard]] runtime::Task<client::Answer<PartitionOffsets>> offsets_at_time(client::Admin& admin,
                                                                              Partitions partitions,
                                                                              std::int64_t timestamp_ms);
// Moves offsets that are not in the log to its nearest end, which is told.
[[nodiscard]] runtime::Task<client::Answer<PartitionOffsets>> into_range(client::Admin& admin,
                                                                         PartitionOffsets offsets);
// All of them exist and have leaders.
[[nodiscard]] runtime::Task<client::Answer<>> check_partitions(client::Admin& admin, Partitions partitions);

}  // namespace dohle::app

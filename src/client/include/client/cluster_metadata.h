// What a client knows of its cluster: nodes, topics, leaders.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/uuid.h>
#include <protocol/error_code.h>
#include <runtime/network.h>

namespace dohle::protocol {
struct MetadataResponse;
}

namespace dohle::client {

inline constexpr std::int32_t kNoNode = -1;

struct NodeInfo {
  std::int32_t id = kNoNode;
  runtime::Endpoint endpoint;
  std::optional<std::string> rack;
};

struct PartitionInfo {
  std::int32_t index = 0;
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int32_t leader = kNoNode;
  std::int32_t leader_epoch = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> isr;
  std::vector<std::int32_t> offline;
};

struct TopicInfo {
  std::string name;
  Uuid id;
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  bool internal = false;
  std::vector<PartitionInfo> partitions;  // by index, 0 to n-1

  [[nodiscard]] const PartitionInfo* partition(std::int32_t index) const {
    if (index < 0 || static_cast<std::size_t>(index) >= partitions.size()) return nullptr;
    return &partitions[static_cast<std::size_t>(index)];
  }
};

struct ClusterMetadata {
  std::string cluster_id;
  std::int32_t controller = kNoNode;
  std::map<std::int32_t, NodeInfo> nodes;
  std::map<std::string, TopicInfo, std::less<>> topics;

  [[nodiscard]] const TopicInfo* topic(std::string_view name) const;
  [[nodiscard]] const TopicInfo* topic(const Uuid& id) const;
  [[nodiscard]] const PartitionInfo* partition(std::string_view topic, std::int32_t index) const;

  // Takes an answer in: nodes are replaced, topics that it names are, others stay. A leader of an older epoch than the
  // one known is not believed. With `all_topics`, topics that it does not name are gone.
  void update(const protocol::MetadataResponse& response, bool all_topics);
};

}  // namespace dohle::client

#include "topic_text.h"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "options.h"

namespace dohle::app {

namespace {

std::string ids(const std::vector<std::int32_t>& list) { return fmt::format("{}", fmt::join(list, ",")); }

}  // namespace

// A reassignment may have ended between the two questions that were asked; then none of its replicas is there.
std::size_t PartitionText::replication_factor() const {
  if (!reassignment) return replicas.size();
  const auto changing = [&](std::int32_t id) {
    return std::ranges::find(reassignment->adding, id) != reassignment->adding.end() ||
           std::ranges::find(reassignment->removing, id) != reassignment->removing.end();
  };
  if (std::ranges::none_of(replicas, changing)) return replicas.size();
  return reassignment->replicas.size() - reassignment->adding.size();
}

std::string PartitionText::line(std::string_view topic) const {
  std::string out = fmt::format("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}", topic, index,
                                leader < 0 ? "none" : std::to_string(leader), ids(replicas), ids(isr));
  if (reassignment) {
    out += fmt::format("\tAdding Replicas: {}\tRemoving Replicas: {}", ids(reassignment->adding),
                       ids(reassignment->removing));
  }
  out += fmt::format("\tElr: {}\tLastKnownElr: {}", elr ? ids(*elr) : "N/A",
                     last_known_elr ? ids(*last_known_elr) : "N/A");
  return out;
}

std::string TopicText::line() const {
  std::string out = "Topic: " + name;
  if (!id.is_zero()) out += "\tTopicId: " + id.to_string();
  out += fmt::format("\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}", partitions.size(),
                     partitions.empty() ? 0 : partitions.front().replication_factor(), join(configs, ","));
  return out;
}

std::expected<std::vector<std::vector<std::int32_t>>, std::string> parse_replica_assignment(std::string_view text) {
  std::vector<std::vector<std::int32_t>> out;
  for (const std::string& partition : split(text, ',')) {
    auto& brokers = out.emplace_back();
    for (const std::string& broker : split(partition, ':')) {
      const auto id = parse_number(trim(broker));
      if (!id) return std::unexpected(fmt::format("For input string: \"{}\"", broker));
      const auto as_id = static_cast<std::int32_t>(*id);
      if (std::ranges::find(brokers, as_id) != brokers.end()) {
        return std::unexpected(fmt::format("Partition replica lists may not contain duplicate entries: {}", as_id));
      }
      brokers.push_back(as_id);
    }
    if (brokers.size() != out.front().size()) {
      return std::unexpected(
          fmt::format("Partition {} has different replication factor: [{}]", out.size() - 1, fmt::join(brokers, ", ")));
    }
  }
  return out;
}

}  // namespace dohle::app

#include "offset_json.h"

#include <utility>

#include <fmt/core.h>
#include <protocol/json_value.h>

namespace dohle::app {

using protocol::Json;

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition);
}

Checked<Before> parse_offset_json(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || json->as_object() == nullptr) return complain("The input string is not a valid JSON");
  if (const Json* version = json->find("version"); version != nullptr) {
    if (version->as_int() == nullptr || *version->as_int() != 1) {
      return complain("Not supported version field value " + version->print());
    }
  }
  const Json* partitions = json->find("partitions");
  if (partitions == nullptr || partitions->as_array() == nullptr) return complain("Missing partitions field");
  Before out;
  std::vector<std::string> duplicates;
  for (const Json& one : *partitions->as_array()) {
    const Json* topic = one.find("topic");
    const Json* partition = one.find("partition");
    const Json* offset = one.find("offset");
    if (topic == nullptr || topic->as_string() == nullptr || partition == nullptr || partition->as_int() == nullptr ||
        offset == nullptr || offset->as_int() == nullptr || !std::in_range<std::int32_t>(*partition->as_int())) {
      return complain("Each partition needs a topic, a partition and an offset: " + one.print());
    }
    const TopicPartition key{*topic->as_string(), static_cast<std::int32_t>(*partition->as_int())};
    if (!out.emplace(key, *offset->as_int()).second) duplicates.push_back(name_of(key));
  }
  if (duplicates.empty()) return out;
  return complain("Offset json file contains duplicate topic partitions: " + join(duplicates, ","));
}

}  // namespace dohle::app

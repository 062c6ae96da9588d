#include "node/request_settings.h"

#include <base/topic_name.h>

namespace dohle::broker {

using config::ServerConfig;
using config::Values;

RequestSettings request_settings(const ServerConfig& server) {
  const Values& values = server.values();
  RequestSettings out;
  out.auto_create_topics = values.get_bool("auto.create.topics.enable");
  out.delete_topic_enable = values.get_bool("delete.topic.enable");
  if (server.is_set("num.partitions")) out.num_partitions = values.get_int("num.partitions");
  if (server.is_set("default.replication.factor")) {
    out.default_replication_factor = static_cast<std::int16_t>(values.get_int("default.replication.factor"));
  }
  out.fetch_max_bytes = values.get_int("fetch.max.bytes");
  out.max_request_partition_size_limit = values.get_int("max.request.partition.size.limit");
  out.request_timeout_ms = values.get_int("request.timeout.ms");
  return out;
}

InternalTopicShape topic_shape(const ServerConfig& server, std::string_view topic) {
  const Values& values = server.values();
  const auto shape = [&](std::string_view partitions, std::string_view factor, std::string_view segment) {
    InternalTopicShape out;
    out.partitions = values.get_int(partitions);
    out.replication_factor = static_cast<std::int16_t>(values.get_int(factor));
    out.configs = {{"cleanup.policy", "compact"},
                   {"compression.type", "producer"},
                   {"segment.bytes", std::to_string(values.get_int(segment))}};
    return out;
  };
  if (topic == kConsumerOffsetsTopic) {
    return shape("offsets.topic.num.partitions", "offsets.topic.replication.factor", "offsets.topic.segment.bytes");
  }
  const RequestSettings requests = request_settings(server);
  return {requests.num_partitions, requests.default_replication_factor, {}};
}

}  // namespace dohle::broker

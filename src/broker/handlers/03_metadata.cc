// Metadata (3): brokers, and topics with their partitions' leaders. Creates absent topics where both sides allow it.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <base/topic_name.h>
#include <protocol/messages/metadata_request.h>
#include <protocol/messages/metadata_response.h>

#include "handlers/authorized_operations.h"
#include "handlers/handlers.h"
#include "handlers/topic_description.h"

namespace dohle::broker {
namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using ResponseTopic = MetadataResponse::MetadataResponseTopic;

ResponseTopic describe(const metadata::MetadataImage& image, const metadata::TopicImage& topic,
                       const DescribeRules& rules) {
  ResponseTopic out;
  out.name = Text(topic.name);
  out.topic_id = topic.id.uuid;
  out.is_internal = is_internal_topic(topic.name);
  for (const auto& [index, registration] : topic.partitions) {
    const auto partition = describe_partition(image, *registration, rules);
    auto& row = out.partitions.emplace_back();
    row.error_code = number(partition.error);
    row.partition_index = index;
    row.leader_id = partition.leader;
    row.leader_epoch = partition.leader_epoch;
    row.replica_nodes = partition.replicas;
    row.isr_nodes = partition.isr;
    row.offline_replicas = partition.offline;
  }
  return out;
}

ResponseTopic refuse(ErrorCode error, std::optional<std::string_view> name, Uuid topic_id = {}) {
  ResponseTopic out;
  out.error_code = number(error);
  out.name = name ? std::optional<Text>(Text(*name)) : std::nullopt;
  out.topic_id = topic_id;
  out.is_internal = name && is_internal_topic(*name);
  return out;
}

void add_brokers(RequestContext& ctx, const metadata::MetadataImage& image, MetadataResponse& out) {
  for (const auto& [id, broker] : image.cluster().brokers) {
    const auto* endpoint = broker->endpoint(ctx.listener());
    if (broker->fenced || endpoint == nullptr) continue;
    auto& row = out.brokers.emplace_back();
    const auto [host, port] = ctx.broker.advertised(id, *endpoint, ctx.local());
    row.node_id = id;
    row.host = host;
    row.port = port;
    if (broker->rack) row.rack = Text(*broker->rack);
  }
  out.controller_id =
      out.brokers.empty() ? -1 : out.brokers[ctx.here.shard().random().below(out.brokers.size())].node_id;
}

// What was asked for by name and by id, each once.
struct Wanted {
  std::set<std::string, std::less<>> names;
  std::vector<Uuid> unknown_ids;
};

Wanted collect(const metadata::MetadataImage& image, const MetadataRequest& request) {
  Wanted wanted;
  std::set<Uuid> ids;
  for (const auto& topic : *request.topics) {
    if (!topic.topic_id.is_zero()) ids.insert(topic.topic_id);
  }
  if (ids.empty()) {
    for (const auto& topic : *request.topics) {
      if (topic.name) wanted.names.emplace(topic.name->get());
    }
    return wanted;
  }
  for (const Uuid& id : ids) {
    if (const auto* topic = image.topics().find(TopicId{id})) {
      wanted.names.insert(topic->name);
    } else {
      wanted.unknown_ids.push_back(id);
    }
  }
  return wanted;
}

// Why the topics cannot be what was meant. Ids are not taken before version 12; from there on rows with neither name
// nor id are passed over when another has an id, and are what Kafka fails at otherwise.
ErrorCode check_topics(const MetadataRequest& request, std::int16_t version) {
  const auto is_named = [](const auto& topic) { return topic.name.has_value(); };
  const auto has_id = [](const auto& topic) { return !topic.topic_id.is_zero(); };
  const auto& topics = *request.topics;
  const bool any_id = std::ranges::any_of(topics, has_id);
  const bool all_named = std::ranges::all_of(topics, is_named);
  if (version < 12) return any_id || !all_named ? ErrorCode::kInvalidRequest : ErrorCode::kNone;
  return any_id || all_named ? ErrorCode::kNone : ErrorCode::kUnknownServerError;
}

MetadataResponse refuse_all(const MetadataRequest& request, ErrorCode error) {
  MetadataResponse out;
  for (const auto& topic : *request.topics) {
    auto& row = out.topics.emplace_back();
    row = refuse(error, topic.name ? topic.name->get() : std::string_view(), topic.topic_id);
  }
  out.controller_id = -1;
  out.error_code = number(error);
  return out;
}

void add_authorized_operations(const MetadataRequest& request, MetadataResponse& out) {
  if (request.include_cluster_authorized_operations) out.cluster_authorized_operations = kAllClusterOperations;
  if (!request.include_topic_authorized_operations) return;
  for (auto& topic : out.topics) topic.topic_authorized_operations = kAllTopicOperations;
}

}  // namespace

Answer<MetadataResponse> handle_metadata(RequestContext& ctx, const MetadataRequest& request) {
  const auto image = ctx.here.image();
  const bool all = !request.topics || (ctx.version() == 0 && request.topics->empty());
  if (!all) {
    const ErrorCode error = check_topics(request, ctx.version());
    if (error != ErrorCode::kNone) co_return refuse_all(request, error);
  }

  MetadataResponse out;
  out.cluster_id = Text(ctx.broker.cluster_id());
  add_brokers(ctx, *image, out);
  const DescribeRules rules{ctx.listener(), ctx.version() == 0, ctx.version() >= 6};
  if (all) {
    for (const auto& [name, topic] : image->topics().by_name()) out.topics.push_back(describe(*image, *topic, rules));
    add_authorized_operations(request, out);
    co_return out;
  }

  const Wanted wanted = collect(*image, request);
  for (const Uuid& id : wanted.unknown_ids) out.topics.push_back(refuse(ErrorCode::kUnknownTopicId, std::nullopt, id));
  std::vector<std::string> absent;
  for (const auto& name : wanted.names) {
    if (const auto* topic = image->topics().find(name)) {
      out.topics.push_back(describe(*image, *topic, rules));
    } else if (!is_valid_topic_name(name)) {
      out.topics.push_back(refuse(ErrorCode::kInvalidTopicException, name));
    } else {
      out.topics.push_back(refuse(ErrorCode::kUnknownTopicOrPartition, name));
      absent.push_back(name);
    }
  }
  add_authorized_operations(request, out);
  if (request.allow_auto_topic_creation && ctx.broker.settings().auto_create_topics) {
    for (auto& name : absent) ctx.here.topic_creator().create(std::move(name));
  }
  co_return out;
}

}  // namespace dohle::broker

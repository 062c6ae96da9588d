#include <algorithm>

#include <image/partition_records.h>
#include <image/record_codec.h>
#include <metadata/delta.h>
#include <protocol/messages/config_record.h>
#include <protocol/messages/feature_level_record.h>
#include <protocol/messages/producer_ids_record.h>
#include <protocol/messages/register_broker_record.h>
#include <protocol/messages/register_controller_record.h>
#include <protocol/messages/topic_record.h>

namespace dohle::metadata {
namespace {

using Sink = std::function<Result<>(EncodedRecord)>;

template <typename Endpoint>
std::vector<Endpoint> endpoint_records(const std::vector<EndpointImage>& endpoints) {
  std::vector<Endpoint> out;
  for (const EndpointImage& e : endpoints) {
    Endpoint record;
    record.name = e.listener;
    record.host = e.host;
    record.port = e.port;
    record.security_protocol = e.security_protocol;
    out.push_back(std::move(record));
  }
  return out;
}

template <typename Feature, typename Ranges>
std::vector<Feature> feature_records(const Ranges& ranges) {
  std::vector<Feature> out;
  for (const auto& [name, range] : ranges) {
    Feature record;
    record.name = name;
    record.min_supported_version = range.min;
    record.max_supported_version = range.max;
    out.push_back(std::move(record));
  }
  return out;
}

protocol::FeatureLevelRecord feature_level(std::string_view name, std::int16_t level) {
  protocol::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return record;
}

Result<> write_features(const FeaturesImage& features, const Sink& sink) {
  // metadata.version comes first: readers decide by it how to understand the rest.
  DOHLE_TRY(sink(encode_record(feature_level(kMetadataVersionFeature, features.metadata_version()), 0)));
  for (const auto& [name, level] : features.finalized) {
    if (name != kMetadataVersionFeature) DOHLE_TRY(sink(encode_record(feature_level(name, level), 0)));
  }
  return {};
}

Result<> write_cluster(const ClusterImage& cluster, MetadataVersion version, const Sink& sink) {
  for (const auto& [id, broker] : cluster.brokers) {
    protocol::RegisterBrokerRecord record;
    record.broker_id = id;
    record.rack.reset();  // the schema's default is an empty string
    if (broker->rack) record.rack = *broker->rack;
    record.broker_epoch = broker->epoch;
    record.incarnation_id = broker->incarnation_id;
    record.fenced = broker->fenced;
    record.in_controlled_shutdown = broker->in_controlled_shutdown;
    record.is_migrating_zk_broker = broker->is_migrating_zk_broker;
    if (version.has_directory_assignment()) record.log_dirs = broker->directories;
    if (version.has_cordoned_directories()) record.cordoned_log_dirs = broker->cordoned_directories;
    record.end_points = endpoint_records<protocol::RegisterBrokerRecord::BrokerEndpoint>(broker->endpoints);
    record.features = feature_records<protocol::RegisterBrokerRecord::BrokerFeature>(broker->features);
    DOHLE_TRY(sink(encode_record(record, version.register_broker_record())));
  }
  if (!version.has_controller_registration()) return {};
  for (const auto& [id, controller] : cluster.controllers) {
    protocol::RegisterControllerRecord record;
    record.controller_id = id;
    record.incarnation_id = controller->incarnation_id;
    record.zk_migration_ready = controller->zk_migration_ready;
    record.end_points = endpoint_records<protocol::RegisterControllerRecord::ControllerEndpoint>(controller->endpoints);
    record.features = feature_records<protocol::RegisterControllerRecord::ControllerFeature>(controller->features);
    DOHLE_TRY(sink(encode_record(record, 0)));
  }
  return {};
}

Result<> write_topics(const TopicsImage& topics, MetadataVersion version, bool elr_enabled, const Sink& sink) {
  for (auto [id, topic] : topics.by_id()) {
    protocol::TopicRecord record;
    record.name = topic->name;
    record.topic_id = id.uuid;
    DOHLE_TRY(sink(encode_record(record, 0)));
    for (auto [index, partition] : topic->partitions) {
      DOHLE_TRY(
          sink(encode_record(to_record(*partition, id, index, version, elr_enabled), version.partition_record())));
    }
  }
  return {};
}

Result<> write_configs(const ConfigsImage& configs, const Sink& sink) {
  for (auto [resource, values] : configs.all()) {
    for (const auto& [name, value] : *values) {
      protocol::ConfigRecord record;
      record.resource_type = static_cast<std::int8_t>(resource.type);
      record.resource_name = resource.name;
      record.name = name;
      record.value = value;
      DOHLE_TRY(sink(encode_record(record, 0)));
    }
  }
  return {};
}

template <typename Map>
Result<> write_retained(const Map& records, const Sink& sink) {
  for (auto [key, record] : records) DOHLE_TRY(sink(frame_body(record->type, record->version, record->body)));
  return {};
}

}  // namespace

Result<> write_image(const MetadataImage& image, const Sink& sink) {
  const MetadataVersion version(image.features().metadata_version());
  const bool elr_enabled = image.features().level(kElrFeature) > 0;
  DOHLE_TRY(write_features(image.features(), sink));
  DOHLE_TRY(write_cluster(image.cluster(), version, sink));
  DOHLE_TRY(write_topics(image.topics(), version, elr_enabled, sink));
  DOHLE_TRY(write_configs(image.configs(), sink));
  DOHLE_TRY(write_retained(image.security().client_quotas, sink));
  if (image.producer_ids().next_producer_id >= 0) {
    protocol::ProducerIdsRecord record;
    record.broker_id = -1;
    record.broker_epoch = -1;
    record.next_producer_id = image.producer_ids().next_producer_id;
    DOHLE_TRY(sink(encode_record(record, 0)));
  }
  DOHLE_TRY(write_retained(image.security().acls, sink));
  DOHLE_TRY(write_retained(image.security().scram, sink));
  return write_retained(image.security().delegation_tokens, sink);
}

}  // namespace dohle::metadata
